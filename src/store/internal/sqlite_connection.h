// One SQLite connection with its prepared statements by name.
//
// Invariants
//   * A writer sets synchronous=FULL and checkpoints itself; readers are read-only and never checkpoint, because
//     SQLite before 3.51.3 can corrupt the log when two connections write or checkpoint.
//   * Not thread-safe: one thread at a time.
#pragma once
#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "feed/change.h"
#include "store/record.h"

namespace millrace::store {

class SqliteConnection {
 public:
  enum class Mode { write, read };
  // Throws SQLite::Exception; callers turn it into an Error with `error_of`.
  SqliteConnection(const std::string& path, Mode mode);

  // The prepared statement of sql/<name>.sql, reset and ready to bind.
  SQLite::Statement& statement(std::string_view name);
  SQLite::Database& database() { return database_; }

  feed::Sequence last_sequence();
  RecordPosition position();
  std::vector<feed::Change> changes(SQLite::Statement& rows);

 private:
  SQLite::Database database_;
  std::map<std::string, SQLite::Statement, std::less<>> statements_;
};

// Thrown by row decoding when stored bytes cannot be read; `error_of` makes it `corrupt`.
struct DamagedRow {
  std::string text;
};

Error error_of(const SQLite::Exception& exception, std::string_view doing);

// Brings the schema up to date, one transaction per migration.
Result<std::uint32_t> migrate(SqliteConnection& connection);
std::uint32_t schema_version_newest();
std::uint32_t schema_version(SqliteConnection& connection);

}  // namespace millrace::store
