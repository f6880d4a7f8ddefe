// What jobs are told, and what of it is refused.
#include "app/job_payload.h"

#include <doctest/doctest.h>

#include <fstream>

#include "app/job_kinds.h"
#include "app/totals_report.h"
#include "testing/temporary_folder.h"

namespace millrace::app {
namespace {

std::string told(std::string_view payload) {
  const auto report = parse_report(payload);
  if (!report) return report.error().text();
  std::string text = report->of + "." + report->format;
  for (const auto& [name, value] : report->parameters) text += " " + name + "=" + value;
  return text;
}

}  // namespace

TEST_CASE("a report says what it is of, as what, and with which filters of the order list") {
  CHECK(told("{}") == "orders.csv");
  CHECK(told(R"({"of":"totals","format":"xlsx","group":"customer","filters":{"late":"true","customer":["C1","C2"]},"sort":"-open_amount"})") ==
        "totals.xlsx late=true customer=C1 customer=C2 sort=-open_amount group=customer");
}

TEST_CASE("a report that cannot be is refused before it becomes a job") {
  CHECK(told("[]") == "the payload is no JSON object, {...}");
  CHECK(told(R"({"of":"cash"})") == "\"of\" is one of orders, lines, totals, not \"cash\"");
  CHECK(told(R"({"format":"pdf"})") == "\"format\" is one of csv, xlsx, json, ndjson, not \"pdf\"");
  CHECK(told(R"({"colour":"red"})").find("\"colour\" that is not known; there is of, format") != std::string::npos);
  CHECK(told(R"({"filters":{"late":true}})") == "the filter \"late\" is a text or a list of texts");
  CHECK(told(R"({"filters":{"late":[["true"]]}})").find("is a text") != std::string::npos);
  CHECK(told(R"({"of":"lines","format":"ndjson"})").find("orders only") != std::string::npos);
  CHECK(told(R"({"of":"lines","fields":"order"})").find("fixed columns") != std::string::npos);
  CHECK(told(R"({"group":"customer"})").find("belongs to totals") != std::string::npos);
}

TEST_CASE("the other kinds know their payloads") {
  CHECK(*parse_sync(R"({"source":"sap"})") == "sap");
  CHECK(parse_sync("{}").error().text() == "\"source\" names the source to sync");
  CHECK(*parse_backup("{}") == 7);
  CHECK_FALSE(parse_backup(R"({"keep":0})"));
  CHECK_FALSE(parse_backup(R"({"file":"/etc/passwd"})"));
  CHECK(parse_self_test(R"({"seconds":0.5,"steps":3,"die":"segv","until_try":2})")->die == "segv");
  CHECK_FALSE(parse_self_test(R"({"seconds":-1})"));
  CHECK_FALSE(parse_self_test(R"({"die":"quietly"})"));
  CHECK(parse_nothing("{}"));
  CHECK(parse_nothing(R"({"a":1})").error().text().find("it takes none") != std::string::npos);
}

TEST_CASE("a worker reads the brief that the server wrote") {
  const auto brief = parse_brief(encode(WorkerBrief{"/data/record.sqlite", "/data", "/data/backups/a.backup", 2, "2026-11-22"}));
  REQUIRE(brief);
  CHECK(brief->record == "/data/record.sqlite");
  CHECK(brief->backup == "/data/backups/a.backup");
  CHECK(brief->attempt == 2);
  CHECK(brief->day == "2026-11-22");
}

TEST_CASE("the newest backup is the one whose name says so, and other files are none") {
  const testing::TemporaryFolder folder;
  CHECK(newest_backup(folder / "none").empty());
  for (const char* name : {"millrace-20261121T080000Z-a.backup", "millrace-20261122T080000Z-b.backup", "millrace-20261123T080000Z-c.backup.part", "zzz.backup"})
    folder.write(name, "x");
  CHECK(newest_backup(folder.path()) == folder / "millrace-20261122T080000Z-b.backup");
}

TEST_CASE("totals become one row per group and currency, and a cut list of groups is no report") {
  const std::string sum = R"({"currency":"EUR","orders":2,"lines":3,"net":{"minor":1000,"currency":"EUR"},"total":{"minor":1190,"currency":"EUR"},)"
                          R"("open_amount":{"minor":590,"currency":"EUR"},"open_orders":1,"late_orders":1,"late_amount":{"minor":590,"currency":"EUR"}})";
  const auto answer = [&](const char* total) { return R"({"as_of":7,"as_of_time":"2026-03-02T08:00:00Z","group":"customer","data":[{"key":"C1","name":"=ACME","sums":[)" + sum + R"(]}],"total":)" + total + "}"; };
  std::string text;
  const Sink sink = [&](std::string_view bytes) {
    text += bytes;
    return true;
  };
  REQUIRE(write_totals_report(answer("1"), "csv", sink));
  CHECK(text ==
        "key,name,currency,orders,lines,net,total,open_amount,open_orders,late_orders,late_amount\r\n"
        "C1,\"'=ACME\",EUR,2,3,10.00,11.90,5.90,1,1,5.90\r\n");
  text.clear();
  REQUIRE(write_totals_report(answer("1"), "xlsx", sink));
  CHECK(text.starts_with("PK"));
  CHECK(write_totals_report(answer("2"), "csv", sink).error().code() == ErrorCode::limit_reached);
  CHECK(write_totals_report("{}", "csv", sink).error().code() == ErrorCode::corrupt);
}

}  // namespace millrace::app
