#include "ingest/finance_writer.h"

#include <doctest/doctest.h>

#include "base/time.h"
#include "testing/temporary_folder.h"

namespace millrace::ingest {
namespace {

FinanceDocument cost(std::string number, std::int64_t amount) {
  FinanceDocument document;
  document.kind = FinanceKind::cost;
  document.source = "entered";
  document.number = std::move(number);
  document.currency = *Currency::parse("EUR");
  document.amount = amount;
  document.posted = parse_iso_day("2026-03-02");
  return document;
}

FinanceWriter::Wishes put(std::vector<FinanceDocument> documents) {
  FinanceWriter::Wishes wishes;
  wishes.put = std::move(documents);
  wishes.by = "anna";
  return wishes;
}

}  // namespace

TEST_CASE("A finance document enters the record once, with one change, and only what differs is written") {
  const testing::TemporaryFolder folder;
  const SystemClock clock;
  auto record = store::open_sqlite_record({.path = folder.path() + "/record.sqlite", .clock = &clock});
  REQUIRE(record);
  FinanceWriter writer(**record);
  auto first = writer.write(put({cost("C1", 100), cost("C2", 200), cost("C1", 300)}));
  REQUIRE(first);
  CHECK(first->put == 2);  // the later C1 counts
  CHECK(first->changes.size() == 2);
  FinanceDocument moved = cost("C2", 200);
  moved.origin = "another file";
  const auto same = writer.write(put({moved}));
  REQUIRE(same);
  CHECK(same->unchanged == 1);
  CHECK(same->changes.empty());
  CHECK((*writer.standing("entered", FinanceKind::cost, "C1"))->amount == 300);
  FinanceWriter::Wishes gone;
  gone.removed = {{FinanceKind::cost, "entered", "C1", "by hand"}, {FinanceKind::cost, "entered", "C9", ""}};
  const auto removed = writer.write(std::move(gone));
  REQUIRE(removed);
  CHECK(removed->removed == 1);
  CHECK(!writer.standing("entered", FinanceKind::cost, "C1")->has_value());
}

TEST_CASE("Of documents that cannot be what they say nothing is written") {
  const testing::TemporaryFolder folder;
  const SystemClock clock;
  auto record = store::open_sqlite_record({.path = folder.path() + "/record.sqlite", .clock = &clock});
  REQUIRE(record);
  FinanceWriter writer(**record);
  const auto refused = writer.write(put({cost("C1", 100), cost("C2", -1)}));
  REQUIRE(!refused);
  CHECK(refused.error().code() == ErrorCode::invalid_input);
  CHECK(!writer.standing("entered", FinanceKind::cost, "C1")->has_value());
  CHECK((*record)->last_sequence()->value == 0);
}

}  // namespace millrace::ingest
