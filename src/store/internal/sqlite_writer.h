// Writes batches: rows and numbered changes, several batches in one transaction, the sums of the tables with them.
#pragma once
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "store/internal/sqlite_rows.h"
#include "store/record.h"

namespace millrace::store {

class SqliteWriter {
 public:
  // Throws SQLite::Exception and DamagedRow.
  SqliteWriter(SqliteConnection& connection, const Clock& clock, std::uint64_t touched_revisions_max);

  // All or nothing; on success every batch's changes carry their Sequence and moment, and the transaction is on stable
  // storage. Batches that say only what is stored already are left out: nothing is written then, and no revision made.
  // Errors: those of error_of. After read_only the connection is finished: what the disk holds is not known.
  Result<void> write(const std::vector<Batch*>& batches);
  // What the last successful `write` left.
  const RecordState& state() const { return state_; }
  std::uint64_t rows_written() const { return rows_written_; }  // inserted, replaced and deleted, also of what was refused

 private:
  using Paths = std::unordered_set<std::string_view>;
  using ByNumber = std::unordered_map<std::string_view, const feed::Change*>;

  void write_batch(Batch& batch, Instant now);
  Paths write_files(const Batch& batch);
  void write_candidates(const Batch& batch, Paths cleared);
  void write_candidate(const Batch& batch, const Candidate& candidate, const ByNumber& changes);
  void write_change(const feed::Change& change);
  void write_rejection(const feed::Change& change, std::string_view payload);
  void write_kept(const Batch& batch);
  void write_kept_row(const KeptRow& kept);
  void write_touched(const std::vector<Batch*>& batches);
  void remove_file(const std::string& source, const std::string& path);
  void remove_candidates(const std::string& source, const std::string& path);
  // False when it changed no row: of an INSERT OR IGNORE, one is there under the same key.
  bool run(SQLite::Statement& statement);
  // Runs a DELETE ... RETURNING checksum and takes what it answers out of the sum.
  void remove(SQLite::Statement& statement, TableSum& table);
  // `owner` and `key` as the first two parameters.
  SQLite::Statement& bound(std::string_view statement, const std::string& owner, const std::string& key);

  SqliteConnection& connection_;
  const Clock& clock_;
  const std::uint64_t touched_revisions_max_;
  RecordState state_;
  RecordState next_;  // of the transaction that is being written
  std::uint64_t rows_written_ = 0;
  // The statements of a first load, found once.
  SQLite::Statement &change_append_, &history_append_, &file_add_, &candidate_add_;
};

}  // namespace millrace::store
