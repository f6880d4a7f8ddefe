#include "server/internal/live_topics.h"

#include <doctest/doctest.h>

#include "testing/world.h"

namespace millrace::server {
namespace {

using testing::day;

const Day today = day("2026-03-10");

KeptChange kept(std::uint64_t sequence) {
  KeptChange change;
  change.sequence.value = sequence;
  return change;
}

Subscription subscribed(const std::string& topic) {
  Subscription wanted;
  const auto problem = read_topic(topic, people::local_identity(), today, wanted);
  if (problem) FAIL(problem->detail);
  return wanted;
}

TEST_CASE("a topic is read with its filter, and a wrong one is named") {
  CHECK(subscribed("orders?status=Open").topic == Topic::orders);
  CHECK(subscribed("orders?status=Open").query.filters.size() == 1);
  CHECK(subscribed("totals").topic == Topic::totals);
  Subscription wanted;
  CHECK(read_topic("prices", people::local_identity(), today, wanted)->status == 404);
  CHECK(read_topic("changes?status=Open", people::local_identity(), today, wanted)->code == "unknown-parameter");
  CHECK(read_topic("orders?statsu=Open", people::local_identity(), today, wanted)->errors.size() == 1);
  CHECK(read_topic("orders?status=%F", people::local_identity(), today, wanted)->status == 400);
}

TEST_CASE("kept are the last changes; what was before them is known to be missing") {
  KeptChanges changes;
  changes.restart({10});
  CHECK(changes.floor() == 10);
  for (std::uint64_t sequence = 11; sequence <= 10 + changes_kept; ++sequence) changes.add(kept(sequence));
  CHECK(changes.floor() == 10);
  changes.add(kept(11 + changes_kept));
  CHECK(changes.floor() == 11);
  CHECK(changes.last() == 11 + changes_kept);
  std::size_t count = 0;
  changes.each_after(changes.last() - 3, [&](const KeptChange&) { ++count; });
  CHECK(count == 3);
  changes.restart({9000});
  count = 0;
  changes.each_after(0, [&](const KeptChange&) { ++count; });
  CHECK(count == 0);
}

TEST_CASE("a delta names an order that no longer passes the filter as gone, each order once") {
  testing::World world;
  world.sales_order("7").status("Open").line("4", "EUR 25.00");
  world.sales_order("8").status("Open").line("1", "EUR 5.00");
  const auto before = world.snapshot();
  const std::size_t known = world.changes().size();
  world.sales_order("7").status("Shipped");
  const auto after = world.snapshot();
  const std::vector<feed::Change> fresh(world.changes().begin() + static_cast<std::ptrdiff_t>(known),
                                        world.changes().end());
  KeptChanges changes;
  changes.restart(before->as_of());
  for (KeptChange& change : worded_changes(fresh, changes.last(), *before)) changes.add(std::move(change));
  const DeltaState state{*after, changes, today};

  const auto delta = delta_tail(subscribed("orders?status=Open"), before->as_of().value, state);
  REQUIRE(delta);
  CHECK(delta->starts_with(",\"as_of\":"));
  CHECK(delta->find("\"rows\":[],\"gone\":[\"7\"]") != std::string::npos);
  CHECK(delta->find("\"total\":1") != std::string::npos);
  const auto changed = delta_tail(subscribed("changes"), before->as_of().value, state);
  REQUIRE(changed);
  CHECK(changed->find("status_changed") != std::string::npos);
  CHECK(delta_tail(subscribed("rejections"), before->as_of().value, state) == "");
}

TEST_CASE("a delta larger than a fresh page is not written") {
  testing::World world;
  world.sales_order("7").line("4", "EUR 25.00");
  const auto snapshot = world.snapshot();
  KeptChanges changes;
  changes.restart({0});
  for (std::uint64_t sequence = 1; sequence <= 1001; ++sequence) {
    KeptChange change = kept(sequence);
    change.order = std::to_string(sequence);
    changes.add(std::move(change));
  }
  CHECK_FALSE(delta_tail(subscribed("orders"), 0, {*snapshot, changes, today}));
  CHECK(delta_tail(subscribed("orders"), 1, {*snapshot, changes, today}));
}

}  // namespace
}  // namespace millrace::server
