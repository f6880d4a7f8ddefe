#include "metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <shared_mutex>
#include <sstream>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "metrics/catalogue.h"
#include "metrics/internal/histogram.h"
#include "metrics/internal/process.h"

#ifndef MILLRACE_VERSION
#error "MILLRACE_VERSION comes from the build (src/CMakeLists.txt)"
#endif

namespace millrace::metrics {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& inner) : inner_(inner) {}
  void add(std::uint64_t amount) override { inner_.Increment(static_cast<double>(amount)); }
  std::uint64_t value() const override { return static_cast<std::uint64_t>(inner_.Value()); }

 private:
  prometheus::Counter& inner_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& inner) : inner_(inner) {}
  void set(std::int64_t value) override { inner_.Set(static_cast<double>(value)); }
  std::int64_t value() const override { return static_cast<std::int64_t>(inner_.Value()); }

 private:
  prometheus::Gauge& inner_;
};

class HistogramTiming final : public Timing {
 public:
  void record(std::chrono::nanoseconds duration) override { histogram_.record(duration); }
  std::uint64_t count() const override { return histogram_.count(); }
  std::chrono::nanoseconds quantile(double q) const override { return histogram_.quantile(q); }
  const Histogram& histogram() const { return histogram_; }

 private:
  Histogram histogram_;
};

double in_seconds(std::chrono::nanoseconds duration) { return static_cast<double>(duration.count()) / 1e9; }

prometheus::ClientMetric exported(const Histogram& histogram) {
  prometheus::ClientMetric metric;
  const auto counts = histogram.cumulative();
  const auto borders = Histogram::export_borders();
  for (std::size_t i = 0; i < borders.size(); ++i)
    metric.histogram.bucket.push_back({counts[i], static_cast<double>(borders[i].count()) / 1e9});
  metric.histogram.sample_count = counts.back();
  metric.histogram.sample_sum = in_seconds(histogram.sum());
  return metric;
}

// Name and label values; views for looking up without building strings.
using Key = std::tuple<std::string, std::string, std::string>;
using KeyView = std::tuple<std::string_view, std::string_view, std::string_view>;
struct KeyLess {
  using is_transparent = void;
  static KeyView view(const Key& key) { return {std::get<0>(key), std::get<1>(key), std::get<2>(key)}; }
  static KeyView view(const KeyView& key) { return key; }
  template <class Left, class Right>
  bool operator()(const Left& left, const Right& right) const {
    return view(left) < view(right);
  }
};
template <class Metric>
using Metrics = std::map<Key, std::unique_ptr<Metric>, KeyLess>;

const MetricRow& row_of(std::string_view name, MetricType type) {
  const MetricRow* row = find_row(name);
  check(row != nullptr, "a metric needs a row in metrics/catalogue.cpp");
  check(row->type == type, "a metric is used as the type its row names");
  return *row;
}

const MetricRow& row_of(std::string_view name, MetricType type, std::string_view label_value) {
  const MetricRow& row = row_of(name, type);
  check(label_value.empty() ? row.label_count() <= 1 : row.label_count() == 1,
        "a metric is used with the labels its row names");
  return row;
}

const MetricRow& row_of_two_labels(std::string_view name, MetricType type) {
  const MetricRow& row = row_of(name, type);
  check(row.label_count() == 2, "a metric is used with the labels its row names");
  return row;
}

prometheus::Labels labels_of(const MetricRow& row, std::string_view first, std::string_view second) {
  prometheus::Labels labels;
  if (row.label_count() >= 1) labels[std::string(row.labels[0])] = first;
  if (row.label_count() >= 2) labels[std::string(row.labels[1])] = second;
  return labels;
}

prometheus::MetricFamily family(std::string_view name, prometheus::MetricType type) {
  const MetricRow* row = find_row(name);
  check(row != nullptr, "a metric needs a row in metrics/catalogue.cpp");
  prometheus::MetricFamily result;
  result.name = row->name;
  result.help = row->help;
  result.type = type;
  return result;
}

void add_process(std::vector<prometheus::MetricFamily>& families) {
  const ProcessFigures figures = process_figures();
  const auto gauge = [&](std::string_view name, double value) {
    auto& added = families.emplace_back(family(name, prometheus::MetricType::Gauge));
    added.metric.emplace_back().gauge.value = value;
  };
  auto& cpu = families.emplace_back(family("process_cpu_seconds_total", prometheus::MetricType::Counter));
  cpu.metric.emplace_back().counter.value = figures.cpu_seconds;
  gauge("process_resident_memory_bytes", static_cast<double>(figures.resident_bytes));
  gauge("process_virtual_memory_bytes", static_cast<double>(figures.virtual_bytes));
  gauge("process_open_fds", static_cast<double>(figures.open_descriptors));
  gauge("process_max_fds", static_cast<double>(figures.descriptors_max));
  gauge("process_threads", static_cast<double>(figures.threads));
  gauge("process_start_time_seconds", figures.start_seconds);
}

}  // namespace

