// What a sync costs the ERP: told as the ERP counts it itself, and bounded, also when it is slow.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "erp/service_source.h"
#include "ingest/intake.h"
#include "ingest/layout_profile.h"
#include "simulator/script.h"
#include "simulator/service_layer.h"
#include "store/record.h"
#include "testing/convergence/fake_time.h"
#include "testing/convergence/order_text.h"
#include "testing/temporary_folder.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr Instant morning = Instant(std::chrono::sys_days(std::chrono::year(2026) / 3 / 2)) + 9h;

simulator::Company company_of(std::size_t orders) {
  const auto day = std::chrono::floor<std::chrono::days>(morning).time_since_epoch().count();
  return simulator::random_company({.seed = 11, .orders = orders, .now = {static_cast<std::int32_t>(day), 0}});
}

// An ERP whose answers take time, and the moments at which it was asked.
class SlowWire final : public outbound::Transport {
 public:
  SlowWire(simulator::ServiceLayer& server, testing::FakeTime& time) : server_(server), time_(time) {}
  outbound::Reply send(const outbound::Call& call) override {
    asked.push_back(time_.now());
    outbound::Reply reply = server_.answer(call);
    reply.took += delay;
    time_.pass(reply.took);
    return reply;
  }
  void cancel() override {}

  milliseconds delay{20};
  std::vector<Instant> asked;

 private:
  simulator::ServiceLayer& server_;
  testing::FakeTime& time_;
};

struct Plant {
  explicit Plant(std::size_t orders, simulator::ServiceLayerOptions manners = {}) : server(manners, company_of(orders), time) {
    options.id = "erp";
    options.connect.url = "https://sap.test:50000/b1s/v2";
    options.connect.company = manners.company;
    options.connect.user = manners.user;
    options.connect.password = manners.password;
    options.streams = {"manufacturers", "items", "orders"};
    options.interval = 60s;
    options.seed = 5;
  }
  void start() {
    record = *store::open_sqlite_record({.path = folder / "record.db", .clock = &time});
    intake = std::make_unique<ingest::Intake>(*record, ingest::built_in_profile());
    REQUIRE(intake->restore({"erp"}, nullptr, [](const Error&) {}));
    source = erp::make_service_source(options, *intake, *record, metrics, time, wire, waiting);
  }
  // Work is done as it comes; in between the seconds pass.
  void run_until(Instant end) {
    while (time.now() < end)
      if (!source->step(0ms)) time.pass(1s);
  }
  void run_until_synced(Instant end) {
    while (source->status().state != ingest::SourceState::polling && time.now() < end)
      if (!source->step(0ms)) time.pass(1s);
  }
  std::map<Instant, std::size_t> calls_by_hour() const {
    std::map<Instant, std::size_t> hours;
    for (const Instant moment : wire.asked) ++hours[std::chrono::floor<std::chrono::hours>(moment)];
    return hours;
  }
  std::size_t most_calls_in_an_hour() const {
    std::size_t most = 0;
    for (const auto& [hour, calls] : calls_by_hour()) most = std::max(most, calls);
    return most;
  }
  std::set<std::string> held() {
    std::set<std::string> texts;
    REQUIRE(record->candidates("erp", [&](const store::Candidate& candidate) {
      texts.insert(testing::order_text(*candidate.order));
      return true;
    }));
    return texts;
  }
  std::set<std::string> wanted() const {
    std::set<std::string> texts;
    const simulator::Truth truth = server.truth();
    for (const auto& [entry, order] : truth.orders) texts.insert(testing::order_text(order, truth));
    return texts;
  }

  testing::FakeTime time{morning};
  testing::FakeTime::Waiting waiting{time};
  testing::TemporaryFolder folder;
  metrics::Registry metrics;
  simulator::ServiceLayer server;
  SlowWire wire{server, time};
  erp::ServiceSourceOptions options;
  std::unique_ptr<store::Record> record;
  std::unique_ptr<ingest::Intake> intake;
  std::unique_ptr<ingest::Source> source;
};

