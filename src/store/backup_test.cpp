#include "store/backup.h"
#include "store/internal/backup_file.h"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "store/record_test_world.h"
#include "testing/temporary_folder.h"

namespace millrace::store {
namespace {

namespace fs = std::filesystem;

const FixedClock fixed_clock;

std::unique_ptr<Record> open_at(const std::string& path) {
  auto record = open_sqlite_record({.path = path, .clock = &fixed_clock});
  REQUIRE_MESSAGE(record.has_value(), (record ? "" : record.error().text()));
  return std::move(*record);
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("A backup taken while orders are written is one whole state, and the record started from it answers that state") {
  testing::TemporaryFolder live, kept, restored;
  auto record = open_at(live / "a.db");
  for (int i = 1; i <= 20; ++i) REQUIRE(record->commit(document_batch(i)));
  REQUIRE(record->commit(kept_batch({{"erp/sap", "state", "following"}, {"erp/sap", "cursor", "4711"}})));
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    for (int i = 21; !stop && i < 5000; ++i, ++written)
      if (!record->commit(document_batch(i))) return;
  });
  std::vector<std::string> phases;
  const auto manifest = write_backup(live / "a.db", kept / "a.backup", fixed_clock.now(), [&](std::string_view phase, auto, auto) {
    if (phases.empty() || phases.back() != phase) phases.emplace_back(phase);
    const int before = written;
    while (phase == "copying" && written == before && !stop) std::this_thread::yield();  // commits come in between
    return true;
  });
  stop = true;
  writer.join();
  REQUIRE_MESSAGE(manifest.has_value(), (manifest ? "" : manifest.error().text()));
  CHECK(manifest->record.changes >= 20);
  CHECK(manifest->record.changes < record->last_sequence()->value);
  CHECK(fs::file_size(kept / "a.backup") == manifest->file_bytes);
  CHECK(std::distance(fs::directory_iterator(kept.path()), fs::directory_iterator()) == 1);

  const auto proven = verify_backup(kept / "a.backup", kept.path(), {});
  REQUIRE_MESSAGE(proven.has_value(), (proven ? "" : proven.error().text()));
  CHECK(proven->record.digest == manifest->record.digest);
  const auto done = restore_backup(kept / "a.backup", restored / "data/a.db", false, fixed_clock.now(), {});
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().text()));
  CHECK(done->moved_aside.empty());
  auto again = open_at(restored / "data/a.db");
  CHECK(again->condition().text == "");
  CHECK(manifest->record.kept == 2);
  CHECK(kept_rows(*again, "erp/sap") == "cursor=4711 state=following");
  CHECK(again->last_sequence() == manifest->record.position.sequence);
  CHECK(again->position()->identity != record->position()->identity);
  CHECK(told_up_to(*again, manifest->record.changes) == told_up_to(*record, manifest->record.changes));
  CHECK(again->verify(true));
  CHECK(again->commit(document_batch(9999)));
}

TEST_CASE("Restoring does not overwrite a record without --force, and with it the old one is moved aside") {
  testing::TemporaryFolder folder;
  { REQUIRE(open_at(folder / "a.db")->commit(document_batch(1))); }
  REQUIRE(write_backup(folder / "a.db", folder / "a.backup", fixed_clock.now(), {}));
  { REQUIRE(open_at(folder / "a.db")->commit(document_batch(2))); }
  const auto refused = restore_backup(folder / "a.backup", folder / "a.db", false, fixed_clock.now(), {});
  REQUIRE(!refused);
  CHECK(refused.error().code() == ErrorCode::conflict);
  CHECK(refused.error().text().find("--force") != std::string::npos);
  const auto done = restore_backup(folder / "a.backup", folder / "a.db", true, fixed_clock.now(), {});
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().text()));
  CHECK(open_at(folder / "a.db")->last_sequence()->value == 1);
  CHECK(open_at(done->moved_aside)->last_sequence()->value == 2);
}

TEST_CASE("A record in use is not restored over, and a damaged one is not backed up") {
  testing::TemporaryFolder folder;
  auto record = open_at(folder / "a.db");
  REQUIRE(record->commit(document_batch(1)));
  REQUIRE(write_backup(folder / "a.db", folder / "a.backup", fixed_clock.now(), {}));
  CHECK(restore_backup(folder / "a.backup", folder / "a.db", true, fixed_clock.now(), {}).error().code() == ErrorCode::unavailable);
  record.reset();
  std::string database = content_of(folder / "a.db");
  database[database.find("SO1.json")] ^= 1;
  folder.write("a.db", database);
  CHECK(write_backup(folder / "a.db", folder / "b.backup", fixed_clock.now(), {}).error().code() == ErrorCode::corrupt);
  CHECK(!fs::exists(folder / "b.backup"));
  CHECK(write_backup(folder / "none.db", folder / "b.backup", fixed_clock.now(), {}).error().code() == ErrorCode::not_found);
}

TEST_CASE("A backup that was changed, cut or extended anywhere is refused as a whole, or says what it said") {
  testing::TemporaryFolder folder;
  { REQUIRE(open_at(folder / "a.db")->commit(document_batch(1))); }
  REQUIRE(write_backup(folder / "a.db", folder / "a.backup", fixed_clock.now(), {}));
  const std::string whole = content_of(folder / "a.backup");
  REQUIRE(unpack_database(folder / "a.backup", folder / "a.unpacked", {}));
  std::mt19937 random(11);
  for (int i = 0; i < 40; ++i) {
    std::string damaged = whole;
    const std::size_t at = random() % whole.size();
    if (i % 4 == 0) {
      damaged.resize(at);
    } else if (i % 4 == 1) {
      damaged += "x";
    } else {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    }
    CAPTURE(i);
    CAPTURE(at);
    folder.write("b.backup", damaged);
    const auto verified = verify_backup(folder / "b.backup", folder.path(), {});
    if (!verified) {
      CHECK(verified.error().code() == ErrorCode::corrupt);
      continue;
    }
    // The packed form has a few bits that mean nothing: what comes out is what went in.
    CHECK(i % 4 > 1);
    REQUIRE(unpack_database(folder / "b.backup", folder / "b.unpacked", {}));
    CHECK(content_of(folder / "b.unpacked") == content_of(folder / "a.unpacked"));
  }
  CHECK(verify_backup(folder / "none.backup", folder.path(), {}).error().code() == ErrorCode::not_found);
  CHECK(verify_backup(folder / "a.backup", folder.path(), [](auto, auto, auto) { return false; }).error().code() == ErrorCode::cancelled);
}

}  // namespace
}  // namespace millrace::store
