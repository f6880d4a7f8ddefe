// The thread's work behind Record::commit: one group of batches after another, in one transaction each, mirrored in the
// commit mark; opens the database anew after the disk refused something.
//
//   good ── full ──> storage_full ── a commit that succeeds ──> good
//   good ── write or flush fails ──> failing: connection dropped ── reopened, stands where it was left ──> good
//   any  ── not what was written ──> damaged (until the record is restored)
//
// Invariants
//   * A group is committed when its transaction is on stable storage; nothing before that is told to anybody.
//   * A flush that failed is never repeated: the connection is dropped, and the next commit writes its pages again.
//   * No transaction begins while the mark is behind, so the mark is never more than one transaction old.
//   * Used by one thread; `condition` by any.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "store/internal/commit_mark.h"
#include "store/internal/sqlite_writer.h"

namespace millrace::store {

class RecordWriter {
 public:
  // Without a connection the record is damaged and `condition` says why.
  RecordWriter(const SqliteOptions& options, std::unique_ptr<SqliteConnection> connection, std::optional<CommitMark> mark,
               RecordCondition condition);
  ~RecordWriter();

  // Errors: those of Record::commit; internal  one of the batches cannot be stored, maybe the others can.
  Result<void> write(const std::vector<Batch*>& batches);
  const RecordState& state() const { return state_; }
  std::uint64_t rows_written() const { return rows_written_; }
  std::uint64_t statements() const { return statements_; }  // any thread

  // How much the log holds that is not in the database file yet.
  std::uint64_t log_bytes() const { return log_pages_ * page_bytes_; }
  // Moves it there. Readers that need old pages only delay it.
  void checkpoint();
  // Writes an empty transaction after something was refused: the condition becomes good when the disk is again.
  void try_again();
  // Gives page memory back that a large load took.
  void release_memory();

  RecordCondition condition() const;
  void damaged(const Error& error);

 private:
  Result<void> open_again();
  Result<void> renew_mark();
  void begin(std::unique_ptr<SqliteConnection> connection);
  void drop_connection();
  void set_condition(RecordCondition::State state, const std::string& text);
  static int committed_hook(void* self, sqlite3*, const char*, int pages);

  const SqliteOptions& options_;
  std::atomic<std::uint64_t> statements_{0};
  std::unique_ptr<SqliteConnection> connection_;
  std::optional<SqliteWriter> writer_;  // refers to connection_
  std::optional<CommitMark> mark_;      // absent: must be made anew
  RecordState state_;                   // of the last transaction that was told
  std::uint64_t rows_written_ = 0;
  std::uint64_t log_pages_ = 0, page_bytes_ = 0;
  mutable std::mutex mutex_;
  RecordCondition condition_;  // guarded by mutex_
};

}  // namespace millrace::store
