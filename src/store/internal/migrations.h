// Brings the schema of a database up to date: numbered steps, forward only, one transaction each.
#pragma once
#include "store/internal/sqlite_connection.h"

namespace millrace::store {

struct Migrated {
  std::uint32_t from = 0;  // 0: the database was empty
  std::uint32_t to = 0;
};
// Errors   corrupt   not a database of Millrace, or damaged
//          conflict  written by a newer version; the text names both
// Throws SQLite::Exception and DamagedRow.
Result<Migrated> migrate(SqliteConnection& connection);

std::uint32_t schema_version_newest();
std::uint32_t schema_version(SqliteConnection& connection);

}  // namespace millrace::store
