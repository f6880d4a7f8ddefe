// Writes batches: rows and numbered changes, several batches in one transaction.
#pragma once
#include <vector>

#include "base/time.h"
#include "store/internal/sqlite_connection.h"
#include "store/record.h"

namespace millrace::store {

class SqliteWriter {
 public:
  SqliteWriter(SqliteConnection& connection, const Clock& clock);

  // All or nothing; on success every batch's changes carry their Sequence and moment.
  // The transaction is on stable storage when this returns.
  Result<void> write(std::vector<Batch*>& batches);
  feed::Sequence last() const { return last_; }
  std::uint64_t rows_written() const { return rows_written_; }

 private:
  void write_batch(Batch& batch, feed::Sequence& next, Instant now);
  void write_files(const Batch& batch);
  void write_candidates(const Batch& batch);
  void write_change(const feed::Change& change);
  void write_order(const feed::Change& change);
  void run(SQLite::Statement& statement);

  SqliteConnection& connection_;
  const Clock& clock_;
  feed::Sequence last_;
  std::uint64_t rows_written_ = 0;
};

}  // namespace millrace::store
