#include "planning/payment_delay.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace millrace::planning {
namespace {

DelayDistribution any_delays() {
  const auto first = *rc::gen::inRange(-40, 40);
  auto weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(0, 1000), [](int weight) { return weight < 300 ? 0.0 : weight; })));
  weights.front() += 1;
  return {first, weights, *rc::gen::element(0.0, 0.005, 0.2), *rc::gen::element(0.5, 8.0, 90.0)};
}

TEST_CASE("A later quantile is never an earlier day") {
  CHECK(rc::check("quantiles rise", [] {
    const DelayDistribution delays = any_delays().still_open(*rc::gen::inRange(-60, 400));
    std::int32_t before = -delay_days_max - 1;
    for (int step = 0; step < 1000; ++step) {
      const std::int32_t day = delays.quantile(step / 1000.0);
      RC_ASSERT(day >= before);
      before = day;
    }
    RC_ASSERT(delays.p10() <= delays.p50());
    RC_ASSERT(delays.p50() <= delays.p90());
    RC_ASSERT(delays.told(0.05) <= delays.told(0.25));
    RC_ASSERT(delays.told(0.75) <= delays.told(0.95));
  }));
}

TEST_CASE("An invoice that is still open is paid later than today, and knowing it in steps changes nothing") {
  CHECK(rc::check("still open", [] {
    const DelayDistribution delays = any_delays();
    const auto first = *rc::gen::inRange(-50, 300), second = *rc::gen::inRange(-50, 300);
    const DelayDistribution once = delays.still_open(std::max(first, second));
    const DelayDistribution twice = delays.still_open(first).still_open(second);
    RC_ASSERT(once == twice);
    RC_ASSERT(once.quantile(0) > std::max(first, second));
    RC_ASSERT(once.paid_by(std::max(first, second)) == 0);
    RC_ASSERT(once.p50() >= delays.p50());
  }));
}

TEST_CASE("The share paid by a quantile's day is at least the quantile, and less the day before") {
  CHECK(rc::check("paid_by and quantile", [] {
    const DelayDistribution delays = any_delays().still_open(*rc::gen::inRange(-60, 60)).later_by(*rc::gen::inRange(-9, 9));
    const double u = *rc::gen::inRange(1, 990) / 1000.0;
    const std::int32_t day = delays.quantile(u);
    RC_ASSERT(delays.paid_by(day) >= u - 1e-9);
    RC_ASSERT(delays.paid_by(day - 1) <= u + 1e-9);
  }));
}

TEST_CASE("Paid thirty days later moves every answer by thirty days") {
  const DelayDistribution delays(-3, std::vector<double>{1, 2, 0, 4, 2, 1}, 0.01, 5);
  const DelayDistribution later = delays.later_by(30);
  for (const double p : {0.05, 0.1, 0.5, 0.9, 0.999}) CHECK(later.quantile(p) == delays.quantile(p) + 30);
  CHECK(later.p10() == delays.p10() + 30);
  CHECK(later.still_open(31) == delays.still_open(1).later_by(30));
  CHECK(later.mean() == doctest::Approx(delays.mean() + 30));
}

TEST_CASE("An interval of whole days holds what it says, on average over where the days' edges lie") {
  // Even over 100 days: 80 % are eighty of them, not eighty-one.
  const DelayDistribution delays(1, std::vector<double>(100, 1.0), 0, 1);
  CHECK(delays.p10() == 11);
  CHECK(delays.p90() == 90);
  CHECK(delays.p50() == 51);
}

TEST_CASE("Later than everybody so far is expected to stay late in proportion") {
  const DelayDistribution delays(0, std::vector<double>(10, 1.0), 0.05, 6);
  CHECK(delays.still_open(40).p50() - 40 < delays.still_open(100).p50() - 100);
  CHECK(delays.still_open(delay_days_max + 7).quantile(0.5) == delay_days_max);
}

TEST_CASE("Nobody knows better than the due day when nothing is known") {
  CHECK(DelayDistribution().p50() == 0);
  CHECK(DelayDistribution().still_open(12).p50() == 13);
}

}  // namespace
}  // namespace millrace::planning
