#include "app/demo_papers.h"

#include <doctest/doctest.h>

namespace millrace::app {
namespace {

using simulator::one;

simulator::Company company() {
  simulator::Company made;
  made.manufacturers[7] = {7, "Bosch"};
  simulator::Item& item = made.items["A1"];
  item.code = "A1";
  item.manufacturer = 7;
  add_suppliers(made);
  return made;
}

simulator::Line line(std::int32_t number, const std::string& item, std::int64_t pieces, simulator::Micros open,
                     simulator::Micros price) {
  simulator::Line made;
  made.number = number;
  made.item_code = item;
  made.currency = "EUR";
  made.quantity = pieces * one;
  made.open = open;
  made.price = price;
  made.ship_day = 20'030;
  return made;
}

// Two lines, 10 pieces at 4.00 and 6 at 2.50: 55.00 net, 10.45 tax. Its number is made and bought for.
simulator::Document order(simulator::Micros first_open, simulator::Micros second_open) {
  simulator::Document document;
  document.entry = 18;
  document.number = 100'018;
  document.posted_day = 20'000;
  document.tax = 10'450'000;
  document.lines = {line(0, "A1", 10, first_open, 4 * one), line(1, "B2", 6, second_open, 2'500'000)};
  document.open = first_open + second_open > 0;
  return document;
}

}  // namespace

TEST_CASE("an order's invoice has what was delivered, at the order's prices, and its share of the tax") {
  simulator::Company demo = company();
  write_papers(demo, order(10 * one, 6 * one));
  CHECK(demo.invoices.empty());
  write_papers(demo, order(5 * one, 6 * one));
  REQUIRE(demo.invoices.size() == 1);
  const simulator::Document& part = demo.invoices.at(18);
  REQUIRE(part.lines.size() == 1);
  CHECK(part.lines[0].quantity == 5 * one);
  CHECK(part.tax == 3'800'000);
  CHECK(part.open);
  CHECK(demo.payments.empty());
  const simulator::Document whole = order(0, 0);
  write_papers(demo, whole);
  CHECK(simulator::document_total(demo.invoices.at(18)) == simulator::document_total(whole));
  REQUIRE(demo.payments.size() == 1);
  CHECK(demo.payments.at(18).invoices.at(0).amount == simulator::document_total(whole));
  simulator::Document cancelled = whole;
  cancelled.cancelled = true;
  write_papers(demo, cancelled);
  CHECK(demo.invoices.empty());
  CHECK(demo.payments.empty());
}

TEST_CASE("what is still open is made, and some of it is bought from the item's manufacturer") {
  simulator::Company demo = company();
  write_papers(demo, order(4 * one, 0));
  REQUIRE(demo.production_orders.size() == 2);
  const auto& made = demo.production_orders.at(1800);
  CHECK(made.planned == 10 * one);
  CHECK(made.completed == 6 * one);
  CHECK(made.due_day == 20'030);
  CHECK(made.status == simulator::ProductionOrder::Status::released);
  CHECK(demo.production_orders.at(1801).status == simulator::ProductionOrder::Status::closed);
  REQUIRE(demo.purchase_orders.size() == 1);
  const simulator::Document& bought = demo.purchase_orders.at(18);
  CHECK(bought.card_name == "Bosch");
  CHECK(simulator::document_total(bought) == 20 * one);
  CHECK(demo.partners.at("S1007").supplier);
}

}  // namespace millrace::app
