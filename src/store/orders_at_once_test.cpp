// How many statements an answer costs: it never depends on how many orders there are.
#include <doctest/doctest.h>

#include "store/record_test_world.h"
#include "testing/temporary_folder.h"

namespace millrace::store {
namespace {

std::uint64_t statements_to_load(int orders) {
  const testing::TemporaryFolder folder;
  const FixedClock clock;
  auto record = open_sqlite_record({.path = folder / "record.sqlite", .clock = &clock});
  REQUIRE_MESSAGE(record, record.error().text());
  for (int number = 1; number <= orders; ++number) REQUIRE((*record)->commit(document_batch(number)));
  const std::uint64_t before = (*record)->statistics().statements;
  std::size_t lines = 0;
  REQUIRE((*record)->candidates("orders", [&](const Candidate& candidate) {
    lines += candidate.order->lines.size();
    return true;
  }));
  CHECK(lines == static_cast<std::size_t>(orders));
  return (*record)->statistics().statements - before;
}

}  // namespace

TEST_CASE("All orders come with their lines in as many statements as one order does") {
  CHECK(statements_to_load(150) == statements_to_load(1));
}

}  // namespace millrace::store
