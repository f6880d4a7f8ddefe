#include <doctest/doctest.h>

#include <cstdlib>

#include "base/log.h"
#include "testing/convergence/harness.h"

namespace millrace::testing {
namespace {

// The same seeds every time; MILLRACE_CONVERGENCE_SEED replays others, and `./dev torture erp` draws new ones.
std::uint64_t first_seed() {
  const char* const given = std::getenv("MILLRACE_CONVERGENCE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

TEST_CASE("whatever changes and breaks meanwhile, after quiet syncs the record is what the ERP is") {
  set_log_level(LogLevel::error);
  const std::uint64_t seed = first_seed();
  MESSAGE("seeds from " << seed);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const ScheduleResult result = run_schedule(seed + i, {}, false);
    CHECK_MESSAGE(result.good, "seed " << seed + i << " (" << result.story << "): " << result.why);
  }
}

TEST_CASE("a sync with one of the four common mistakes is caught") {
  set_log_level(LogLevel::error);
  constexpr std::uint64_t seed = 1;  // the same every time: whether it is caught is no matter of luck
  for (const std::string_view name : {"offset", "exclusive", "late_watermark", "absence"}) {
    CAPTURE(name);
    bool caught = false;
    for (std::uint64_t i = 0; i < 200 && !caught; ++i)
      caught = !run_schedule(seed + i, *broken_rules(name), false).good;
    CHECK(caught);
  }
}

}  // namespace
}  // namespace millrace::testing
