#include "app/scan_report.h"

#include <doctest/doctest.h>

#include "domain/order_rules.h"

namespace millrace::app {
namespace {

feed::OrderPut order(const std::string& number, const std::string& currency, std::int64_t price,
                     const std::string& path) {
  auto made = std::make_shared<SalesOrder>();
  made->number.text = number;
  made->status = "Open";
  made->customer_code = "C1";
  made->currency = *Currency::parse(currency);
  made->order_date = std::chrono::year(2026) / 1 / 2;
  made->requested_date = std::chrono::year(2026) / 2 / 3;
  made->tax = 19;
  made->updated = parse_instant("2026-01-05 06:07:08");
  OrderLine line;
  line.quantity_ordered.micros = 4 * micros_per_one;
  line.quantity_open.micros = micros_per_one;
  line.unit_price.micros = price * micros_per_one;
  line.line_total = line_total(line.quantity_ordered, line.unit_price, {}, made->currency).value();
  made->lines.push_back(line);
  settle_amounts(*made);
  feed::OrderDocument document;
  document.path = path;
  document.format = "json";
  return {made, {document}, {}};
}

feed::Rejection rejection(feed::Outcome outcome) {
  feed::Rejection made;
  made.path = "Open/a, b.csv";
  made.place = "row 2 column Qty";
  made.reason = "\"x\" is not a number";
  made.outcome = outcome;
  return made;
}

ingest::ScanResult sample() {
  ingest::ScanResult result;
  result.orders = {order("10", "EUR", 25, "Open/SO10.json"), order("9", "EUR", 10, "Open/\xff\xfe,9.json"),
                   order("11", "JPY", 1200, "Open/SO11.json")};
  result.rejections = {rejection(feed::Outcome::reject), rejection(feed::Outcome::ingest_and_flag)};
  result.files = 4;
  return result;
}

TEST_CASE("orders are written by number, with the currency's own decimals and the path's own bytes") {
  CHECK(orders_csv(sample()) ==
        "order,status,customer,currency,order_date,due_date,lines,net,tax,freight,total,open,updated,format,path\n"
        "9,Open,C1,EUR,2026-01-02,2026-02-03,1,40.00,0.19,0.00,40.19,10.00,2026-01-05 "
        "06:07:08,json,\"Open/\xff\xfe,9.json\"\n"
        "10,Open,C1,EUR,2026-01-02,2026-02-03,1,100.00,0.19,0.00,100.19,25.00,2026-01-05 06:07:08,json,Open/SO10.json\n"
        "11,Open,C1,JPY,2026-01-02,2026-02-03,1,4800,19,0,4819,1200,2026-01-05 06:07:08,json,Open/SO11.json\n");
}

TEST_CASE("a document without a stamp is as old as its file") {
  ingest::ScanResult result;
  auto put = order("1", "EUR", 1, "a.json");
  auto unstamped = std::make_shared<SalesOrder>(*put.order);
  unstamped->updated.reset();
  put.order = unstamped;
  put.documents.front().modified = *parse_instant("2026-03-04 05:06:07");
  result.orders = {put};
  CHECK(orders_csv(result).find(",2026-03-04 05:06:07,json,a.json\n") != std::string::npos);
}

TEST_CASE("rejections are written with place, reason and outcome, and only refused ones count as refused") {
  CHECK(rejections_csv(sample()) ==
        "path,place,reason,outcome\n"
        "\"Open/a, b.csv\",row 2 column Qty,\"\"\"x\"\" is not a number\",reject\n"
        "\"Open/a, b.csv\",row 2 column Qty,\"\"\"x\"\" is not a number\",ingest_and_flag\n");
  CHECK(refused_count(sample()) == 1);
}

TEST_CASE("totals are per currency and never mixed") {
  const auto sums = scan_sums(sample());
  REQUIRE(sums.size() == 2);
  CHECK(sums[0].currency.code() == "EUR");
  CHECK(sums[0].orders == 2);
  CHECK(sums[0].total == 14038);
  CHECK(sums[1].currency.code() == "JPY");
  CHECK(sums[1].open == 1200);
  CHECK(scan_json("/tree", sample()).find("\"total\":{\"minor\":14038,\"currency\":\"EUR\"}") != std::string::npos);
  CHECK(scan_text("/tree", sample()).find("140.38") != std::string::npos);
}

}  // namespace
}  // namespace millrace::app
