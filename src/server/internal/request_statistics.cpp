#include "server/internal/request_statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace millrace::server {

void DurationHistogram::record(std::chrono::nanoseconds duration) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count() / 1000, 1));
  const auto power = static_cast<std::size_t>(std::bit_width(us) - 1);
  const std::size_t step = power >= 3 ? (us >> (power - 3)) & 7 : (us << (3 - power)) & 7;
  buckets_[std::min(power * 8 + step, bucket_count - 1)].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
}

double DurationHistogram::quantile_ms(double q) const {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen < rank) continue;
    const double low = std::exp2(static_cast<double>(i / 8));
    return low * (1.0 + (static_cast<double>(i % 8) + 0.5) / 8.0) / 1000.0;
  }
  return 0;
}

RequestStatistics::RequestStatistics(metrics::Registry& metrics, std::vector<std::string> route_names)
    : metrics_(metrics),
      hits_(metrics.counter("millrace_cache_hits_total")),
      misses_(metrics.counter("millrace_cache_misses_total")) {
  for (std::string& name : route_names) {
    routes_.push_back(std::make_unique<PerRoute>());
    routes_.back()->name = std::move(name);
  }
}

namespace {
// A slot per status we answer with: a small table instead of a map on the hot way.
constexpr std::array known_codes = {0,   101, 200, 202, 204, 206, 304, 400, 403, 404, 405, 406, 408, 409,
                                    413, 414, 415, 417, 422, 426, 429, 431, 499, 500, 501, 503, 505};
std::size_t slot_of(int status) {
  for (std::size_t i = 1; i < known_codes.size(); ++i)
    if (known_codes[i] == status) return i;
  return 0;
}
}  // namespace

void RequestStatistics::record(std::size_t route, int status, std::chrono::nanoseconds duration,
                               Stopwatch::time_point done) {
  PerRoute& per_route = *routes_[std::min(route, routes_.size() - 1)];
  per_route.durations.record(duration);
  all_.record(duration);
  if (status >= 500) {
    per_route.errors.fetch_add(1, std::memory_order_relaxed);
    errors_.fetch_add(1, std::memory_order_relaxed);
  }
  PerCode& code = per_route.codes[slot_of(status)];
  metrics::Counter* counter = code.counter.load(std::memory_order_acquire);
  metrics::Timing* timing = code.timing.load(std::memory_order_acquire);
  if (!counter || !timing) {
    const std::string text = std::to_string(status);
    counter = &metrics_.counter("millrace_http_requests_total", per_route.name, text);
    timing = &metrics_.timing("millrace_http_request_duration_seconds", per_route.name, text);
    code.counter.store(counter, std::memory_order_release);
    code.timing.store(timing, std::memory_order_release);
  }
  counter->add();
  timing->record(duration);

  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(done - started_).count();
  Second& second = seconds_[static_cast<std::size_t>(now) % seconds_.size()];
  std::int64_t expected = second.number.load(std::memory_order_relaxed);
  if (expected != now && second.number.compare_exchange_strong(expected, now))
    second.count.store(0, std::memory_order_relaxed);
  second.count.fetch_add(1, std::memory_order_relaxed);
}

RequestStatistics::Line RequestStatistics::line_of(const DurationHistogram& durations, std::uint64_t errors,
                                                   std::string_view name) {
  return {name,
          durations.count(),
          errors,
          durations.quantile_ms(0.50),
          durations.quantile_ms(0.95),
          durations.quantile_ms(0.99)};
}

RequestStatistics::Line RequestStatistics::all() const { return line_of(all_, errors_.load(), "all"); }

std::vector<RequestStatistics::Line> RequestStatistics::routes() const {
  std::vector<Line> lines;
  for (const auto& route : routes_)
    if (route->durations.count() > 0) lines.push_back(line_of(route->durations, route->errors.load(), route->name));
  return lines;
}

double RequestStatistics::rate_1m() const {
  const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(Stopwatch::now() - started_).count();
  std::uint64_t count = 0;
  for (const Second& second : seconds_) {
    const std::int64_t number = second.number.load(std::memory_order_relaxed);
    if (number >= 0 && number > now - 60 && number <= now) count += second.count.load(std::memory_order_relaxed);
  }
  return static_cast<double>(count) / static_cast<double>(std::clamp<std::int64_t>(now + 1, 1, 60));
}

}  // namespace millrace::server
