#include <doctest/doctest.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>

#include "base/bytes.h"
#include "domain/order_codec.h"
#include "store/faulty_disk_test.h"
#include "store/internal/commit_mark.h"
#include "store/internal/sql_text.h"
#include "store/record_test_world.h"
#include "testing/temporary_folder.h"

namespace millrace::store {
namespace {

namespace fs = std::filesystem;

const FixedClock fixed_clock;

Result<std::unique_ptr<Record>> open_in(const testing::TemporaryFolder& folder, SqliteOptions options = {}) {
  options.path = folder / "a.db";
  options.clock = &fixed_clock;
  return open_sqlite_record(std::move(options));
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void copy_record(const testing::TemporaryFolder& from, const testing::TemporaryFolder& to) {
  for (const char* name : {"a.db", "a.db-wal", "a.db.mark"})
    if (fs::exists(from / name)) fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
}

// A database as the first released format had it, with one order in two versions, its document and a rejection.
void build_format_one(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec("PRAGMA journal_mode=WAL");
  database.exec(std::string(store_migrations().front().text));
  database.exec("PRAGMA application_id=" + std::to_string(0x4D6C7263));
  database.exec("PRAGMA user_version=1");
  const auto change = [&](std::int64_t sequence, const std::string& subject, const feed::Change& content) {
    SQLite::Statement row(database, "INSERT INTO change VALUES (?, 1000, ?, ?, ?)");
    const std::string payload = feed::encode_payload(content);
    row.bind(1, sequence);
    row.bind(2, static_cast<int>(content.kind));
    row.bind(3, subject);
    row.bind(4, payload.data(), static_cast<int>(payload.size()));
    row.exec();
  };
  change(1, "7", put(small_order("7")));
  change(2, "7", put(small_order("7", "Shipped")));
  change(3, "41", feed::rejection_put(small_rejection(41)));
  const std::string payload = feed::encode_payload(feed::rejection_put(small_rejection(41)));
  SQLite::Statement rejection(database, "INSERT INTO rejection VALUES (41, 3, ?)");
  rejection.bind(1, payload.data(), static_cast<int>(payload.size()));
  rejection.exec();
  const FileRecord file = small_file("SO7.json");
  SQLite::Statement file_row(database, "INSERT INTO source_file VALUES ('orders', ?, ?, ?, ?, ?, 1, 'json', 0)");
  file_row.bind(1, file.path.data(), static_cast<int>(file.path.size()));
  file_row.bind(2, static_cast<std::int64_t>(file.size));
  file_row.bind(3, file.mtime_ns);
  file_row.bind(4, static_cast<std::int64_t>(file.inode));
  file_row.bind(5, file.hash.bytes.data(), static_cast<int>(file.hash.bytes.size()));
  file_row.exec();
  const std::string order = encode(*small_order("7"));
  SQLite::Statement candidate(database, "INSERT INTO candidate VALUES ('orders', ?, 0, ?, x'00')");
  candidate.bind(1, file.path.data(), static_cast<int>(file.path.size()));
  candidate.bind(2, order.data(), static_cast<int>(order.size()));
  candidate.exec();
}

constexpr std::string_view answers_of_format_one = "3 changes, history 2, 1 file, SO7.json says 7 Open, 1 rejection";

std::string told(Record& record) {
  const auto candidate = record.candidate("orders", "SO7.json", 0);
  REQUIRE_MESSAGE(candidate.has_value(), (candidate ? "" : candidate.error().text()));
  return std::to_string(record.changes_after({0}, 10)->size()) + " changes, history " +
         std::to_string(record.changes_of_order(OrderNumber{"7"}, 10)->size()) + ", " + std::to_string(record.files("orders")->size()) +
         " file, " + candidate->path + " says " + candidate->order->number.text + " " + candidate->order->status + ", " +
         std::to_string(record.rejections()->size()) + " rejection";
}

// Runs `work` in a child process; true when it was killed.
template <class Work>
bool killed_in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

TEST_CASE("A record of the first format is brought up to date and says the same") {
  testing::TemporaryFolder folder;
  build_format_one(folder / "a.db");
  for (int opening = 0; opening < 2; ++opening) {
    auto record = open_in(folder);
    REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
    CHECK(told(**record) == answers_of_format_one);
    CHECK((*record)->statistics().schema_version == record_format());
    CHECK((*record)->verify(true));
  }
}

// The state as format 3 wrote it: without the sums of the kept rows.
std::string state_of_format_three(const RecordState& state) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(1);
  for (const std::uint8_t byte : state.identity.bytes) out.u8(byte);
  for (const std::uint64_t number : {state.revision, state.sequence.value, state.touched, state.touched_floor}) out.varint(number);
  const RecordSums& sums = state.sums;
  for (const TableSum* table : {&sums.changes, &sums.histories, &sums.files, &sums.candidates, &sums.rejections})
    out.varint(table->count), out.varint(table->sum);
  return bytes;
}

std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(number >> (8 * i)));
  return text;
}

