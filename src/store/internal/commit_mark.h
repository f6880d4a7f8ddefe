// The newest RecordState once more, outside the database: a lost tail of the record (an emptied log, an old copy of the
// file) leaves a database that is whole but older than this mark.
//
//   <database>.mark   two slots of 4 KiB, written in turn by revision: a torn write leaves the other one
//   slot              "MLRMARK1", length (u32), RecordState, checksum (u64), zeros
//
// Invariants
//   * Written after the transaction reached the disk and before it is acknowledged: never ahead of the database.
//   * One writer, who holds the lock of the record.
#pragma once
#include <optional>
#include <string>

#include "base/fd.h"
#include "store/internal/checksum.h"

namespace millrace::store {

std::string mark_path(const std::string& database_path);

class CommitMark {
 public:
  // Nothing when there is no mark. Errors: corrupt  no slot can be read;  unavailable  the file cannot be read now
  static Result<std::optional<RecordState>> read(const std::string& path);

  // A whole new mark under a temporary name, flushed, then renamed. Errors: storage_full, read_only
  static Result<CommitMark> create(const std::string& path, const RecordState& state);

  // The mark that is there, to be written further. Errors: read_only
  static Result<CommitMark> open(const std::string& path);

  // On the disk when this returns. After an error this mark is finished: only `create` may follow.
  Result<void> write(const RecordState& state);

 private:
  explicit CommitMark(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

// Flushes the names of a folder: a file that was made or renamed there survives a power cut.
Result<void> flush_folder_of(const std::string& path);

// The error of a failed write, flush or rename on our own files.
Error storage_error(int error_number, const std::string& doing);

}  // namespace millrace::store
