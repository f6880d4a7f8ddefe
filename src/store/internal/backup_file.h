// The format of a backup file: blocks and a manifest (store/backup.h).
#pragma once
#include <string>

#include "base/fd.h"
#include "store/backup.h"
#include "store/internal/checksum.h"

namespace millrace::store {

struct PackedManifest {
  Instant made_at;
  RecordState state;
  std::uint32_t schema_version = 0;
  std::uint64_t database_bytes = 0;
  std::uint64_t blocks = 0;
  std::uint64_t blocks_sum = 0;  // of their checksums
};

// Packs the closed database into `file`, flushed. Fills `database_bytes`, `blocks` and `blocks_sum` of the manifest.
Result<void> pack_database(const std::string& database, const std::string& file, PackedManifest manifest, const BackupProgress& progress);
// The way back, every byte verified; `database` is written anew and flushed.
Result<PackedManifest> unpack_database(const std::string& file, const std::string& database, const BackupProgress& progress);

}  // namespace millrace::store
