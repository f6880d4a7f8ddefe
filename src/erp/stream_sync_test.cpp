#include "erp/stream_sync.h"

#include <doctest/doctest.h>

#include <utility>

#include "erp/stream_sync_test_world.h"

using namespace millrace;
using namespace millrace::erp;
using namespace millrace::erp::testing;
using Kind = PageQuestion::Kind;

namespace {

std::size_t count_of(const std::vector<PageQuestion>& asked, Kind kind) {
  return static_cast<std::size_t>(std::ranges::count(asked, kind, &PageQuestion::kind));
}

}  // namespace

TEST_CASE("the first sync brings every order, page by page") {
  World world;
  world.erp.fill(50);
  CHECK(world.run().kind == SyncStep::Kind::finished);
  CHECK(world.differences() == "");
  CHECK(world.sink.rows_written == 50);
  CHECK(count_of(world.remote.asked, Kind::documents) == 3);
  CHECK(world.sink.state.phase == SyncState::Phase::following);
  CHECK(world.sync->status().verified_by == "first sync");
}

TEST_CASE("a first sync that was killed goes on behind its last committed page") {
  World world;
  world.erp.fill(50);
  world.sync->begin(false, std::chrono::minutes(5));
  world.sync->step();
  world.sync->step();
  CHECK(world.sink.rows.size() == 40);
  world.restart();
  world.remote.asked.clear();
  world.run();
  CHECK(world.differences() == "");
  CHECK(world.sink.rows_written == 50);
  CHECK(count_of(world.remote.asked, Kind::documents) == 1);
  CHECK(world.sync->status().verified_by == "");  // nobody can say when the first pages were read
}

TEST_CASE("a quiet sync asks two questions and writes nothing") {
  World world;
  world.erp.fill(50);
  world.run();
  const auto commits = world.sink.commits;
  for (int i = 0; i < 3; ++i) {
    world.remote.asked.clear();
    CHECK(world.run().kind == SyncStep::Kind::finished);
    CHECK(world.remote.asked.size() == 2);
  }
  CHECK(world.sink.commits == commits);
  CHECK(world.sync->status().verified_by == "full round");
  CHECK(world.sync->status().verified_as_of.has_value());
}

