#include "metrics/internal/histogram.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace millrace::metrics;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST_CASE("Every duration falls into the bucket whose borders hold it") {
  CHECK(rc::check("lower < duration <= upper", [] {
    const auto ns =
        *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(1, 100'000), rc::gen::inRange<std::int64_t>(1, 100'000'000'001));
    const std::size_t bucket = Histogram::bucket_of(nanoseconds{ns});
    RC_ASSERT(bucket < Histogram::bucket_count - 1);
    RC_ASSERT(nanoseconds{ns} <= Histogram::upper_border(bucket));
    if (bucket > 0) RC_ASSERT(nanoseconds{ns} > Histogram::upper_border(bucket - 1));
  }));
}

TEST_CASE("The borders rise without a gap and the middle of a bucket is within 7 percent of all it holds") {
  for (std::size_t bucket = 1; bucket + 1 < Histogram::bucket_count; ++bucket) {
    const auto lower = static_cast<double>(Histogram::upper_border(bucket - 1).count());
    const auto upper = static_cast<double>(Histogram::upper_border(bucket).count());
    CAPTURE(bucket);
    REQUIRE(lower < upper);
    const double middle = (lower + upper) / 2;
    REQUIRE((middle - lower) / lower <= 0.0626);
  }
  CHECK(Histogram::upper_border(Histogram::bucket_count - 2) == 100s);
}

TEST_CASE("Quantiles agree with the sorted durations within 7 percent") {
  CHECK(rc::check("quantile", [] {
    auto durations =
        *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(1'001, 3'000'000'000));
    RC_PRE(!durations.empty());
    Histogram histogram;
    for (const auto ns : durations) histogram.record(nanoseconds{ns});
    std::ranges::sort(durations);
    for (const double q : {0.0, 0.5, 0.95, 0.99, 1.0}) {
      const auto rank =
          std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(q * static_cast<double>(durations.size()))));
      const auto exact = static_cast<double>(durations[rank - 1]);
      const auto answer = static_cast<double>(histogram.quantile(q).count());
      RC_ASSERT(std::abs(answer - exact) <= 0.07 * exact);
    }
  }));
}

TEST_CASE("Exported counts are exact at every exported border") {
  CHECK(rc::check("cumulative", [] {
    const auto durations = *rc::gen::container<std::vector<std::int64_t>>(
        rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 20'000),
                       rc::gen::element<std::int64_t>(1'000, 2'500, 5'000, 1'000'000, 1'000'001),
                       rc::gen::inRange<std::int64_t>(0, 200'000'000'000)));
    Histogram histogram;
    for (const auto ns : durations) histogram.record(nanoseconds{ns});
    const auto counts = histogram.cumulative();
    const auto borders = Histogram::export_borders();
    for (std::size_t i = 0; i < borders.size(); ++i)
      RC_ASSERT(counts[i] == static_cast<std::uint64_t>(std::ranges::count_if(
                                 durations, [&](auto ns) { return nanoseconds{ns} <= borders[i]; })));
    RC_ASSERT(counts.back() == durations.size());
    RC_ASSERT(histogram.count() == durations.size());
  }));
}

TEST_CASE("An empty histogram answers zero, a negative duration counts as none and hours count as 100 seconds") {
  Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0ns);
  histogram.record(-5s);
  CHECK(histogram.sum() == 0ns);
  CHECK(histogram.quantile(0.5) <= 1us);
  histogram.record(3h);
  CHECK(histogram.quantile(1.0) == 100s);
  CHECK(histogram.sum() == 3h);
}
