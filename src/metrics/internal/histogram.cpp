#include "metrics/internal/histogram.h"

#include <algorithm>
#include <cmath>

namespace millrace::metrics {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t first_ns = 1'000;  // 1 us
constexpr std::size_t first_steps = 10;   // 1 .. 2
constexpr std::size_t middle_steps = 12;  // 2 .. 5

// Borders within a decade are multiples of a twentieth of its start, so all of them are whole nanoseconds.
constexpr std::int64_t border_twentieths(std::size_t step) {
  if (step <= first_steps) return 20 + 2 * static_cast<std::int64_t>(step);
  if (step <= first_steps + middle_steps) return 40 + 5 * static_cast<std::int64_t>(step - first_steps);
  return 100 + 10 * static_cast<std::int64_t>(step - first_steps - middle_steps);
}

constexpr auto borders = [] {
  std::array<std::int64_t, 3 * Histogram::decades + 1> list{};
  std::int64_t start = first_ns;
  for (std::size_t decade = 0; decade < Histogram::decades; ++decade, start *= 10) {
    list[3 * decade] = start;
    list[3 * decade + 1] = start / 2 * 5;
    list[3 * decade + 2] = start * 5;
  }
  list.back() = start;
  return list;
}();

}  // namespace

std::size_t Histogram::bucket_of(nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns <= first_ns) return 0;
  std::int64_t start = first_ns;
  std::size_t decade = 0;
  while (decade < decades && ns > start * 10) {
    start *= 10;
    ++decade;
  }
  if (decade == decades) return bucket_count - 1;
  // Borders belong to the bucket below them, hence the duration just before `ns` decides.
  const std::int64_t before = ns - 1;
  std::int64_t step = 0;
  if (before < 2 * start) {
    step = (before - start) * 10 / start;
  } else if (before < 5 * start) {
    step = static_cast<std::int64_t>(first_steps) + (before - 2 * start) * 4 / start;
  } else {
    step = static_cast<std::int64_t>(first_steps + middle_steps) + (before - 5 * start) * 2 / start;
  }
  return 1 + decade * buckets_per_decade + static_cast<std::size_t>(step);
}

nanoseconds Histogram::upper_border(std::size_t bucket) {
  if (bucket == 0) return nanoseconds{first_ns};
  std::int64_t start = first_ns;
  for (std::size_t decade = (bucket - 1) / buckets_per_decade; decade > 0; --decade) start *= 10;
  return nanoseconds{start / 20 * border_twentieths((bucket - 1) % buckets_per_decade + 1)};
}

void Histogram::record(nanoseconds duration) {
  // A clock that went back must not make the sum shrink.
  const nanoseconds counted = std::max(duration, nanoseconds{0});
  buckets_[bucket_of(counted)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(counted.count(), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

nanoseconds Histogram::quantile(double q) const {
  std::array<std::uint64_t, bucket_count> counts{};
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) total += counts[i] = buckets_[i].load(std::memory_order_relaxed);
  if (total == 0) return nanoseconds{0};
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(total));
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, total);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while (seen + counts[bucket] < rank) seen += counts[bucket++];
  if (bucket == bucket_count - 1) return upper_border(bucket_count - 2);
  const nanoseconds lower = bucket == 0 ? nanoseconds{0} : upper_border(bucket - 1);
  return (lower + upper_border(bucket)) / 2;
}

std::span<const nanoseconds> Histogram::export_borders() {
  static const auto list = [] {
    std::array<nanoseconds, borders.size()> durations{};
    std::ranges::transform(borders, durations.begin(), [](std::int64_t ns) { return nanoseconds{ns}; });
    return durations;
  }();
  return list;
}

std::array<std::uint64_t, 3 * Histogram::decades + 2> Histogram::cumulative() const {
  std::array<std::uint64_t, 3 * decades + 2> result{};
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  for (std::size_t i = 0; i < borders.size(); ++i) {
    const std::size_t last = bucket_of(nanoseconds{borders[i]});
    for (; bucket <= last; ++bucket) seen += buckets_[bucket].load(std::memory_order_relaxed);
    result[i] = seen;
  }
  result.back() = seen + buckets_.back().load(std::memory_order_relaxed);
  return result;
}

}  // namespace millrace::metrics
