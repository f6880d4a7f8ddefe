// Counters, gauges and timings of ourselves, from one catalogue of rows (`metrics/catalogue.h`).
//
// Invariants
//   * Every metric has a row: name, type, unit, help, label. A name without a row is a broken contract.
//   * Recording is one relaxed atomic or a few; any thread may record.
//   * Labels come from bounded sets (route templates, codes, source ids), never from raw input.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::metrics {

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(std::uint64_t amount = 1) = 0;
  virtual std::uint64_t value() const = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(std::int64_t value) = 0;
  virtual std::int64_t value() const = 0;
};
// Log-linear histogram of durations, 1 us .. 100 s, relative error under 7 %.
class Timing {
 public:
  virtual ~Timing() = default;
  virtual void record(std::chrono::nanoseconds duration) = 0;
  virtual std::uint64_t count() const = 0;
  virtual std::chrono::nanoseconds quantile(double q) const = 0;
};

class Registry {
 public:
  Registry();
  ~Registry();
  // Same name and label value: same object, for the life of the registry. Look up once, keep the reference.
  Counter& counter(std::string_view name, std::string_view label_value = "");
  Gauge& gauge(std::string_view name, std::string_view label_value = "");
  Timing& timing(std::string_view name, std::string_view label_value = "");
  // Two labels for metrics whose row names two ("route", "code").
  Counter& counter(std::string_view name, std::string_view first, std::string_view second);
  Timing& timing(std::string_view name, std::string_view first, std::string_view second);

  // Prometheus text format 0.0.4, process_* and millrace_build_info included.
  std::string prometheus_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::metrics
