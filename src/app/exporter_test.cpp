#include "app/exporter.h"

#include <doctest/doctest.h>

#include <atomic>

#include "domain/order_rules.h"

namespace millrace::app {
namespace {

constexpr Day today = std::chrono::year(2026) / 11 / 20;
const std::atomic<bool> never{false};

// The history of a small book: one order per change, an hour apart.
class Book final : public feed::Reader {
 public:
  void add(const std::string& number, const std::string& customer, std::int64_t price) {
    auto order = std::make_shared<SalesOrder>();
    order->number.text = number;
    order->status = "Open";
    order->customer_code = "C1";
    order->customer_name = customer;
    order->currency = *Currency::parse("EUR");
    order->requested_date = std::chrono::year(2026) / 11 / 10;
    OrderLine line;
    line.line_number = 1;
    line.item_code = "00123";
    line.quantity_ordered.micros = line.quantity_open.micros = 2 * micros_per_one;
    line.unit_price.micros = price * micros_per_one;
    line.line_total = line_total(line.quantity_ordered, line.unit_price, {}, order->currency).value();
    order->lines.push_back(line);
    settle_amounts(*order);
    feed::OrderDocument document;
    document.path = "Open/" + number + ".json";
    document.format = "json";
    feed::Change change = feed::order_put({order, {document}, {}});
    change.sequence.value = changes_.size() + 1;
    change.at = *parse_instant("2026-11-20 00:00:00") + std::chrono::hours(changes_.size());
    changes_.push_back(std::move(change));
  }

  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override {
    std::vector<feed::Change> some;
    for (const feed::Change& change : changes_) {
      if (change.sequence > after && some.size() < limit) some.push_back(change);
    }
    return some;
  }
  Result<feed::Sequence> last_sequence() override { return feed::Sequence{changes_.size()}; }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber&, std::size_t) override {
    return std::vector<feed::Change>{};
  }

 private:
  std::vector<feed::Change> changes_;
};

Book book() {
  Book made;
  made.add("1", "=cmd()", 10);
  made.add("2", "ACME, Inc.", 20);
  made.add("3", "Müller", 30);
  return made;
}

std::string exported(const AsOf& as_of, ExportRequest request, const query::Parameters& parameters = {}) {
  Book made = book();
  const auto snapshot = replay(made, as_of, never, {});
  REQUIRE_MESSAGE(snapshot, snapshot.error().text());
  request.today = today;
  const auto parsed = query::parse_order_query(parameters, today);
  REQUIRE(parsed.errors.empty());
  request.query = parsed.query;
  std::string text;
  const auto written = write_export(*snapshot, request, [&](std::string_view bytes) {
    text += bytes;
    return true;
  });
  REQUIRE_MESSAGE(written, written.error().text());
  return text;
}

TEST_CASE("orders leave as CSV with chosen columns, filtered, and no cell is a formula") {
  CHECK(exported({}, {}, {{"fields", "order,customer_name,open_amount"}}) ==
        "order,customer_name,open_amount\n"
        "1,'=cmd(),20.00\n"
        "2,\"ACME, Inc.\",40.00\n"
        "3,Müller,60.00\n");
  CHECK(exported({}, {}, {{"fields", "order"}, {"open_amount", "gt.3000"}, {"sort", "-order"}}) == "order\n3\n2\n");
}

TEST_CASE("lines leave with their order, item codes stay text") {
  ExportRequest request;
  request.lines = true;
  const std::string csv = exported({}, request, {{"order", "2"}});
  CHECK(csv.starts_with("order,status,customer,customer_name,currency,line,item,"));
  CHECK(csv.find("\n2,Open,C1,\"ACME, Inc.\",EUR,1,00123,") != std::string::npos);
  request.format = ExportFormat::json;
  const std::string json = exported({}, request, {{"order", "2"}});
  CHECK(json.find("\"line\":\"1\",\"item\":\"00123\"") != std::string::npos);
  CHECK(json.find("\"unit_price\":\"20\",\"discount\":\"0\"") != std::string::npos);
  CHECK(json.find("\"open_amount\":{\"minor\":4000,\"currency\":\"EUR\"}") != std::string::npos);
  CHECK(json.ends_with("\"rows\":1}\n"));
}

TEST_CASE("a workbook is a whole zip file") {
  ExportRequest request;
  request.format = ExportFormat::xlsx;
  const std::string bytes = exported({}, request);
  CHECK(bytes.starts_with("PK\x03\x04"));
  CHECK(bytes.find("PK\x05\x06") != std::string::npos);
}

TEST_CASE("the book as of a Sequence or a time is the book of that moment") {
  const query::Parameters only_order = {{"fields", "order"}};
  CHECK(exported(*parse_as_of("1"), {}, only_order) == "order\n1\n");
  CHECK(exported(*parse_as_of("2026-11-20T01:30:00Z"), {}, only_order) == "order\n1\n2\n");
  CHECK_FALSE(parse_as_of("yesterday"));
  Book made = book();
  CHECK(replay(made, *parse_as_of("9"), never, {}).error().code() == ErrorCode::not_found);
  CHECK(replay(made, *parse_as_of("2026-11-19T00:00:00Z"), never, {}).error().code() == ErrorCode::not_found);
  const std::atomic<bool> stop{true};
  CHECK(replay(made, {}, stop, {}).error().code() == ErrorCode::cancelled);
}

TEST_CASE("an export ends quietly when its reader goes away") {
  Book made = book();
  const auto snapshot = replay(made, {}, never, {});
  REQUIRE(snapshot);
  ExportRequest request;
  request.today = today;
  CHECK(write_export(*snapshot, request, [](std::string_view) { return false; }));
}

}  // namespace
}  // namespace millrace::app