// A closed record as the third released format had it, with three documents and its mark.
void build_format_three(const testing::TemporaryFolder& folder) {
  {
    auto record = open_in(folder);
    for (int i = 1; i <= 3; ++i) REQUIRE((*record)->commit(document_batch(i)));
  }
  const RecordState state = **CommitMark::read(folder / "a.db.mark");
  const std::string content = state_of_format_three(state);
  SQLite::Database database(folder / "a.db", SQLite::OPEN_READWRITE);
  database.exec("DROP TABLE kept_row");
  database.exec("PRAGMA user_version=3");
  SQLite::Statement row(database, "UPDATE record_state SET content = ?, checksum = ?");
  row.bind(1, content.data(), static_cast<int>(content.size()));
  row.bind(2, RowChecksum(RowOf::state).add(content).value());
  row.exec();
  std::string slot = "MLRMARK1" + little_endian(content.size(), 4) + content;
  slot += little_endian(static_cast<std::uint64_t>(RowChecksum(RowOf::mark).add(content).value()), 8);
  slot.resize(4096);
  folder.write("a.db.mark", slot + slot);
}

TEST_CASE("A record of format 3 is brought up to date, says the same, keeps its mark and takes kept rows") {
  testing::TemporaryFolder folder;
  build_format_three(folder);
  const std::string mark_before = content_of(folder / "a.db.mark");
  {
    auto record = open_in(folder);
    REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
    CHECK((*record)->condition().text == "");
    CHECK((*record)->statistics().schema_version == record_format());
    CHECK((*record)->files("orders")->size() == 3);
    CHECK((*record)->verify(true));
    CHECK(content_of(folder / "a.db.mark") == mark_before);
    REQUIRE((*record)->commit(kept_batch({{"erp/sap", "state", "following"}})));
    CHECK((*record)->verify(true));
  }
  auto record = open_in(folder);
  CHECK((*record)->condition().text == "");
  CHECK((*record)->kept_one("erp/sap", "state") == "following");
  CHECK((*record)->last_sequence()->value == 3);
}

TEST_CASE("Killed at any write while a record of format 3 is brought up to date, it comes up whole the next time") {
  FaultyDisk disk;
  bool killed = true;
  for (int nth = 1; killed; ++nth) {
    testing::TemporaryFolder folder;
    build_format_three(folder);
    killed = killed_in_child([&] {
      disk.arm(FaultyDisk::Fault::kill, nth);
      const auto record = open_in(folder);
    });
    auto record = open_in(folder);
    REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
    CHECK((*record)->condition().text == "");
    CHECK((*record)->files("orders")->size() == 3);
    CHECK((*record)->verify(true));
    if (killed) CHECK(nth < 100);
  }
}

TEST_CASE("Killed at any write while it is brought up to date, the record comes up whole the next time") {
  FaultyDisk disk;
  bool killed = true;
  for (int nth = 1; killed; ++nth) {
    testing::TemporaryFolder folder;
    build_format_one(folder / "a.db");
    killed = killed_in_child([&] {
      disk.arm(FaultyDisk::Fault::kill, nth);
      const auto record = open_in(folder);
    });
    auto record = open_in(folder);
    REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
    CHECK(told(**record) == answers_of_format_one);
    CHECK((*record)->verify(true));
    if (killed) CHECK(nth < 400);
  }
}

TEST_CASE("Killed at any write or flush, the record has every acknowledged order and no half one") {
  FaultyDisk disk;
  bool killed = true;
  for (int nth = 1; killed; nth += 3) {
    testing::TemporaryFolder folder;
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    killed = killed_in_child([&] {
      auto record = open_in(folder);
      disk.arm(FaultyDisk::Fault::kill, nth);
      for (int i = 1; i <= 4; ++i)
        if ((*record)->commit(document_batch(i))) (void)!::write(pipe[1], "x", 1);  // acknowledged
    });
    ::close(pipe[1]);
    char byte = 0;
    std::uint64_t acknowledged = 0;
    while (::read(pipe[0], &byte, 1) == 1) ++acknowledged;
    ::close(pipe[0]);
    auto record = open_in(folder);
    REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
    CHECK((*record)->condition().text == "");
    CHECK((*record)->last_sequence()->value >= acknowledged);
    CHECK((*record)->files("orders")->size() == (*record)->last_sequence()->value);
    CHECK((*record)->verify(true));
  }
}

