#include "metrics/metrics.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "metrics/catalogue.h"

using namespace millrace;
using namespace millrace::metrics;
using namespace std::chrono_literals;

namespace {

bool has_line(const std::string& text, std::string_view line) {
  std::istringstream in(text);
  for (std::string each; std::getline(in, each);)
    if (each == line) return true;
  return false;
}

// The value of the first sample whose line starts with `start`; -1 when there is none.
double sample(const std::string& text, std::string_view start) {
  std::istringstream in(text);
  for (std::string each; std::getline(in, each);)
    if (each.starts_with(start)) return std::stod(each.substr(each.rfind(' ') + 1));
  return -1;
}

}  // namespace

TEST_CASE("The catalogue names each metric once, with help, and in the words Prometheus expects") {
  std::set<std::string_view> names;
  for (const MetricRow& row : catalogue()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.help.empty());
    CHECK(row.help.ends_with('.'));
    CHECK((row.name.starts_with("millrace_") || row.name.starts_with("process_")));
    CHECK((row.type == MetricType::counter) == row.name.ends_with("_total"));
    if (row.type == MetricType::timing) CHECK(row.name.ends_with("_seconds"));
    CHECK(find_row(row.name) == &row);
    CHECK_FALSE(word(row.type).empty());
  }
  CHECK(find_row("millrace_no_such_thing") == nullptr);
  CHECK(find_row("") == nullptr);
}

TEST_CASE("A counter counts and the same name and label is the same counter") {
  Registry registry;
  Counter& read = registry.counter("millrace_files_read_total", "orders");
  read.add();
  read.add(41);
  CHECK(&registry.counter("millrace_files_read_total", "orders") == &read);
  CHECK(registry.counter("millrace_files_read_total", "orders").value() == 42);
  CHECK(registry.counter("millrace_files_read_total", "archive").value() == 0);
  CHECK(has_line(registry.prometheus_text(), "millrace_files_read_total{source=\"orders\"} 42"));
}

TEST_CASE("A gauge says what it was last set to, below zero as well") {
  Registry registry;
  registry.gauge("millrace_live_clients").set(7);
  registry.gauge("millrace_live_clients").set(-2);
  CHECK(registry.gauge("millrace_live_clients").value() == -2);
  CHECK(has_line(registry.prometheus_text(), "millrace_live_clients -2"));
}

TEST_CASE("Requests are counted by route and code") {
  Registry registry;
  registry.counter("millrace_http_requests_total", "/api/v1/orders", "200").add(3);
  registry.counter("millrace_http_requests_total", "/api/v1/orders", "404").add();
  const std::string text = registry.prometheus_text();
  CHECK(sample(text, "millrace_http_requests_total{code=\"200\",route=\"/api/v1/orders\"}") == 3);
  CHECK(sample(text, "millrace_http_requests_total{code=\"404\",route=\"/api/v1/orders\"}") == 1);
}

TEST_CASE("Timings are exported as a Prometheus histogram in seconds whose borders include the border itself") {
  Registry registry;
  Timing& commit = registry.timing("millrace_commit_seconds");
  commit.record(1ms);        // on the border of le="0.001"
  commit.record(1ms + 1ns);  // just above it
  commit.record(200s);       // beyond the last border
  const std::string text = registry.prometheus_text();
  CHECK(has_line(text, "# TYPE millrace_commit_seconds histogram"));
  CHECK(has_line(text, "millrace_commit_seconds_bucket{le=\"0.001\"} 1"));
  CHECK(has_line(text, "millrace_commit_seconds_bucket{le=\"0.0025\"} 2"));
  CHECK(has_line(text, "millrace_commit_seconds_bucket{le=\"100\"} 2"));
  CHECK(has_line(text, "millrace_commit_seconds_bucket{le=\"+Inf\"} 3"));
  CHECK(has_line(text, "millrace_commit_seconds_count 3"));
  CHECK(sample(text, "millrace_commit_seconds_sum") == doctest::Approx(200.002));
}

