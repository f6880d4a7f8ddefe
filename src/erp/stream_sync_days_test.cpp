// What later syncs ask for: what changed since the last one, and the recent days besides.
#include <doctest/doctest.h>

#include "erp/stream_sync_test_world.h"

namespace millrace::erp {
namespace {

using testing::World;

// The earliest stamp that a later sync asks from, as days before today; nothing when it asks for no stamp.
std::optional<int> days_asked_for(int recent_days, std::chrono::minutes overlap) {
  World world;
  world.options.recent_days = recent_days;
  world.options.overlap = overlap;
  world.restart();
  world.erp.fill(10);
  world.clock.advance(std::chrono::minutes(10));
  world.run();
  world.erp.put(3, 333);
  world.clock.advance(std::chrono::minutes(10));
  world.run();
  world.clock.advance(std::chrono::minutes(10));
  world.run();
  world.remote.asked.clear();
  const std::int32_t today = world.erp.now().day;
  world.run();
  std::optional<int> days;
  for (const PageQuestion& question : world.remote.asked)
    if (question.since) days = std::max(days.value_or(0), today - question.since->day);
  return days;
}

}  // namespace

TEST_CASE("later syncs ask for what changed since the last one, and for the recent days besides") {
  CHECK(days_asked_for(0, std::chrono::minutes(5)) == 0);
  CHECK(days_asked_for(5, std::chrono::minutes(5)) == 5);
  CHECK(days_asked_for(3, std::chrono::minutes(5)) == 3);
}

}  // namespace millrace::erp
