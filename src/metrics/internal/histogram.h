// Log-linear histogram of durations.
//
//   per decade of 1 us, 10 us, ... 10 s:   1.0 .. 2.0 in steps of 0.1    (10 buckets)
//                                          2.0 .. 5.0 in steps of 0.25   (12 buckets)
//                                          5.0 .. 10  in steps of 0.5    (10 buckets)
//   and one bucket below 1 us, one above 100 s.
//
// Invariants
//   * A bucket holds (lower, upper], as Prometheus counts "le"; so the borders 1, 2.5 and 5 of each decade are exact.
//   * The middle of a bucket is within 6.25 % of every duration in it.
//   * Recording is two relaxed atomic additions; any thread may record.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::metrics {

class Histogram {
 public:
  static constexpr std::size_t decades = 8;
  static constexpr std::size_t buckets_per_decade = 32;
  static constexpr std::size_t bucket_count = decades * buckets_per_decade + 2;

  void record(std::chrono::nanoseconds duration);

  std::uint64_t count() const;
  std::chrono::nanoseconds sum() const { return std::chrono::nanoseconds{sum_.load(std::memory_order_relaxed)}; }
  // The middle of the bucket that holds the value at rank q, 0 <= q <= 1; zero when nothing was recorded.
  std::chrono::nanoseconds quantile(double q) const;

  // Exported borders, ascending: 1, 2.5 and 5 of each decade, up to 100 s.
  static std::span<const std::chrono::nanoseconds> export_borders();
  // How many durations are <= each export border, and (last) how many there are.
  std::array<std::uint64_t, 3 * decades + 2> cumulative() const;

  static std::size_t bucket_of(std::chrono::nanoseconds duration);
  static std::chrono::nanoseconds upper_border(std::size_t bucket);  // of every bucket but the last

 private:
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
  std::atomic<std::int64_t> sum_{0};  // nanoseconds
};

}  // namespace millrace::metrics