// Commits orders until one of the operations met the fault, each until it is acknowledged, as a source does. Answers how
// many were acknowledged; `refused` counts on.
int commit_until_met(FaultyDisk& disk, Record& record, int next, int& refused) {
  int acknowledged = 0;
  for (; disk.hits() == 0 && acknowledged < 60; ++acknowledged) {
    const std::uint64_t before = record.last_sequence()->value;
    for (int tries = 0; !record.commit(document_batch(next + acknowledged)); ++tries) {
      ++refused;
      REQUIRE(tries < 10);
      CHECK(record.last_sequence()->value == before);  // reading goes on, and nothing of the batch is there
      if (tries == 2) disk.disarm();
    }
  }
  disk.disarm();
  return acknowledged;
}

TEST_CASE("A disk that fails at the Nth write or flush never costs an acknowledged order, and heals") {
  FaultyDisk disk;
  using Fault = FaultyDisk::Fault;
  for (const Fault fault : {Fault::write_error, Fault::disk_full, Fault::flush_error}) {
    CAPTURE(static_cast<int>(fault));
    testing::TemporaryFolder folder;
    SqliteOptions options;
    options.checkpoint_bytes = 100 << 10;  // so that checkpoints meet the fault too
    auto record = open_in(folder, options);
    int acknowledged = 0, refused = 0;
    for (int nth = 1; nth <= 50; ++nth) {
      CAPTURE(nth);
      disk.arm(fault, nth, nth % 5);
      acknowledged += commit_until_met(disk, **record, acknowledged, refused);
      REQUIRE((*record)->commit(document_batch(acknowledged++)));
      CHECK((*record)->condition().state == RecordCondition::State::good);
      if (nth % 10 != 0) continue;
      const std::string answers = *all_answers(**record);
      record->reset();
      record = open_in(folder, options);
      REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
      CHECK(*all_answers(**record) == answers);
      CHECK((*record)->last_sequence()->value == static_cast<std::uint64_t>(acknowledged));
      CHECK((*record)->verify(true));
    }
    CHECK(refused > 25);
  }
}

TEST_CASE("A full disk refuses with its own code and says what to do") {
  FaultyDisk disk;
  testing::TemporaryFolder folder;
  auto record = open_in(folder);
  disk.arm(FaultyDisk::Fault::disk_full, 1, 1000);
  const auto refused = (*record)->commit(document_batch(1));
  disk.disarm();
  REQUIRE(!refused);
  CHECK(refused.error().code() == ErrorCode::storage_full);
  CHECK(refused.error().text().find("free space") != std::string::npos);
  CHECK((*record)->condition().state == RecordCondition::State::storage_full);
  REQUIRE((*record)->commit(document_batch(1)));
  CHECK((*record)->condition().state == RecordCondition::State::good);
}

TEST_CASE("A mark keeps its newest whole slot, and one that cannot be written is an error") {
  testing::TemporaryFolder folder;
  const std::string path = folder / "a.mark";
  auto mark = CommitMark::create(path, {});
  REQUIRE(mark);
  RecordState state;
  for (state.revision = 1; state.revision <= 3; ++state.revision) REQUIRE(mark->write(state));
  CHECK((*CommitMark::read(path))->revision == 3);
  std::string torn = content_of(path);
  torn[4096 + 20] ^= 1;  // the newest, by its odd revision in the second slot
  folder.write("a.mark", torn);
  CHECK((*CommitMark::read(path))->revision == 2);
  folder.write("a.mark", torn.substr(0, 10));
  CHECK(CommitMark::read(path).error().code() == ErrorCode::corrupt);
  CHECK(CommitMark::create(folder / "nowhere/a.mark", {}).error().code() == ErrorCode::read_only);
}