TEST_CASE("calls and bytes are told by kind, and are those the ERP counted itself") {
  Plant plant(300);
  plant.start();
  plant.run_until(morning + 5min);
  simulator::Script script({.seed = 4});
  plant.server.with_company([&](simulator::Company& company) {
    for (int i = 0; i < 20; ++i) script.step(company, plant.server.local_time());
    return 0;
  });
  plant.server.fail_next(simulator::Fault::bad_gateway, 2);
  plant.run_until(morning + 20min);
  CHECK(plant.held() == plant.wanted());

  const auto status = plant.source->status();
  REQUIRE(status.service);
  std::uint64_t calls = 0, failed = 0, retries = 0, by_metric = 0, bytes = 0, bytes_by_metric = 0;
  for (const ingest::CallsByKind& kind : status.service->calls) {
    calls += kind.calls;
    failed += kind.failed;
    retries += kind.retries;
    bytes += kind.bytes;
    CHECK(kind.time >= plant.wire.delay * static_cast<int>(kind.calls));
    for (const char* outcome : {"2xx", "3xx", "4xx", "5xx"}) by_metric += plant.metrics.counter("millrace_outbound_calls_total", kind.kind, outcome).value();
    bytes_by_metric += plant.metrics.counter("millrace_outbound_bytes_total", "erp", kind.kind).value();
  }
  const simulator::Stats theirs = plant.server.stats();
  CHECK(calls == theirs.calls);
  CHECK(by_metric == theirs.calls);
  CHECK(failed == 2);
  CHECK(retries == 2);
  CHECK(bytes == bytes_by_metric);
  CHECK(bytes >= theirs.bytes);  // the pages of the balancer are not the server's own
  CHECK(plant.metrics.gauge("millrace_erp_last_sync_milliseconds", "erp").value() == status.refresh_took.count());
  CHECK(plant.metrics.gauge("millrace_erp_last_sync_timestamp_seconds", "erp").value() >= std::chrono::floor<std::chrono::seconds>(morning + 19min).time_since_epoch().count());
}

TEST_CASE("the last syncs of an hour are kept with their duration, older ones are forgotten") {
  Plant plant(50);
  plant.options.interval = 600s;
  plant.start();
  plant.run_until(morning + 3h);
  const auto status = plant.source->status();
  REQUIRE(status.service);
  const auto& runs = status.service->streams.back().runs;
  REQUIRE(runs.size() >= 6);
  CHECK(runs.size() <= 7);
  CHECK(plant.time.now() - runs.front().started <= 601s);
  CHECK(plant.time.now() - runs[5].started <= 3600s);
  CHECK(runs.front().took > 0ms);
}

TEST_CASE("an ERP that becomes slow is called less often, and what changes there is found all the same") {
  Plant plant(100);
  plant.start();
  plant.run_until(morning + 1h);
  const std::size_t before = plant.wire.asked.size();
  plant.run_until(morning + 2h);
  const std::size_t usual = plant.wire.asked.size() - before;
  plant.wire.delay = 20s;
  plant.run_until(morning + 4h);  // it learns
  const std::size_t learned = plant.wire.asked.size();
  simulator::Script script({.seed = 9});
  plant.server.with_company([&](simulator::Company& company) {
    for (int i = 0; i < 10; ++i) script.step(company, plant.server.local_time());
    return 0;
  });
  plant.run_until(morning + 5h);
  const std::size_t slow = plant.wire.asked.size() - learned;
  CAPTURE(usual);
  CAPTURE(slow);
  CHECK(slow * 4 < usual);
  CHECK(plant.source->status().delay_why.contains("slowly"));
  plant.run_until(morning + 6h);
  CHECK(plant.held() == plant.wanted());
  plant.wire.delay = 20ms;
  plant.run_until(morning + 12h);
  CHECK(plant.source->status().refresh_interval == 60s);  // and more often again when it is well
}

TEST_CASE("in no hour more calls than the budget has, and the first sync still ends with every order") {
  simulator::ServiceLayerOptions manners;
  manners.page_cap = 50;
  Plant plant(900, manners);
  plant.options.slice_keys = 200;
  plant.options.care.calls_per_hour = 16;
  plant.options.interval = 600s;
  plant.wire.delay = 3s;
  plant.start();
  plant.run_until_synced(morning + 24h);
  CHECK(plant.source->status().state == ingest::SourceState::polling);
  CHECK(plant.held() == plant.wanted());
  CHECK(plant.time.now() > morning + 1h);  // it did not fit into one
  CHECK(plant.most_calls_in_an_hour() <= 16);
  // Pages are not read twice, it goes on at the key where the hour ended: 18 of them, and the scans that follow.
  CHECK(plant.server.stats().by_set.find("Orders")->second < 45);
  plant.run_until(plant.time.now() + 3h);
  CHECK(plant.most_calls_in_an_hour() <= 16);
}

}  // namespace
}  // namespace millrace
