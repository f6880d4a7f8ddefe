// Decisions of people through the intake, into a real record and back.
#include <doctest/doctest.h>

#include "domain/order_rules.h"
#include "ingest/intake.h"
#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::ingest {
namespace {

const SystemClock system_clock;
const Instant noon = testing::instant("2026-03-05T12:00:00Z");

JoinRules with_erp() {
  JoinRules rules;
  rules.services = {"sap"};
  return rules;
}

// A record that stays while intakes come and go.
class Desk {
 public:
  Desk() : record_(*store::open_sqlite_record({.path = folder_ / "a.db", .clock = &system_clock})) { restart(); }

  void restart(JoinRules rules = with_erp()) {
    intake_ = std::make_unique<Intake>(*record_, built_in_profile(), std::move(rules));
    REQUIRE(intake_->restore({"orders", "sap"}, nullptr, [](const Error&) {}));
  }
  Desk& brings(const std::string& source, const std::string& path, std::int64_t quantity) {
    SalesOrder order;
    order.number.text = "7";
    order.currency = *Currency::parse("EUR");
    order.lines.resize(1);
    OrderLine& line = order.lines[0];
    line.line_number = 1;
    line.item_code = "P-1";
    line.quantity_ordered = line.quantity_open = Quantity{quantity * micros_per_one};
    line.unit_price.micros = micros_per_one;
    line.line_total = *line_total(line.quantity_ordered, line.unit_price, line.discount, order.currency);
    settle_amounts(order);
    ReadFile read{path, FileStamp{1, 1, 1}, content_hash(path + std::to_string(quantity)), {}};
    read.document.is_order_document = true;
    read.document.orders.push_back(std::move(order));
    intake_->with_book([&](OrderBook& book) { book.file_read(source, std::move(read), noon); });
    REQUIRE(intake_->commit(source));
    return *this;
  }
  // "450 decided by Ann": what the record says of the order now.
  std::string order() {
    const auto changes = record_->changes_of_order(OrderNumber{"7"}, 100);
    REQUIRE(changes);
    REQUIRE_FALSE(changes->empty());
    const feed::OrderPut& put = changes->back().put;
    std::string text = decimal_text(put.order->lines.at(0).quantity_ordered);
    for (const feed::Difference& each : put.differences) text += " " + each.rule + (each.decided_by.empty() ? "" : " by " + each.decided_by);
    return text;
  }
  Intake& intake() { return *intake_; }
  feed::Sequence last() { return *record_->last_sequence(); }

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<Intake> intake_;
};

}  // namespace

TEST_CASE("A decision is committed with the order it decides, and holds after a restart and the next sync") {
  Desk desk;
  desk.brings("orders", "Open/SO7.json", 450).brings("sap", "Open/Orders(1)", 400);
  CHECK(desk.order() == "400 erp-wins");
  const auto decided = desk.intake().decide({"7", "quantity", 1}, "orders", "Ann", noon);
  REQUIRE(decided);
  CHECK(decided->sequence == desk.last());
  CHECK(decimal_text(decided->put.order->lines[0].quantity_ordered) == "450");
  CHECK(desk.order() == "450 decided by Ann");
  desk.restart();
  desk.brings("sap", "Open/Orders(1)", 400);
  CHECK(desk.order() == "450 decided by Ann");
  desk.brings("sap", "Open/Orders(1)", 410);
  CHECK(desk.order() == "410 erp-wins");
}

TEST_CASE("A decision that was taken back stays so after a restart") {
  Desk desk;
  desk.brings("orders", "Open/SO7.json", 450).brings("sap", "Open/Orders(1)", 400);
  REQUIRE(desk.intake().decide({"7", "quantity", 1}, "orders", "Ann", noon));
  const auto undone = desk.intake().undecide({"7", "quantity", 1});
  REQUIRE(undone);
  CHECK(desk.order() == "400 erp-wins");
  desk.restart();
  CHECK(desk.intake().undecide({"7", "quantity", 1}).error().code() == ErrorCode::not_found);
  CHECK(desk.intake().decide({"7", "quantity", 2}, "orders", "Ann", noon).error().code() == ErrorCode::not_found);
}

TEST_CASE("A start under other rules decides joined orders anew with the first commit, and once") {
  Desk desk;
  desk.brings("orders", "Open/SO7.json", 450).brings("sap", "Open/Orders(1)", 400);
  JoinRules rules = with_erp();
  REQUIRE(set_rule(rules, "quantity", "orders"));
  desk.restart(rules);
  REQUIRE(desk.intake().commit("orders"));
  CHECK(desk.order() == "450 orders-wins");
  const feed::Sequence last = desk.last();
  desk.restart(rules);
  REQUIRE(desk.intake().commit("orders"));
  CHECK(desk.last() == last);
}

}  // namespace millrace::ingest
