// What a source that is a service (an ERP) shows on its routes, and how what is held is decided.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "server/test_plant.h"

namespace millrace::server {

namespace {

ingest::SourceStatus sap() {
  ingest::SourceStatus source;
  source.id = "sap";
  source.kind = "sap-b1";
  source.root = "https://sap.example:50000/b1s/v2";
  source.state = ingest::SourceState::held;
  source.message = "The sync would remove 412 of 1200 orders.";
  source.as_of_time = testing::instant("2026-03-10T07:59:48Z");
  auto& service = source.service.emplace();
  service.dialect = "sap-b1 v2";
  service.address = "https://sap.example:50000";
  service.company = "NORDWERK";
  service.breaker = "closed";
  service.calls_this_hour = 17;
  service.calls_per_hour = 600;
  service.capabilities = {{"page cap", "100"}};
  service.calls = {{"scan", 12, 1, 0, 4096, std::chrono::microseconds(1500)}};
  ingest::StreamStatus orders;
  orders.name = "orders";
  orders.phase = "following";
  orders.rows = 1200;
  orders.rows_open = 300;
  orders.last_good = testing::instant("2026-03-10T07:59:48Z");
  orders.verified_share = 0.25;
  orders.runs.push_back({testing::instant("2026-03-10T07:59:47Z"), std::chrono::milliseconds(900), 3, 512, 40, 2, 2, 0,
                         "good", ""});
  service.streams.push_back(orders);
  ingest::HeldSync held;
  held.stream = "orders";
  held.since = testing::instant("2026-03-10T07:50:00Z");
  held.why = "412 of 1200 orders would be gone, more than 2 %.";
  held.rows_before = 1200;
  held.rows_gone = 412;
  held.totals = {{"EUR", 500'000, 120'000}};
  held.examples = {{"4711", "SO-4711", "ACME", "gone"}};
  service.held.push_back(held);
  return source;
}

}  // namespace

TEST_CASE("an ERP shows its streams, its last syncs, its calls and what is held") {
  TestPlant plant;
  plant.sources.add(sap());
  const auto list = boost::json::parse(plant.get("/api/v1/sources").body);
  CHECK(list.at("data").at(0).at("service").is_null());
  const auto& source = list.at("data").at(1);
  CHECK(source.at("state_word").as_string() == "poor");
  CHECK(source.at("progress").at("unit").as_string() == "rows");
  const auto& service = source.at("service");
  CHECK(service.at("dialect").as_string() == "sap-b1 v2");
  CHECK(service.at("calls_this_hour").as_int64() == 17);
  CHECK(service.at("breaker_until").is_null());
  CHECK(service.at("calls").at(0).at("time_us").as_int64() == 1500);
  CHECK(service.at("capabilities").at(0).at("name").as_string() == "page cap");
  const auto& stream = service.at("streams").at(0);
  CHECK(stream.at("age_s").as_int64() == 12);
  CHECK(stream.at("verified_as_of").is_null());
  CHECK(stream.at("verified_share").as_double() == doctest::Approx(0.25));
  CHECK(stream.at("runs").at(0).at("took_ms").as_int64() == 900);
}

TEST_CASE("a held sync is listed with its totals and a person accepts or rejects it") {
  TestPlant plant;
  plant.sources.add(sap());
  const auto held = boost::json::parse(plant.get("/api/v1/held").body);
  CHECK(held.at("total").as_int64() == 1);
  const auto& first = held.at("data").at(0);
  CHECK(first.at("source").as_string() == "sap");
  CHECK(first.at("rows_gone").as_int64() == 412);
  CHECK(first.at("totals").at(0).at("before").at("minor").as_int64() == 500'000);
  CHECK(first.at("totals").at(0).at("after").at("currency").as_string() == "EUR");
  CHECK(first.at("examples").at(0).at("number").as_string() == "SO-4711");
  CHECK(ask(plant.address, "POST", "/api/v1/sources/sap/accept-held").status == 202);
  CHECK(ask(plant.address, "POST", "/api/v1/sources/mail/accept-held").status == 404);
  const auto rejected = ask(plant.address, "POST", "/api/v1/sources/sap/reject-held");
  CHECK(rejected.status == 202);
  CHECK(boost::json::parse(plant.get("/api/v1/held").body).at("total").as_int64() == 0);
}

}  // namespace millrace::server
