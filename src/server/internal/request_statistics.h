// Timings of our own requests for the Performance panel: per route and over all, since the start.
//
// Invariants
//   * Recording is a few relaxed atomics; any thread may record or read.
//   * Quantiles are exact to 7 %: eight steps per doubling.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "metrics/metrics.h"

namespace millrace::server {

class DurationHistogram {
 public:
  void record(std::chrono::nanoseconds duration);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  double quantile_ms(double q) const;

 private:
  static constexpr std::size_t bucket_count = 8 * 28;  // 1 us .. 268 s
  std::array<std::atomic<std::uint32_t>, bucket_count> buckets_{};
  std::atomic<std::uint64_t> count_{0};
};

class RequestStatistics {
 public:
  // One slot per route template, in the order of the route table, and one for what no route takes.
  RequestStatistics(metrics::Registry& metrics, std::vector<std::string> route_names);

  // `now` is when the answer was done.
  void record(std::size_t route, int status, std::chrono::nanoseconds duration, Stopwatch::time_point now);

  struct Line {
    std::string_view route;
    std::uint64_t count = 0;
    std::uint64_t errors = 0;  // 5xx
    double p50_ms = 0, p95_ms = 0, p99_ms = 0;
  };
  Line all() const;
  std::vector<Line> routes() const;  // those asked at least once
  double rate_1m() const;
  void count_cache(bool hit) { (hit ? hits_ : misses_).add(); }

 private:
  static constexpr std::size_t code_slots = 40;
  struct PerCode {
    std::atomic<metrics::Counter*> counter{nullptr};
    std::atomic<metrics::Timing*> timing{nullptr};
  };
  struct PerRoute {
    std::string name;
    DurationHistogram durations;
    std::atomic<std::uint64_t> errors{0};
    std::array<PerCode, code_slots> codes;
  };
  static Line line_of(const DurationHistogram& durations, std::uint64_t errors, std::string_view name);

  metrics::Registry& metrics_;
  metrics::Counter& hits_;
  metrics::Counter& misses_;
  const Stopwatch::time_point started_ = Stopwatch::now();
  std::vector<std::unique_ptr<PerRoute>> routes_;
  DurationHistogram all_;
  std::atomic<std::uint64_t> errors_{0};
  struct Second {
    std::atomic<std::int64_t> number{-1};
    std::atomic<std::uint32_t> count{0};
  };
  std::array<Second, 64> seconds_;
};

}  // namespace millrace::server