TEST_CASE("A log that was emptied is noticed: the record opens damaged, says what is missing and takes nothing") {
  testing::TemporaryFolder live, copy;
  {
    auto record = open_in(live);
    for (int i = 1; i <= 5; ++i) REQUIRE((*record)->commit(document_batch(i)));
    copy_record(live, copy);  // as a crash leaves it: the log holds the orders
  }
  fs::resize_file(copy / "a.db-wal", 0);
  auto record = open_in(copy);
  REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
  CHECK((*record)->condition().state == RecordCondition::State::damaged);
  CHECK((*record)->condition().text.find("newest commits are missing: it has 0 changes, 5 changes were acknowledged") != std::string::npos);
  CHECK((*record)->condition().text.find("millrace restore") != std::string::npos);
  CHECK((*record)->commit(document_batch(6)).error().code() == ErrorCode::read_only);
  CHECK(open_sqlite_reader(copy / "a.db").error().code() == ErrorCode::corrupt);
  CHECK(verify_sqlite_record(copy / "a.db", [](auto, auto) { return true; }).error().code() == ErrorCode::corrupt);
}

TEST_CASE("A database that is gone or empty while its mark is there is not begun anew in silence") {
  testing::TemporaryFolder folder;
  { REQUIRE((*open_in(folder))->commit(document_batch(1))); }
  fs::resize_file(folder / "a.db", 0);
  auto opened = open_in(folder);
  REQUIRE(!opened);
  CHECK(opened.error().code() == ErrorCode::corrupt);
  CHECK(opened.error().text().find("is empty") != std::string::npos);
  fs::remove(folder / "a.db");
  CHECK(open_in(folder).error().text().find("is gone") != std::string::npos);
}

TEST_CASE("A mark that was lost is made again once every row was verified") {
  testing::TemporaryFolder folder;
  { REQUIRE((*open_in(folder))->commit(document_batch(1))); }
  fs::remove(folder / "a.db.mark");
  {
    auto record = open_in(folder);
    CHECK((*record)->condition().state == RecordCondition::State::good);
  }
  CHECK(fs::file_size(folder / "a.db.mark") == 8192);
  { SQLite::Database(folder / "a.db", SQLite::OPEN_READWRITE).exec("DELETE FROM source_file"); }
  fs::remove(folder / "a.db.mark");
  CHECK((*open_in(folder))->condition().text.find("found 0 of 1 files") != std::string::npos);
}

TEST_CASE("Rows that disappear or change behind its back are found by the check in the background") {
  testing::TemporaryFolder folder;
  { REQUIRE((*open_in(folder))->commit(document_batch(1))); }
  { SQLite::Database(folder / "a.db", SQLite::OPEN_READWRITE).exec("UPDATE candidate SET flags = x'0101'"); }
  std::promise<std::string> heard;
  SqliteOptions options;
  options.verify_delay = std::chrono::milliseconds(0);
  options.on_condition = [&](const RecordCondition& now) { heard.set_value(now.text); };
  auto record = open_in(folder, options);
  CHECK(heard.get_future().get().find("SO1.json said is not what was written") != std::string::npos);
  CHECK((*record)->commit(document_batch(2)).error().code() == ErrorCode::read_only);
}

TEST_CASE("A kept row that is lost, changed or put under another key is noticed and never answered") {
  struct Fault {
    std::string sql, said;
  };
  const std::vector<Fault> faults = {
      {"DELETE FROM kept_row WHERE content = x'62'", "found 2 of 3 kept rows"},
      {"UPDATE kept_row SET content = x'63' WHERE content = x'62'", "erp/sap/orders 2 is not what was written"},
      {"UPDATE kept_row SET key = x'34' WHERE content = x'62'", "erp/sap/orders 4 is not what was written"},
      {"UPDATE kept_row SET space = 'erp/sap/items' WHERE content = x'62'", "erp/sap/items 2 is not what was written"},
      {"UPDATE kept_row SET checksum = 0 WHERE content = x'62'", "erp/sap/orders 2 is not what was written"},
  };
  for (const Fault& fault : faults) {
    CAPTURE(fault.sql);
    testing::TemporaryFolder folder;
    {
      auto record = open_in(folder);
      REQUIRE((*record)->commit(kept_batch({{"erp/sap/orders", "1", "a"}, {"erp/sap/orders", "2", "b"}, {"erp/sap/orders", "3", "c"}})));
    }
    { SQLite::Database(folder / "a.db", SQLite::OPEN_READWRITE).exec(fault.sql); }
    {
      auto record = open_in(folder);
      const auto verified = (*record)->verify(false);
      REQUIRE(!verified);
      CHECK(verified.error().text().find(fault.said) != std::string::npos);
      CHECK((*record)->condition().state == RecordCondition::State::damaged);
    }
    auto record = open_in(folder);
    CHECK(kept_rows(**record, "erp/sap/orders").error().text().find(fault.said) != std::string::npos);
    CHECK((*record)->condition().state == RecordCondition::State::damaged);
  }
}

