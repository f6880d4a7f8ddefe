#include "store/internal/migrations.h"

#include <charconv>
#include <cstring>

#include "base/check.h"
#include "store/internal/sql_text.h"
#include "store/internal/sqlite_rows.h"

namespace millrace::store {
namespace {

std::uint32_t migration_number(const EmbeddedText& migration) {
  std::uint32_t number = 0;
  std::from_chars(migration.name.data(), migration.name.data() + migration.name.size(), number);
  check(number > 0, "a migration's name starts with its number");
  return number;
}

// The state that format 3 begins with: what format 2 said, and the sums of the rows as they were taken over.
void begin_state(SqliteConnection& connection) {
  RecordState state;
  {
    SQLite::Statement before(connection.database(), "SELECT identity, revision FROM record_state_before");
    if (!before.executeStep() || before.getColumn(0).getBytes() != static_cast<int>(state.identity.bytes.size()))
      throw DamagedRow{"the record does not say who it is"};
    std::memcpy(state.identity.bytes.data(), before.getColumn(0).getBlob(), state.identity.bytes.size());
    state.revision = state.touched_floor = static_cast<std::uint64_t>(before.getColumn(1).getInt64());
  }
  state.sums = sum_rows_of_format_three(connection);
  state.sequence = feed::Sequence{state.sums.changes.count};
  write_state(connection, state);
  connection.database().exec("DROP TABLE record_state_before");
}

}  // namespace

std::uint32_t schema_version_newest() { return migration_number(store_migrations().back()); }

std::uint32_t schema_version(SqliteConnection& connection) {
  SQLite::Statement row(connection.database(), "PRAGMA user_version");
  row.executeStep();
  return static_cast<std::uint32_t>(row.getColumn(0).getInt());
}

Result<Migrated> migrate(SqliteConnection& connection) {
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
    if (number == 3) begin_state(connection);
    database.exec("PRAGMA application_id=" + std::to_string(application_id));
    database.exec("PRAGMA user_version=" + std::to_string(number));
    transaction.commit();
  }
  return Migrated{have, schema_version(connection)};
}

}  // namespace millrace::store
