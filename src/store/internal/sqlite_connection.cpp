#include "store/internal/sqlite_connection.h"

#include <sqlite3.h>

#include "base/check.h"
#include "store/internal/checksum.h"
#include "store/internal/sql_text.h"

namespace millrace::store {
namespace {

std::string_view sql(std::string_view name) {
  for (const EmbeddedText& row : store_sql())
    if (row.name == name) return row.text;
  check(false, "every statement has a file in store/sql");
  return {};
}

// row_checksum(table, column...): RowChecksum for migrations.
void row_checksum(sqlite3_context* context, int count, sqlite3_value** values) {
  RowChecksum checksum(static_cast<RowOf>(count > 0 ? sqlite3_value_int64(values[0]) : 0));
  for (int i = 1; i < count; ++i) {
    if (sqlite3_value_type(values[i]) == SQLITE_INTEGER) {
      checksum.add(std::int64_t{sqlite3_value_int64(values[i])});
      continue;
    }
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[i]));
    checksum.add(std::string_view(bytes, bytes == nullptr ? 0 : static_cast<std::size_t>(sqlite3_value_bytes(values[i]))));
  }
  sqlite3_result_int64(context, checksum.value());
}

int statement_begins(unsigned, void* counter, void*, void*) {
  static_cast<std::atomic<std::uint64_t>*>(counter)->fetch_add(1, std::memory_order_relaxed);
  return 0;
}

}  // namespace

SqliteConnection::SqliteConnection(const std::string& path, Mode mode)
    : database_(path, (mode == Mode::write ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY) | SQLite::OPEN_NOMUTEX, 5000) {
  sqlite3_db_config(database_.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(database_.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  database_.exec("PRAGMA trusted_schema=OFF");
  database_.exec("PRAGMA cell_size_check=ON");
  if (mode == Mode::write) {
    database_.exec("PRAGMA page_size=8192");  // of a new database
    database_.exec("PRAGMA journal_mode=WAL");
    database_.exec("PRAGMA synchronous=FULL");
    database_.exec("PRAGMA secure_delete=OFF");
    database_.exec("PRAGMA journal_size_limit=4194304");  // what a large log keeps of its file for the next one
    database_.exec("PRAGMA cache_size=-16384");
    sqlite3_create_function_v2(database_.getHandle(), "row_checksum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                               row_checksum, nullptr, nullptr, nullptr);
  } else {
    database_.exec("PRAGMA cache_size=-2048");
  }
  database_.exec("PRAGMA wal_autocheckpoint=0");
  database_.exec("PRAGMA temp_store=MEMORY");
}

SQLite::Statement& SqliteConnection::statement(std::string_view name) {
  auto found = statements_.find(name);
  if (found == statements_.end())
    found = statements_.emplace(std::piecewise_construct, std::forward_as_tuple(name),
                                std::forward_as_tuple(database_, std::string(sql(name)))).first;
  found->second.tryReset();
  return found->second;
}

void SqliteConnection::count_statements_in(std::atomic<std::uint64_t>& counter) {
  sqlite3_trace_v2(database_.getHandle(), SQLITE_TRACE_STMT, statement_begins, &counter);
}

std::string advice_for_damage(const std::string& database_path) {
  return "; restore the last backup (`millrace restore FILE --data DIR --force`), or move " + database_path +
         " and the files beside it away to read all sources again";
}

Error error_of(const SQLite::Exception& exception, std::string_view doing, bool writing) {
  const int code = exception.getErrorCode() & 0xFF;
  const std::string text = std::string(doing) + ": " + exception.what();
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(ErrorCode::corrupt, text);
    case SQLITE_FULL:
      return Error(ErrorCode::storage_full, text + "; free space on the disk that holds the data folder");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(ErrorCode::unavailable, text + "; another program holds the database, close it or try again");
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return Error(writing ? ErrorCode::read_only : ErrorCode::unavailable, text + "; check the disk that holds the data folder");
    default:
      return Error(ErrorCode::internal, text);
  }
}

}  // namespace millrace::store