// ---- mutations

struct Mutation {
  std::string what;
  std::string content;
};

// One seeded fault on one file: a flipped bit, zeros, a cut, two blocks swapped, a block from elsewhere.
Mutation mutated(std::string content, std::mt19937& random) {
  const auto place = [&](std::size_t below) { return below == 0 ? 0 : random() % below; };
  const std::size_t block = 4096, blocks = content.size() / block;
  switch (content.empty() ? 2 : random() % 5) {
    case 0: {
      const std::size_t at = place(content.size());
      content[at] = static_cast<char>(content[at] ^ (1 << (random() % 8)));
      return {"bit flipped at " + std::to_string(at), std::move(content)};
    }
    case 1: {
      const std::size_t at = place(content.size()), length = std::min<std::size_t>(1 + place(2 * block), content.size() - at);
      std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), length, '\0');
      return {std::to_string(length) + " zeros at " + std::to_string(at), std::move(content)};
    }
    case 2: {
      const std::size_t length = place(content.size());
      return {"cut to " + std::to_string(length), content.substr(0, length)};
    }
    default: {
      const std::size_t from = block * place(blocks), to = block * place(blocks);
      if (blocks > 0) {
        const std::string moved = content.substr(from, block), other = content.substr(to, block);
        content.replace(to, block, moved);
        if (random() % 2 == 0) content.replace(from, block, other);
      }
      return {"block at " + std::to_string(from) + " over that at " + std::to_string(to), std::move(content)};
    }
  }
}

void build_record_to_mutate(const testing::TemporaryFolder& live, const testing::TemporaryFolder& copy) {
  SqliteOptions options;
  options.checkpoint_bytes = 200 << 10;  // half in the database, half in the log
  auto record = open_in(live, options);
  REQUIRE(record);
  for (int i = 1; i <= 40; ++i) {
    Batch batch = document_batch(i % 30 + 1, i % 3 == 0 ? "Shipped" : "Open", 100 * i);
    if (i % 7 == 0) batch.changes.push_back(feed::rejection_put(small_rejection(static_cast<std::uint64_t>(i))));
    if (i % 11 == 0) batch.changes.push_back(feed::order_removed(OrderNumber{"12"}, "gone"));
    batch.kept_put = {{"erp/sap/orders", std::to_string(i % 20), std::string(static_cast<std::size_t>(40 + i), 'k')},
                      {"erp/sap", "state", std::to_string(i)}};
    if (i % 9 == 0) batch.kept_removed = {{"erp/sap/orders", std::to_string(i % 5)}};
    REQUIRE((*record)->commit(std::move(batch)));
  }
  copy_record(live, copy);
}

// The count of mutations is larger in a torture run.
int environment_number(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

TEST_CASE("Mutated database, log and mark: every mutation is noticed or changes no answer") {
  testing::TemporaryFolder live, whole;
  build_record_to_mutate(live, whole);
  std::string truth;
  {
    testing::TemporaryFolder folder;
    copy_record(whole, folder);
    truth = *all_answers(**open_in(folder));
  }
  const int seed = environment_number("MILLRACE_MUTATION_SEED", 1);
  int noticed = 0, harmless = 0;
  const int count = environment_number("MILLRACE_MUTATIONS", 60);
  for (int i = 0; i < count; ++i) {
    std::mt19937 random(static_cast<unsigned>(seed * 1'000'000 + i));
    testing::TemporaryFolder folder;
    copy_record(whole, folder);
    static constexpr const char* names[] = {"a.db", "a.db-wal", "a.db", "a.db-wal", "a.db.mark"};
    const std::string name = names[random() % 5];
    const Mutation mutation = mutated(content_of(folder / name), random);
    folder.write(name, mutation.content);
    CAPTURE(seed);
    CAPTURE(i);
    CAPTURE(name);
    CAPTURE(mutation.what);
    auto record = open_in(folder);
    if (!record) {
      ++noticed;
      continue;
    }
    const auto answers = all_answers(**record);
    const bool said = (*record)->condition().state == RecordCondition::State::damaged;
    if (answers && *answers == truth && !said) {
      ++harmless;
    } else {
      CHECK_MESSAGE(said, "an answer differs and nobody says so");
      ++noticed;
    }
  }
  MESSAGE(noticed << " noticed, " << harmless << " without a difference");
  CHECK(noticed > count / 4);
}

}  // namespace
}  // namespace millrace::store