struct Registry::Impl {
  // locked inside itself
  prometheus::Registry prometheus;

  mutable std::shared_mutex mutex;
  // guarded by mutex; entries are only added, so references stay good
  Metrics<Counter> counters;
  Metrics<Gauge> gauges;
  Metrics<HistogramTiming> timings;
  std::map<std::string_view, std::size_t> values_of_metric;  // by the row's name

  template <class Metric, class Make>
  Metric& find_or_add(Metrics<Metric>& metrics, const MetricRow& row, std::string_view first, std::string_view second,
                      Make make) {
    {
      const std::shared_lock lock(mutex);
      if (const auto found = metrics.find(KeyView{row.name, first, second}); found != metrics.end())
        return *found->second;
    }
    const std::unique_lock lock(mutex);
    // A label set that should be bounded and is not must cost neither memory nor the process.
    std::size_t& values = values_of_metric[row.name];
    if (row.label_count() > 0 && values >= label_values_max && !metrics.contains(KeyView{row.name, first, second})) {
      first = "other";
      if (row.label_count() == 2) second = "other";
    }
    const auto [place, added] = metrics.try_emplace(Key{row.name, first, second});
    if (added) {
      ++values;
      place->second = make(labels_of(row, first, second));
    }
    return *place->second;
  }

  Counter& counter(const MetricRow& row, std::string_view first, std::string_view second) {
    return find_or_add(counters, row, first, second, [&](const prometheus::Labels& labels) {
      auto& all =
          prometheus::BuildCounter().Name(std::string(row.name)).Help(std::string(row.help)).Register(prometheus);
      return std::make_unique<PrometheusCounter>(all.Add(labels));
    });
  }
  Gauge& gauge(const MetricRow& row, std::string_view value) {
    return find_or_add(gauges, row, value, "", [&](const prometheus::Labels& labels) {
      auto& all = prometheus::BuildGauge().Name(std::string(row.name)).Help(std::string(row.help)).Register(prometheus);
      return std::make_unique<PrometheusGauge>(all.Add(labels));
    });
  }
  Timing& timing(const MetricRow& row, std::string_view first, std::string_view second) {
    return find_or_add(timings, row, first, second,
                       [](const prometheus::Labels&) { return std::make_unique<HistogramTiming>(); });
  }

  void add_timings(std::vector<prometheus::MetricFamily>& families) const {
    const std::shared_lock lock(mutex);
    for (const auto& [key, timing] : timings) {
      const auto& [name, first, second] = key;
      if (families.empty() || families.back().name != name)
        families.push_back(family(name, prometheus::MetricType::Histogram));
      prometheus::ClientMetric metric = exported(timing->histogram());
      for (const auto& [label, value] : labels_of(*find_row(name), first, second))
        metric.label.push_back({label, value});
      families.back().metric.push_back(std::move(metric));
    }
  }
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {
  // A counter that has not counted yet is 0, not absent: a dashboard can tell "never happened" from "not measured".
  for (const MetricRow& row : catalogue()) {
    if (row.label_count() > 0 || row.name.starts_with("process_")) continue;
    switch (row.type) {
      case MetricType::counter:
        impl_->counter(row, "", "");
        break;
      case MetricType::gauge:
        impl_->gauge(row, "");
        break;
      case MetricType::timing:
        impl_->timing(row, "", "");
        break;
    }
  }
  gauge("millrace_build_info", MILLRACE_VERSION).set(1);
}

Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view label_value) {
  return impl_->counter(row_of(name, MetricType::counter, label_value), label_value, "");
}

Gauge& Registry::gauge(std::string_view name, std::string_view label_value) {
  return impl_->gauge(row_of(name, MetricType::gauge, label_value), label_value);
}

Timing& Registry::timing(std::string_view name, std::string_view label_value) {
  return impl_->timing(row_of(name, MetricType::timing, label_value), label_value, "");
}

Counter& Registry::counter(std::string_view name, std::string_view first, std::string_view second) {
  return impl_->counter(row_of_two_labels(name, MetricType::counter), first, second);
}

Timing& Registry::timing(std::string_view name, std::string_view first, std::string_view second) {
  return impl_->timing(row_of_two_labels(name, MetricType::timing), first, second);
}

std::string Registry::prometheus_text() const {
  std::vector<prometheus::MetricFamily> families = impl_->prometheus.Collect();
  impl_->add_timings(families);
  add_process(families);
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace millrace::metrics
