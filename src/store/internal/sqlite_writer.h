// Writes batches: rows and numbered changes, several batches in one transaction.
#pragma once
#include <vector>

#include "base/time.h"
#include "store/internal/sqlite_connection.h"
#include "store/record.h"

namespace millrace::store {

class SqliteWriter {
 public:
  SqliteWriter(SqliteConnection& connection, const Clock& clock, std::uint64_t touched_revisions_max);

  // All or nothing; on success every batch's changes carry their Sequence and moment.
  // The transaction is on stable storage when this returns.
  Result<void> write(std::vector<Batch*>& batches);
  feed::Sequence last() const { return last_; }
  std::uint64_t revision() const { return revision_; }
  std::uint64_t rows_written() const { return rows_written_; }

 private:
  void write_state(const std::vector<Batch*>& batches);
  void write_batch(Batch& batch, feed::Sequence& next, Instant now);
  void write_files(const Batch& batch);
  void write_candidates(const Batch& batch);
  void write_change(const feed::Change& change);
  void write_order(const feed::Change& change);
  void run(SQLite::Statement& statement);

  SqliteConnection& connection_;
  const Clock& clock_;
  const std::uint64_t touched_revisions_max_;
  feed::Sequence last_;
  std::uint64_t revision_;
  std::uint64_t rows_written_ = 0;
};

}  // namespace millrace::store
