#include "store/internal/sqlite_connection.h"

#include <sqlite3.h>

#include <charconv>
#include <cstring>

#include "base/check.h"
#include "store/internal/sql_text.h"

namespace millrace::store {
namespace {

std::string_view sql(std::string_view name) {
  for (const EmbeddedText& row : store_sql())
    if (row.name == name) return row.text;
  check(false, "every statement has a file in store/sql");
  return {};
}

std::uint32_t migration_number(const EmbeddedText& migration) {
  std::uint32_t number = 0;
  std::from_chars(migration.name.data(), migration.name.data() + migration.name.size(), number);
  check(number > 0, "a migration's name starts with its number");
  return number;
}

}  // namespace

SqliteConnection::SqliteConnection(const std::string& path, Mode mode)
    : database_(path, mode == Mode::write ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY, 5000) {
  if (mode == Mode::write) {
    database_.exec("PRAGMA journal_mode=WAL");
    database_.exec("PRAGMA synchronous=FULL");
    database_.exec("PRAGMA secure_delete=OFF");
  }
  database_.exec("PRAGMA wal_autocheckpoint=0");
  database_.exec("PRAGMA cache_size=-2048");
  database_.exec("PRAGMA temp_store=MEMORY");
}

SQLite::Statement& SqliteConnection::statement(std::string_view name) {
  auto found = statements_.find(name);
  if (found == statements_.end())
    found = statements_.emplace(std::piecewise_construct, std::forward_as_tuple(name),
                                std::forward_as_tuple(database_, std::string(sql(name)))).first;
  found->second.reset();
  return found->second;
}

feed::Sequence SqliteConnection::last_sequence() {
  SQLite::Statement& row = statement("change_last_sequence");
  row.executeStep();
  const feed::Sequence last{static_cast<std::uint64_t>(row.getColumn(0).getInt64())};
  row.reset();  // an unfinished statement would hold the log and stop checkpoints
  return last;
}

RecordPosition SqliteConnection::position() {
  RecordPosition now;
  SQLite::Statement& row = statement("state_now");
  if (!row.executeStep()) throw DamagedRow{"the record does not say who it is"};
  const SQLite::Column identity = row.getColumn(0);
  if (identity.getBytes() != static_cast<int>(now.identity.bytes.size())) throw DamagedRow{"the record's identity has the wrong length"};
  std::memcpy(now.identity.bytes.data(), identity.getBlob(), now.identity.bytes.size());
  now.revision = static_cast<std::uint64_t>(row.getColumn(1).getInt64());
  now.sequence.value = static_cast<std::uint64_t>(row.getColumn(2).getInt64());
  row.reset();
  return now;
}

std::vector<feed::Change> SqliteConnection::changes(SQLite::Statement& rows) {
  std::vector<feed::Change> found;
  while (rows.executeStep()) {
    const auto sequence = static_cast<std::uint64_t>(rows.getColumn(0).getInt64());
    const SQLite::Column payload = rows.getColumn(3);
    const std::string_view bytes(static_cast<const char*>(payload.getBlob()), static_cast<std::size_t>(payload.getBytes()));
    auto change = feed::decode_payload(static_cast<feed::ChangeKind>(rows.getColumn(2).getInt()), bytes);
    if (!change) throw DamagedRow{"change " + std::to_string(sequence) + " cannot be read: " + change.error().text()};
    change->sequence = feed::Sequence{sequence};
    change->at = Instant{std::chrono::milliseconds{rows.getColumn(1).getInt64()}};
    found.push_back(std::move(*change));
  }
  rows.reset();
  return found;
}

Error error_of(const SQLite::Exception& exception, std::string_view doing) {
  const int code = exception.getErrorCode();
  const std::string text = std::string(doing) + ": " + exception.what();
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    return Error(ErrorCode::corrupt, text + "; restore the last backup or move the file away to read all sources again");
  if (code == SQLITE_FULL) return Error(ErrorCode::unavailable, text + "; free space on the disk that holds the data folder");
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    return Error(ErrorCode::unavailable, text + "; another program holds the database, close it or try again");
  return Error(ErrorCode::unavailable, text);
}

std::uint32_t schema_version_newest() { return migration_number(store_migrations().back()); }

std::uint32_t schema_version(SqliteConnection& connection) {
  SQLite::Statement row(connection.database(), "PRAGMA user_version");
  row.executeStep();
  return static_cast<std::uint32_t>(row.getColumn(0).getInt());
}

Result<std::uint32_t> migrate(SqliteConnection& connection) {
  // "Mlrc": tells our file from any other SQLite database.
  constexpr int application_id = 0x4D6C7263;
  SQLite::Database& database = connection.database();
  const int id = database.execAndGet("PRAGMA application_id").getInt();
  const int tables = database.execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt();
  if (id != application_id && tables != 0)
    return fail(ErrorCode::corrupt, "this is a SQLite database, but not one of Millrace; choose another data folder");
  const std::uint32_t have = schema_version(connection);
  if (have > schema_version_newest())
    return fail(ErrorCode::conflict, "the record has format " + std::to_string(have) + ", this version knows " +
                                         std::to_string(schema_version_newest()) + "; start the newer Millrace that wrote it");
  for (const EmbeddedText& migration : store_migrations()) {
    const std::uint32_t number = migration_number(migration);
    if (number <= have) continue;
    SQLite::Transaction transaction(database);
    database.exec(std::string(migration.text));
    database.exec("PRAGMA application_id=" + std::to_string(application_id));
    database.exec("PRAGMA user_version=" + std::to_string(number));
    transaction.commit();
  }
  return schema_version(connection);
}

}  // namespace millrace::store
