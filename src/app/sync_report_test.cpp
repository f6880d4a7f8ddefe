#include "app/sync_report.h"

#include <doctest/doctest.h>

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

Instant at(std::string_view text) { return *parse_instant(text); }

SyncReport report() {
  SyncReport report;
  report.began = at("2026-03-10T08:00:00Z");
  report.took = 1500ms;
  report.status.id = "sap";
  report.status.root = "https://sap.example:50000/b1s/v2";
  report.status.state = ingest::SourceState::polling;
  auto& service = report.status.service.emplace();
  ingest::StreamStatus orders;
  orders.name = "orders";
  orders.phase = "following";
  orders.rows = 1200;
  orders.runs.push_back({at("2026-03-10T08:00:01Z"), 900ms, 3, 5000, 40, 2, 2, 1, "good", ""});
  orders.runs.push_back({at("2026-03-10T07:55:00Z"), 900ms, 9, 9000, 90, 9, 9, 9, "good", ""});
  ingest::StreamStatus items;
  items.name = "items";
  items.phase = "following";
  items.runs.push_back({at("2026-03-10T07:55:00Z"), 900ms, 9, 9000, 90, 9, 9, 9, "good", ""});
  service.streams = {orders, items};
  report.calls = {{"scan", 3, 1, 0, 5000, 2000us}};
  return report;
}

TEST_CASE("a sync is told by the runs that belong to it, and by no earlier one") {
  const std::string json = sync_json(report());
  CHECK(json.find(R"("calls":3,"bytes":5000,"rows_read":40,"rows_written":2,"rows_gone":1)") != std::string::npos);
  CHECK(json.find(R"("seconds":1.500)") != std::string::npos);
  CHECK(json.find(R"("memory_peak_bytes":null)") != std::string::npos);
  CHECK(json.find(R"({"kind":"scan","calls":3,"retries":1,"failed":0,"bytes":5000,"time_us":2000})") != std::string::npos);
  const std::string text = sync_text(report());
  CHECK(text.find("not reached") != std::string::npos);
  CHECK(text.find("orders") != std::string::npos);
}

TEST_CASE("a sync of our own says what it cost the record and how much memory it took") {
  SyncReport own = report();
  own.rows_committed = 12;
  own.commits = 2;
  own.statements = 345;
  own.memory_peak = 37ull << 20;
  CHECK(sync_json(own).find(R"("rows_committed":12,"commits":2,"statements":345,"memory_peak_bytes":38797312)") != std::string::npos);
  CHECK(sync_text(own).find("12 rows of the record in 2 commits and 345 statements, at most 37 MiB of memory") != std::string::npos);
  CHECK(sync_json(report()).find(R"("statements":null)") != std::string::npos);  // the server's own are not of one sync
}

TEST_CASE("calls of a sync are those since it began") {
  const std::vector<ingest::CallsByKind> before = {{"scan", 10, 1, 1, 100, 50us}, {"login", 1, 0, 0, 10, 5us}};
  const std::vector<ingest::CallsByKind> after = {{"scan", 12, 1, 1, 150, 80us}, {"login", 1, 0, 0, 10, 5us}, {"fetch", 4, 0, 0, 40, 20us}};
  const auto calls = calls_since(before, after);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].kind == "scan");
  CHECK(calls[0].calls == 2);
  CHECK(calls[0].bytes == 50);
  CHECK(calls[1].kind == "fetch");
  CHECK(calls[1].calls == 4);
}

TEST_CASE("what a running server says of a source is read as our own") {
  const std::string answer = R"({"as_of":1,"data":[{"id":"orders","service":null},{"id":"sap","kind":"sap-b1","root":"r","state":"held","message":"m",)"
                             R"("orders":5,"refresh":{"count":7},"service":{"breaker":"closed","streams":[{"name":"orders","phase":"following","rows":5,)"
                             R"("runs":[{"started":"2026-03-10T08:00:01.000Z","took_ms":900,"calls":3,"bytes":1,"rows_read":40,"documents_read":2,)"
                             R"("rows_written":2,"rows_gone":1,"outcome":"held","message":"why"}]}],"calls":[{"kind":"scan","calls":3,"retries":0,"failed":0,"bytes":9,"time_us":5}]}}]})";
  const auto source = source_of_answer(answer, "sap");
  REQUIRE_MESSAGE(source, source.error().text());
  CHECK(source->state == ingest::SourceState::held);
  CHECK(source->refresh_count == 7);
  REQUIRE(source->service);
  CHECK(source->service->streams.at(0).runs.at(0).started == at("2026-03-10T08:00:01Z"));
  CHECK(source->service->streams.at(0).runs.at(0).outcome == "held");
  CHECK(source->service->calls.at(0).time == 5us);
  CHECK(source_of_answer(answer, "mail").error().code() == ErrorCode::not_found);
  CHECK(source_of_answer("<html>", "sap").error().code() == ErrorCode::unavailable);
}

}  // namespace
}  // namespace millrace::app