TEST_CASE("What never happened is exported as zero, so that it differs from what is not measured") {
  const Registry registry;
  const std::string text = registry.prometheus_text();
  CHECK(has_line(text, "millrace_cache_hits_total 0"));
  CHECK(has_line(text, "millrace_parser_workers_replaced_total 0"));
  CHECK(has_line(text, "millrace_apply_seconds_count 0"));
}

TEST_CASE("The answer says which program it is and what it costs the machine") {
  const Registry registry;
  const std::string text = registry.prometheus_text();
  CHECK(sample(text, "millrace_build_info{version=\"") == 1);
  CHECK(sample(text, "process_resident_memory_bytes") > 1e5);
  CHECK(sample(text, "process_virtual_memory_bytes") >= sample(text, "process_resident_memory_bytes"));
  CHECK(sample(text, "process_cpu_seconds_total") >= 0);
  CHECK(sample(text, "process_open_fds") >= 3);
  CHECK(sample(text, "process_max_fds") >= sample(text, "process_open_fds"));
  CHECK(sample(text, "process_threads") >= 1);
  CHECK(sample(text, "process_start_time_seconds") > 1.5e9);
}

TEST_CASE("Each metric appears with its help and type exactly once") {
  Registry registry;
  registry.timing("millrace_parse_seconds", "json").record(1ms);
  registry.timing("millrace_parse_seconds", "pdf").record(15ms);
  registry.timing("millrace_http_request_duration_seconds", "/api/v1/orders", "200").record(2ms);
  std::set<std::string> types;
  std::istringstream in(registry.prometheus_text());
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    CAPTURE(line);
    CHECK(types.insert(line).second);
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    CHECK(find_row(name) != nullptr);
  }
  CHECK(types.contains("# TYPE millrace_parse_seconds histogram"));
  CHECK(types.contains("# TYPE millrace_orders gauge"));
}

TEST_CASE("A label set without an end is gathered under 'other' and stays bounded") {
  Registry registry;
  for (std::size_t i = 0; i < label_values_max + 50; ++i)
    registry.counter("millrace_changes_total", "kind" + std::to_string(i)).add();
  CHECK(registry.counter("millrace_changes_total", "kind0").value() == 1);
  CHECK(registry.counter("millrace_changes_total", "other").value() == 50);
}

TEST_CASE("Label values with quotes and line ends cannot break the exported text") {
  Registry registry;
  registry.counter("millrace_files_read_total", "a\"b\\c\nd").add();
  CHECK(has_line(registry.prometheus_text(), R"(millrace_files_read_total{source="a\"b\\c\nd"} 1)"));
}

TEST_CASE("Nothing is lost when many threads record, look up and export at the same time") {
  Registry registry;
  constexpr int threads = 4, rounds = 5'000;
  {
    std::vector<std::jthread> recorders;
    for (int t = 0; t < threads; ++t)
      recorders.emplace_back([&registry, t] {
        for (int i = 0; i < rounds; ++i) {
          registry.counter("millrace_http_requests_total", "/r" + std::to_string(i % 7), "200").add();
          registry.timing("millrace_http_request_duration_seconds", "/r", "200").record(std::chrono::microseconds{i});
          registry.gauge("millrace_queue_depth", "q" + std::to_string(t)).set(i);
        }
      });
    for (int i = 0; i < 20; ++i) CHECK_FALSE(registry.prometheus_text().empty());
  }
  std::uint64_t total = 0;
  for (int i = 0; i < 7; ++i)
    total += registry.counter("millrace_http_requests_total", "/r" + std::to_string(i), "200").value();
  CHECK(total == threads * rounds);
  CHECK(registry.timing("millrace_http_request_duration_seconds", "/r", "200").count() == threads * rounds);
  CHECK(registry.gauge("millrace_queue_depth", "q0").value() == rounds - 1);
}
