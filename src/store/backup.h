// The whole record as one file that proves itself, made while a server runs; and the way back.
//
//   "MILLRACE-BACKUP-1\n"
//   blocks     'B', stored bytes (u32), bytes (u32), checksum of the bytes (u64), zstd
//   manifest   'M', bytes (u32), manifest, checksum (u64); nothing after it
//
// Invariants
//   * A backup is a consistent copy of one committed state, verified row by row before it gets its name.
//   * A file that is cut, foreign or changed anywhere is refused as a whole.
//   * A restored record has an identity of its own: kept state of the record before never matches it.
//   * Restoring never deletes: what was there is moved aside.
#pragma once
#include <functional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "store/record.h"

namespace millrace::store {

struct BackupManifest {
  Instant made_at;
  RecordReport record;
  std::uint64_t database_bytes = 0;
  std::uint64_t file_bytes = 0;  // of the backup itself
};

// `phase` is "copying", "verifying", "packing" or "unpacking"; false stops the work.
using BackupProgress = std::function<bool(std::string_view phase, std::uint64_t done, std::uint64_t total)>;

// Writes `file` anew, under a temporary name until it is whole.
// Errors   not_found, conflict, corrupt  as open_sqlite_reader: what cannot be verified is not backed up
//          storage_full, read_only       the place of `file` refuses it
//          cancelled                     `progress` said so
Result<BackupManifest> write_backup(const std::string& record_path, const std::string& file, Instant now, const BackupProgress& progress);

// Unpacks into a temporary folder below `scratch_folder`, opens it as a record, verifies every row and compares with the
// manifest: what it answers can be restored.
// Errors   not_found  no such file;  corrupt  the text says what is wrong;  storage_full, cancelled
Result<BackupManifest> verify_backup(const std::string& file, const std::string& scratch_folder, const BackupProgress& progress);

struct Restored {
  BackupManifest manifest;
  std::string moved_aside;  // where the record that was there is now, "" when there was none
};
// Puts the record of the backup at `record_path`, verified before anything there is touched.
// Errors   as verify_backup; conflict     a record is there and `force` is false
//                            unavailable  a millrace uses it: stop it first
Result<Restored> restore_backup(const std::string& file, const std::string& record_path, bool force, Instant now,
                                const BackupProgress& progress);

}  // namespace millrace::store
