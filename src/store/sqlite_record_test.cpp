#include <doctest/doctest.h>
#include <SQLiteCpp/SQLiteCpp.h>

#include "store/conformance_test.h"
#include "store/internal/migrations.h"
#include "store/internal/sql_text.h"
#include "testing/temporary_folder.h"

namespace millrace::store {
namespace {

const SystemClock clock_of_test;

class SqliteUnderTest final : public RecordUnderTest {
 public:
  std::unique_ptr<Record> open(const Clock& clock) override {
    auto record = open_sqlite_record({.path = folder_ / "millrace.db", .clock = &clock});
    REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
    return std::move(*record);
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_CASE("The SQLite record does what every record must") {
  record_conforms([] { return std::make_unique<SqliteUnderTest>(); });
}

TEST_CASE("Every SQL statement can be prepared on the current schema") {
  testing::TemporaryFolder folder;
  SqliteConnection connection(folder / "a.db", SqliteConnection::Mode::write);
  REQUIRE(migrate(connection));
  for (const EmbeddedText& row : store_sql()) CHECK_NOTHROW(connection.statement(row.name));
}

TEST_CASE("Commits are flushed to the disk: synchronous is FULL and the log is checkpointed by the writer only") {
  testing::TemporaryFolder folder;
  SqliteConnection connection(folder / "a.db", SqliteConnection::Mode::write);
  CHECK(connection.database().execAndGet("PRAGMA synchronous").getInt() == 2);
  CHECK(connection.database().execAndGet("PRAGMA journal_mode").getString() == "wal");
  CHECK(connection.database().execAndGet("PRAGMA wal_autocheckpoint").getInt() == 0);
}

TEST_CASE("The data format that version names is the one a new record has") {
  testing::TemporaryFolder folder;
  const auto record = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
  REQUIRE(record);
  CHECK((*record)->statistics().schema_version == record_format());
}

TEST_CASE("A second Millrace on the same data is refused with a clear sentence") {
  testing::TemporaryFolder folder;
  auto first = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
  REQUIRE(first);
  const auto second = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
  REQUIRE(!second);
  CHECK(second.error().text().find("another millrace already uses") == 0);
  CHECK(open_sqlite_reader(folder / "a.db"));
}

TEST_CASE("A database of somebody else is not touched") {
  testing::TemporaryFolder folder;
  { SQLite::Database(folder / "a.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("CREATE TABLE theirs (x)"); }
  const auto opened = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
  REQUIRE(!opened);
  CHECK(opened.error().code() == ErrorCode::corrupt);
}

TEST_CASE("A record of a newer version is refused and named") {
  testing::TemporaryFolder folder;
  { REQUIRE(open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test})); }
  { SQLite::Database(folder / "a.db", SQLite::OPEN_READWRITE).exec("PRAGMA user_version=999"); }
  const auto opened = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
  REQUIRE(!opened);
  CHECK(opened.error().code() == ErrorCode::conflict);
  CHECK(opened.error().text().find("999") != std::string::npos);
}

TEST_CASE("A damaged change is noticed when it is read, never answered") {
  testing::TemporaryFolder folder;
  {
    auto record = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
    Batch batch;
    batch.source = "orders";
    batch.changes.push_back(feed::order_removed(OrderNumber{"7"}, "gone"));
    REQUIRE((*record)->commit(std::move(batch)));
  }
  { SQLite::Database(folder / "a.db", SQLite::OPEN_READWRITE).exec("UPDATE change SET payload = x'0105'"); }
  auto record = open_sqlite_record({.path = folder / "a.db", .clock = &clock_of_test});
  REQUIRE(record);
  const auto changes = (*record)->changes_after({0}, 10);
  REQUIRE(!changes);
  CHECK(changes.error().code() == ErrorCode::corrupt);
  CHECK(changes.error().text().find("change 1") != std::string::npos);
}

TEST_CASE("A reader without a record says where it looked") {
  const auto reader = open_sqlite_reader("/nowhere/millrace.db");
  REQUIRE(!reader);
  CHECK(reader.error().text().find("/nowhere/millrace.db") != std::string::npos);
}

}  // namespace
}  // namespace millrace::store
