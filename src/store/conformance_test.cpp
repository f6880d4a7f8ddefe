#include "store/conformance_test.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "store/record_test_world.h"

namespace millrace::store {
namespace {

// "1 put 7 Open, 2 gone 7": what changes say, for answers as text.
std::string told(const std::vector<feed::Change>& changes) {
  std::string text;
  for (const feed::Change& change : changes) {
    if (!text.empty()) text += ", ";
    text += std::to_string(change.sequence.value) + " ";
    switch (change.kind) {
      case feed::ChangeKind::order_put: text += "put " + change.put.order->number.text + " " + change.put.order->status; break;
      case feed::ChangeKind::order_removed: text += "gone " + change.removed.number.text; break;
      case feed::ChangeKind::rejection_put: text += "refused " + change.rejection_put.rejection.path; break;
      case feed::ChangeKind::rejection_removed: text += "solved " + std::to_string(change.rejection_removed.id); break;
    }
  }
  return text;
}

void changes_are_numbered_without_holes(RecordUnderTest& place) {
  const FixedClock clock;
  auto record = place.open(clock);
  std::string heard;
  record->on_commit([&](const std::vector<feed::Change>& changes) { heard += "[" + told(changes) + "]"; });
  REQUIRE(record->commit(small_batch({put(small_order("7")), put(small_order("9"))})));
  const auto second = record->commit(small_batch({feed::order_removed(OrderNumber{"9"}, "file deleted"), put(small_order("7", "Shipped"))}));
  REQUIRE(second);
  CHECK(second->last == feed::Sequence{4});
  CHECK(second->changes.front().at == clock.now());
  CHECK(heard == "[1 put 7 Open, 2 put 9 Open][3 gone 9, 4 put 7 Shipped]");
  CHECK(told(*record->changes_after({0}, 100)) == "1 put 7 Open, 2 put 9 Open, 3 gone 9, 4 put 7 Shipped");
  CHECK(told(*record->changes_after({2}, 1)) == "3 gone 9");
  CHECK(told(*record->changes_of_order(OrderNumber{"7"}, 10)) == "1 put 7 Open, 4 put 7 Shipped");
  CHECK(told(*record->changes_of_order(OrderNumber{"7"}, 1)) == "4 put 7 Shipped");
  CHECK(record->changes_after({4}, 10)->empty());
}

void everything_is_there_after_opening_again(RecordUnderTest& place) {
  const FixedClock clock;
  {
    auto record = place.open(clock);
    Batch first = small_batch({put(small_order("7")), feed::rejection_put(small_rejection(41)), feed::rejection_put(small_rejection(42))});
    first.files_put = {small_file("Open/a.json"), small_file("Open/b\nc\xFF.json")};
    first.candidates_put = {{"Open/a.json", 0, small_order("7"), {"look at it"}}, {"Open/a.json", 1, small_order("8"), {}}};
    REQUIRE(record->commit(std::move(first)));
    REQUIRE(record->commit(small_batch({feed::rejection_removed(41)})));
  }
  auto record = place.open(clock);
  CHECK(record->last_sequence() == feed::Sequence{4});
  CHECK(record->files("orders") == std::vector<FileRecord>{small_file("Open/a.json"), small_file("Open/b\nc\xFF.json")});
  std::string candidates;
  REQUIRE(record->candidates("orders", [&](const Candidate& candidate) {
    candidates += candidate.path + "#" + std::to_string(candidate.ordinal) + "=" + candidate.order->number.text +
                  (candidate.flags.empty() ? "" : "!" + candidate.flags[0]) + " ";
    return true;
  }));
  CHECK(candidates == "Open/a.json#0=7!look at it Open/a.json#1=8 ");
  CHECK(*record->candidate("orders", "Open/a.json", 1)->order == *small_order("8"));
  CHECK(record->candidate("orders", "Open/a.json", 2).error().code() == ErrorCode::not_found);
  REQUIRE(record->rejections()->size() == 1);
  CHECK(record->rejections()->front() == small_rejection(42));
  const auto next = record->commit(small_batch({put(small_order("10"))}));
  CHECK(next->last == feed::Sequence{5});
}

void a_new_reading_replaces_what_a_file_said(RecordUnderTest& place) {
  const FixedClock clock;
  auto record = place.open(clock);
  Batch first = small_batch({});
  first.files_put = {small_file("a.csv", 10), small_file("b.csv")};
  first.candidates_put = {{"a.csv", 0, small_order("7"), {}}, {"a.csv", 1, small_order("8"), {}}, {"b.csv", 0, small_order("9"), {}}};
  REQUIRE(record->commit(std::move(first)));
  Batch second = small_batch({});
  second.files_put = {small_file("a.csv", 20)};
  second.files_removed = {"b.csv"};
  second.candidates_put = {{"a.csv", 0, small_order("8", "Open", 99), {}}};
  second.candidates_removed = {"b.csv"};
  REQUIRE(record->commit(std::move(second)));
  CHECK(record->files("orders") == std::vector<FileRecord>{small_file("a.csv", 20)});
  CHECK(record->candidate("orders", "a.csv", 0)->order->lines[0].line_total == 99);
  CHECK(!record->candidate("orders", "a.csv", 1));
  CHECK(!record->candidate("orders", "b.csv", 0));
  CHECK(record->files("elsewhere")->empty());
}

void many_writers_get_one_order_of_events(RecordUnderTest& place) {
  const FixedClock clock;
  auto record = place.open(clock);
  std::atomic<std::uint64_t> heard_last{0};
  std::atomic<bool> in_order{true};
  record->on_commit([&](const std::vector<feed::Change>& changes) {
    for (const feed::Change& change : changes) in_order = in_order && change.sequence.value == heard_last.fetch_add(1) + 1;
  });
  constexpr int writers = 4, batches = 25;
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      for (int b = 0; b < batches; ++b)
        if (!record->commit(small_batch({put(small_order(std::to_string(w * 1000 + b))), put(small_order(std::to_string(w)))}))) in_order = false;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(in_order);
  CHECK(heard_last == 2 * writers * batches);
  const auto all = record->changes_after({0}, 10'000);
  REQUIRE(all);
  CHECK(all->size() == 2 * writers * batches);
  CHECK(record->statistics().batches == writers * batches);
  CHECK(record->verify(true));
}

void kept_rows_commit_with_the_rest(RecordUnderTest& place) {
  const FixedClock clock;
  const std::string bytes("a\0\xFF", 3);
  {
    auto record = place.open(clock);
    int heard = 0;
    record->on_commit([&](const std::vector<feed::Change>&) { ++heard; });
    CHECK(kept_rows(*record, "erp/sap/items") == "");
    Batch batch = small_batch({put(small_order("7"))});
    batch.kept_put = {{"erp/sap/orders", "10", "ten"}, {"erp/sap/orders", "9", "nine"}, {"erp/sap/orders", bytes, ""}, {"erp/sap", "state", bytes}};
    REQUIRE(record->commit(std::move(batch)));
    CHECK(heard == 1);
    const RecordPosition before = *record->position();
    const auto alone = record->commit(kept_batch({{"erp/sap/orders", "9", "NINE"}, {"erp/sap/orders", "11", "eleven"}}, {{"erp/sap/orders", "10"}}));
    REQUIRE(alone);
    CHECK(alone->last == feed::Sequence{1});
    CHECK(alone->revision == before.revision + 1);
    CHECK(record->position()->sequence == before.sequence);
    CHECK(heard == 1);
    CHECK(record->files_changed_after(before.revision)->empty());
  }
  auto record = place.open(clock);
  CHECK(kept_rows(*record, "erp/sap/orders") == "11=eleven 9=NINE " + bytes + "=");
  CHECK(kept_rows(*record, "erp/sap/order") == "");
  CHECK(record->kept_one("erp/sap", "state") == bytes);
  CHECK(record->kept_one("erp/sap/orders", "10") == std::nullopt);
  CHECK(record->kept_one("erp/sap/items", "9") == std::nullopt);
  int asked = 0;
  CHECK(record->kept("erp/sap/orders", [&](const KeptRow&) { return ++asked < 2; }));
  CHECK(asked == 2);
  CHECK(record->verify(true));
}

void what_is_kept_already_is_not_written_again(RecordUnderTest& place) {
  const FixedClock clock;
  auto record = place.open(clock);
  REQUIRE(record->commit(kept_batch({{"erp/sap/orders", "1", "a"}, {"erp/sap/orders", "2", "b"}})));
  const RecordPosition before = *record->position();
  const RecordStatistics numbers = record->statistics();
  CHECK(numbers.rows_written == 2);
  const auto quiet = record->commit(kept_batch({{"erp/sap/orders", "2", "b"}, {"erp/sap/orders", "1", "a"}}, {{"erp/sap/orders", "3"}}));
  REQUIRE(quiet);
  CHECK(quiet->revision == before.revision);
  CHECK(record->position() == before);
  CHECK(record->statistics().rows_written == numbers.rows_written);
  CHECK(record->statistics().commits == numbers.commits);
  CHECK(record->statistics().statements > numbers.statements);
  REQUIRE(record->commit(kept_batch({{"erp/sap/orders", "1", "a"}, {"erp/sap/orders", "2", "c"}, {"erp/sap/orders", "2", "d"}})));
  CHECK(record->statistics().rows_written == numbers.rows_written + 2);
  CHECK(kept_rows(*record, "erp/sap/orders") == "1=a 2=d");
  REQUIRE(record->commit(kept_batch({{"erp/sap/orders", "1", "anew"}}, {{"erp/sap/orders", "1"}, {"erp/sap/orders", "2"}})));
  CHECK(kept_rows(*record, "erp/sap/orders") == "1=anew");
  CHECK(record->verify(true));
}

// "a.csv 20: 8; b.csv gone": what files_changed_after answers, as text.
std::string told(const Result<std::vector<FileNow>>& files) {
  if (!files) return std::string(traits(files.error().code()).name);
  std::string text;
  for (const FileNow& now : *files) {
    text += (text.empty() ? "" : "; ") + now.path + (now.file ? " " + std::to_string(now.file->size) : " gone");
    for (const Candidate& candidate : now.candidates) text += ": " + candidate.order->number.text;
  }
  return text;
}

void what_was_touched_is_known(RecordUnderTest& place) {
  const FixedClock clock;
  RecordPosition first;
  {
    auto record = place.open(clock);
    Batch one = small_batch({put(small_order("7"))});
    one.files_put = {small_file("a.csv", 10), small_file("b.csv", 11)};
    one.candidates_put = {{"a.csv", 0, small_order("7"), {}}, {"b.csv", 0, small_order("9"), {}}};
    const auto committed = record->commit(std::move(one));
    REQUIRE(committed);
    first = *record->position();
    CHECK(committed->revision == first.revision);
    CHECK(first.sequence == feed::Sequence{1});
    CHECK(told(record->files_changed_after(first.revision)) == "");
    CHECK(told(record->files_changed_after(0)) == "a.csv 10: 7; b.csv 11: 9");
    Batch two = small_batch({});
    two.files_put = {small_file("a.csv", 20)};
    two.candidates_put = {{"a.csv", 0, small_order("8"), {}}};
    two.files_removed = two.candidates_removed = {"b.csv"};
    REQUIRE(record->commit(std::move(two)));
  }
  auto record = place.open(clock);
  CHECK(record->position()->identity == first.identity);
  CHECK(record->position()->revision == first.revision + 1);
  CHECK(told(record->files_changed_after(first.revision)) == "a.csv 20: 8; b.csv gone");
  CHECK(told(record->files_changed_after(first.revision + 1)) == "");
  CHECK(told(record->files_changed_after(first.revision + 2)) == "limit_reached");
}

}  // namespace

void record_conforms(const std::function<std::unique_ptr<RecordUnderTest>()>& fresh) {
  SUBCASE("changes are numbered 1, 2, 3 and heard in order") { changes_are_numbered_without_holes(*fresh()); }
  SUBCASE("what was committed is there after opening again") { everything_is_there_after_opening_again(*fresh()); }
  SUBCASE("a new reading replaces what a file said before") { a_new_reading_replaces_what_a_file_said(*fresh()); }
  SUBCASE("what was touched after a revision is known") { what_was_touched_is_known(*fresh()); }
  SUBCASE("kept rows commit with the rest of their batch, and alone") { kept_rows_commit_with_the_rest(*fresh()); }
  SUBCASE("what is kept already is not written again") { what_is_kept_already_is_not_written_again(*fresh()); }
  SUBCASE("many writers get one order of events") { many_writers_get_one_order_of_events(*fresh()); }
}

}  // namespace millrace::store