TEST_CASE("a sync writes exactly the orders that changed") {
  World world;
  world.erp.fill(50);
  world.run();
  world.erp.put(7, 70'700);
  world.erp.put(9, 900, false);  // closed
  world.erp.put(51, 100);        // new
  world.erp.touch(12);           // stamped, nothing different
  world.erp.put(13, 5, true, false);  // changed without a stamp
  world.run();
  CHECK(world.differences() == "");
  CHECK(world.sink.rows_written == 50 + 4);
}

TEST_CASE("an order that was touched without a change writes nothing") {
  World world;
  world.erp.fill(10);
  world.run();
  const auto commits = world.sink.commits;
  for (int i = 1; i <= 10; ++i) world.erp.touch(i);
  world.run();
  world.run();
  CHECK(world.sink.commits == commits);
}

TEST_CASE("an order is gone after it was asked for by key twice") {
  World world;
  world.erp.fill(50);
  world.run();
  world.erp.docs.erase(7);
  world.remote.asked.clear();
  world.run();
  CHECK(world.differences() == "");
  CHECK(world.sink.tombstones == 1);
  REQUIRE(count_of(world.remote.asked, Kind::fetch) == 2);
  CHECK(world.remote.asked.back().keys.size() > 1);  // beside witnesses
  SUBCASE("and is back when it comes back") {
    world.erp.put(7, 700);
    world.run();
    CHECK(world.differences() == "");
  }
}

TEST_CASE("an answer that leaves out what was there a moment ago proves nothing") {
  World world;
  world.erp.fill(50);
  world.run();
  world.erp.put(7, 70'700);
  world.remote.after = [](const PageQuestion& question, Page& page) {
    if (question.kind == Kind::fetch) page.rows.clear(), page.complete = true;
  };
  const SyncStep step = world.run();
  CHECK(step.kind == SyncStep::Kind::failed);
  REQUIRE(step.error);
  CHECK(step.error->kind == RemoteErrorKind::corrupt_page);
  CHECK(world.sink.tombstones == 0);
  world.remote.after = [](const auto&, auto&) {};
  world.run();
  CHECK(world.differences() == "");
}

TEST_CASE("an order that is missing from one scan stays") {
  World world;
  world.erp.fill(50);
  world.run();
  world.remote.after = [](const PageQuestion& question, Page& page) {
    if (question.kind == Kind::moving || question.kind == Kind::slice) page.rows.erase(page.rows.begin() + 3, page.rows.begin() + 9);
  };
  world.run();
  CHECK(world.sink.tombstones == 0);
  CHECK(world.differences() == "");
}

TEST_CASE("a page that is not in order ends the sync and moves no cursor") {
  World world;
  world.erp.fill(50);
  world.run();
  world.erp.put(3, 1);
  world.erp.put(60, 1);
  const SyncState before = world.sync->state();
  const auto commits = world.sink.commits;
  SUBCASE("a row comes twice") {
    world.remote.after = [](const PageQuestion& question, Page& page) {
      if (question.kind == Kind::slice) page.rows.push_back(page.rows.back());
    };
  }
  SUBCASE("more is promised and nothing comes") {
    world.remote.after = [](const PageQuestion& question, Page& page) {
      if (question.kind == Kind::moving) page.rows.clear(), page.complete = false;
    };
  }
  SUBCASE("the reader refused it") {
    world.remote.before = [](const PageQuestion& question) -> std::optional<RemoteError> {
      if (question.kind != Kind::fetch) return std::nullopt;
      return RemoteError{RemoteErrorKind::corrupt_page, "the answer is cut"};
    };
  }
  CHECK(world.run().kind == SyncStep::Kind::failed);
  CHECK(world.sync->state() == before);
  CHECK(world.sink.commits == commits);
  world.remote.after = [](const auto&, auto&) {};
  world.remote.before = [](const auto&) { return std::nullopt; };
  world.run();
  CHECK(world.differences() == "");
}

TEST_CASE("an answer that was cut by the server is asked on from its last key") {
  World world;
  world.erp.fill(50);
  world.run();
  for (int i = 1; i <= 5; ++i) world.erp.put(i, 1);
  world.remote.after = [](const PageQuestion& question, Page& page) {
    if (question.kind == Kind::fetch && page.rows.size() > 2) page.rows.resize(2), page.complete = false;
  };
  world.run();
  CHECK(world.sink.tombstones == 0);
  CHECK(world.differences() == "");
}

TEST_CASE("pages get smaller while the ERP is too slow and grow back") {
  World world;
  world.stream->page_of_documents = 80;
  world.restart();
  world.erp.fill(200);
  int slow = 2;
  world.remote.before = [&](const PageQuestion& question) -> std::optional<RemoteError> {
    if (question.kind != Kind::documents || slow-- <= 0) return std::nullopt;
    return RemoteError{RemoteErrorKind::too_slow, "timed out"};
  };
  world.run();
  CHECK(world.differences() == "");
  std::vector<std::size_t> sizes;
  for (const auto& question : world.remote.asked)
    if (question.kind == Kind::documents) sizes.push_back(question.rows_max);
  REQUIRE(sizes.size() > 6);
  CHECK(sizes[0] == 80);
  CHECK(sizes[1] == 40);
  CHECK(sizes[2] == 20);
  CHECK(sizes[6] == 25);
}

TEST_CASE("a question the ERP does not understand is not asked again, the rest finds the changes") {
  World world;
  world.erp.fill(50);
  world.remote.before = [](const PageQuestion& question) -> std::optional<RemoteError> {
    if (question.kind != Kind::changed && question.kind != Kind::open && question.kind != Kind::moving) return std::nullopt;
    return RemoteError{RemoteErrorKind::refused, "400"};
  };
  world.run();
  world.run();
  world.remote.asked.clear();
  world.erp.put(7, 1);
  world.erp.docs.erase(9);
  world.erp.put(51, 1);
  world.run();
  CHECK(count_of(world.remote.asked, Kind::moving) == 0);
  CHECK(count_of(world.remote.asked, Kind::changed) == 0);
  CHECK(count_of(world.remote.asked, Kind::open) == 0);
  CHECK(world.differences() == "");
}

TEST_CASE("where one question cannot say open or changed, two do") {
  World world;
  world.erp.fill(50);
  world.run();
  SUBCASE("the ERP does not understand it") {
    world.remote.before = [](const PageQuestion& question) -> std::optional<RemoteError> {
      if (question.kind != Kind::moving) return std::nullopt;
      return RemoteError{RemoteErrorKind::refused, "400"};
    };
  }
  SUBCASE("the answer does not say which rows are open") {
    world.remote.after = [](const PageQuestion& question, Page& page) {
      if (question.kind != Kind::moving) return;
      for (RemoteRow& row : page.rows) row.open.reset();
    };
  }
  world.erp.put(7, 1, false);
  world.erp.put(51, 1);
  world.run();
  CHECK(world.differences() == "");
  world.remote.asked.clear();
  world.erp.put(8, 1, false);
  world.run();
  CHECK(count_of(world.remote.asked, Kind::moving) == 0);
  CHECK(count_of(world.remote.asked, Kind::open) == 1);
  CHECK(count_of(world.remote.asked, Kind::changed) == 1);
  CHECK(world.differences() == "");
}

TEST_CASE("what changes while the pages of the first sync come is there after the next sync") {
  World world;
  world.erp.fill(100);
  int pages = 0;
  world.remote.after = [&](const PageQuestion& question, Page&) {
    if (question.kind != Kind::documents || ++pages != 3) return;
    world.erp.put(3, 333);               // read already
    world.erp.put(4, 4, false);          // read already, and closed
    world.erp.put(5, 5, true, false);    // read already, changed without a stamp
    world.erp.docs.erase(6);             // read already, and removed
    world.erp.put(90, 9);                // not read yet
    world.erp.put(101, 1);               // new
  };
  world.run();
  CHECK(world.remote.asked.size() == 6);  // its pages and nothing else
  world.run();
  CHECK(world.differences() == "");
}

TEST_CASE("the next page is asked for while one is worked on, and is the question that follows") {
  World world;
  world.erp.fill(50);
  world.run();
  CHECK(world.remote.ahead.size() == 2);
  std::vector<std::optional<Key>> followed;
  for (const auto& question : world.remote.asked)
    if (question.kind == Kind::documents && question.after_key) followed.push_back(question.after_key);
  REQUIRE(followed.size() == 2);
  CHECK(world.remote.ahead[0].after_key == followed[0]);
  CHECK(world.remote.ahead[1].after_key == followed[1]);
  SUBCASE("nothing is asked ahead at the end of a scan") {
    world.remote.ahead.clear();
    world.run();
    CHECK(world.remote.ahead.empty());
  }
  SUBCASE("a sync that is dropped drops what was asked ahead") {
    World another;
    another.erp.fill(50);
    another.sync->begin(false, std::chrono::minutes(5));
    another.sync->step();
    another.sync->abandon();
    CHECK(another.remote.forgotten == 1);
  }
}

TEST_CASE("without versions a row that was read within its own second is read again") {
  World world;
  world.remote.etags = false;
  world.erp.fill(10);
  world.clock.advance(std::chrono::minutes(1));
  world.run();
  world.erp.put(3, 333);  // and read within the same second
  const RemoteStamp second = world.erp.docs[3].stamp;
  bool changed_again = false;
  world.remote.after = [&](const PageQuestion& question, Page&) {
    if (question.kind != Kind::fetch || changed_again) return;
    changed_again = true;
    world.erp.put(3, 444);
    world.erp.docs[3].stamp = second;
  };
  world.run();
  world.run();
  CHECK(world.differences() == "");
}

// One order, closed and stamped at `stamped`; it is read `later` after that, changes again under its stamp, and is compared
// after two more syncs.
std::string after_change_under_one_stamp(std::chrono::seconds later, std::chrono::seconds span, bool by_minute) {
  World world;
  world.options.overlap = std::chrono::minutes(0);
  world.options.slice_keys = 0;
  world.restart();
  world.remote.etags = false;
  world.erp.fill(10);
  world.clock.advance(std::chrono::minutes(1));
  world.run();
  const auto stamp_now = [&] {
    RemoteStamp stamp = world.erp.now();
    if (by_minute) stamp.seconds -= stamp.seconds % 60;
    return stamp;
  };
  world.erp.put(3, 333, false);
  const RemoteStamp stamp = world.erp.docs[3].stamp = stamp_now();
  world.clock.advance(later);
  bool changed_again = false;
  world.remote.after = [&](const PageQuestion& question, Page& page) {
    if (question.kind != Kind::fetch) return;
    page.server_time_span = span;
    *page.server_time -= span;  // of the first answer of several
    if (std::exchange(changed_again, true)) return;
    world.erp.put(3, 444, false);
    world.erp.docs[3].stamp = stamp;
  };
  // Another order moves the greatest stamp of the scans on.
  world.erp.put(4, 400, false);
  world.erp.docs[4].stamp = stamp_now();
  world.run();
  world.erp.put(5, 500, false);
  world.run();
  world.run();
  return world.differences();
}

TEST_CASE("without versions a closed order that changes twice under one stamp is right after the next sync, without an overlap") {
  CHECK(after_change_under_one_stamp(std::chrono::seconds(1), {}, false) == "");
  CHECK(after_change_under_one_stamp(std::chrono::seconds(55), {}, true) == "");
}

TEST_CASE("a row that came with the first of several answers is as old as that answer") {
  CHECK(after_change_under_one_stamp(std::chrono::seconds(1), std::chrono::seconds(40), false) == "");
}

TEST_CASE("without versions open orders are read whole in turn, all of them within an hour") {
  World world;
  world.remote.etags = false;
  world.erp.fill(50);
  world.run();
  for (auto& [number, doc] : world.erp.docs) doc.amount += 1;  // nothing tells
  for (int i = 0; i < 12; ++i) world.run();
  CHECK(world.differences() == "");
}

TEST_CASE("a stream without stamps and versions is read whole and compared by content") {
  StreamDescriptor stream = orders_stream();
  stream.name = StreamName::manufacturers;
  stream.version = Version::hash;
  stream.stamp = StampKind::none;
  stream.open_filter = "";
  stream.read_whole = true;
  World world(stream);
  world.remote.etags = false;
  world.erp.fill(50);
  world.run();
  CHECK(world.differences() == "");
  const auto commits = world.sink.commits;
  world.run();
  CHECK(world.sink.commits == commits);
  CHECK(world.sync->status().verified_by == "whole read");
  world.erp.put(4, 4);
  world.erp.docs.erase(5);
  world.erp.put(77, 4);
  world.run();
  CHECK(world.differences() == "");
  CHECK(world.sink.rows_written == 52);
}

TEST_CASE("a stream where only content tells is read in turns, its newest rows at once") {
  StreamDescriptor stream = orders_stream();
  stream.name = StreamName::payments;
  stream.version = Version::hash;
  stream.stamp = StampKind::none;
  stream.open_filter = "";
  World world(stream);
  world.remote.etags = false;
  world.erp.fill(50);
  world.run();
  world.erp.put(51, 1);
  world.run();
  CHECK(world.differences() == "");
  world.erp.put(4, 4);
  world.erp.docs.erase(5);
  for (int i = 0; i < 4; ++i) world.run();
  CHECK(world.differences() == "");
}

TEST_CASE("the first sync may be limited to open orders and those of the last days") {
  StreamSyncOptions options;
  options.first_sync_days = 5;
  World world(orders_stream(), options);
  for (int i = 1; i <= 20; ++i) {
    world.erp.put(i, 100, i % 2 == 0);
    world.erp.docs[i].stamp.day -= 30;
  }
  world.erp.put(21, 100, false);
  world.run();
  world.run();
  world.run();
  CHECK(world.sink.rows.size() == 11);
  world.erp.put(1, 5, false);  // an old one that is edited comes in
  world.run();
  CHECK(world.sink.rows.size() == 12);
}

TEST_CASE("everything can be read again, and only what differs is written") {
  World world;
  world.remote.etags = false;
  world.erp.fill(50);
  world.run();
  world.erp.docs[30].amount = 1;  // neither stamp nor version
  world.erp.docs.erase(31);
  CHECK(world.run(true).kind == SyncStep::Kind::finished);
  CHECK(world.differences() == "");
  CHECK(world.sink.rows_written == 51);
}

TEST_CASE("a hint brings its orders at once, also between two steps of a sync") {
  World world;
  world.erp.fill(50);
  world.run();
  SUBCASE("alone") {
    world.remote.asked.clear();
    world.erp.put(7, 1);
    CHECK(world.run_hint({7, 999}).kind == SyncStep::Kind::finished);
    CHECK(world.remote.asked.size() == 1);
    CHECK(world.differences() == "");
    CHECK(world.sink.tombstones == 0);  // 999 never was
  }
  SUBCASE("a removed order is confirmed before it goes") {
    world.erp.docs.erase(7);
    world.run_hint({7});
    CHECK(world.sink.tombstones == 1);
  }
  SUBCASE("what a running sync collected before is older and is not written") {
    world.erp.put(7, 1);
    world.sync->begin(false, std::chrono::minutes(5));
    while (count_of(world.remote.asked, Kind::fetch) == 0) world.sync->step();
    world.erp.put(7, 2);
    world.run_hint({7});
    while (world.sync->step().kind == SyncStep::Kind::more) {}
    CHECK(world.differences() == "");
  }
}

TEST_CASE("what the record refuses is committed when it takes changes again") {
  World world;
  world.erp.fill(30);
  world.sink.refuses = true;
  world.sync->begin(false, std::chrono::minutes(5));
  CHECK(world.sync->step().kind == SyncStep::Kind::blocked);
  CHECK(world.sync->step().kind == SyncStep::Kind::blocked);
  CHECK(world.sync->ledger().rows() == 0);
  CHECK(world.remote.questions == 1);  // nothing more is taken in
  world.sink.refuses = false;
  while (world.sync->step().kind == SyncStep::Kind::more) {}
  CHECK(world.differences() == "");
}

// ---- the guard

namespace {

void vanish(World& world, int first, int last) {
  for (int i = first; i <= last; ++i) world.erp.docs.erase(i);
}

}  // namespace

TEST_CASE("a sync that would remove too much is held, and the last good state stays") {
  World world;
  world.erp.fill(100);
  world.run();
  const auto hidden = world.erp.docs;
  vanish(world, 10, 40);
  const SyncStep step = world.run();
  CHECK(step.kind == SyncStep::Kind::held);
  CHECK(world.sink.tombstones == 0);
  REQUIRE(world.sync->held() != nullptr);
  CHECK(world.sync->held()->rows_gone == 31);
  CHECK(world.sync->held()->rows_before == 100);
  CHECK(world.sync->held()->examples.size() == 31);
  CHECK(world.sync->held()->examples[0].what == "gone");
  SUBCASE("a person accepts") {
    REQUIRE(world.sync->accept());
    CHECK_FALSE(world.sync->accept());
    world.erp.put(3, 1);  // the ERP goes on meanwhile
    CHECK(world.run().kind == SyncStep::Kind::finished);
    CHECK(world.sync->held() == nullptr);
    CHECK(world.differences() == "");
  }
  SUBCASE("accepted, but by now far more is gone: it is held again") {
    REQUIRE(world.sync->accept());
    vanish(world, 50, 90);
    CHECK(world.run().kind == SyncStep::Kind::held);
    CHECK(world.sink.tombstones == 0);
  }
  SUBCASE("a person rejects: the next sync looks again") {
    world.sync->reject();
    CHECK(world.sync->held() == nullptr);
    CHECK(world.run().kind == SyncStep::Kind::held);
  }
  SUBCASE("the ERP shows them again: nothing is held any more") {
    world.erp.docs = hidden;
    CHECK(world.run().kind == SyncStep::Kind::finished);
    CHECK(world.sync->held() == nullptr);
    CHECK(world.differences() == "");
  }
  SUBCASE("a restart holds it again") {
    world.restart();
    CHECK(world.run().kind == SyncStep::Kind::held);
    CHECK(world.sink.tombstones == 0);
  }
}

TEST_CASE("an ERP that answers nothing at all has not lost its orders") {
  World world;
  world.erp.fill(10);
  world.run();
  world.erp.docs.clear();
  CHECK(world.run().kind == SyncStep::Kind::held);
  CHECK(world.sink.tombstones == 0);
}

TEST_CASE("a sync that would close too many open orders is held") {
  World world;
  world.erp.fill(100);
  world.run();
  for (int i = 1; i <= 30; ++i) world.erp.put(i, i * 100, false);
  CHECK(world.run().kind == SyncStep::Kind::held);
  CHECK(world.sync->held()->rows_closed == 30);
  CHECK(world.sync->held()->examples[0].what == "closed");
  CHECK(world.sink.rows_written == 100);
}

TEST_CASE("a sync that would move the open total too far is held") {
  World world;
  world.erp.fill(100);
  world.run();
  for (int i = 1; i <= 40; ++i) world.erp.put(i, 0);
  for (int i = 60; i <= 100; ++i) world.erp.put(i, 1);
  CHECK(world.run().kind == SyncStep::Kind::held);
  REQUIRE(world.sync->held()->totals.size() == 1);
  CHECK(world.sync->held()->totals[0].before == 505'000);
  CHECK(world.sync->held()->totals[0].after == 505'000 - 82'000 - 328'000 + 41);
  CHECK(world.sync->held()->why.starts_with("the sync would move the open total of orders from 5050.00 to 950.41 EUR"));
}

TEST_CASE("more changes than may wait in memory are held; accepted, they come in portions") {
  StreamSyncOptions options;
  options.documents_max = 30;
  options.documents_in_portion = 10;
  World world(orders_stream(), options);
  world.erp.fill(100);
  world.run();
  for (int i = 1; i <= 80; ++i) world.erp.put(i, i * 100 + 1);
  CHECK(world.run().kind == SyncStep::Kind::held);
  CHECK(world.sink.rows_written == 100);
  REQUIRE(world.sync->accept());
  CHECK(world.run().kind == SyncStep::Kind::finished);
  CHECK(world.differences() == "");
  CHECK(world.sink.rows_written == 180);
}
