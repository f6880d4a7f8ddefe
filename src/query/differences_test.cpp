#include "query/differences.h"

#include <doctest/doctest.h>

#include "query/orders.h"
#include "query/today.h"
#include "testing/world.h"

namespace millrace::query {
namespace {

feed::Difference difference(std::string field, std::int32_t line, std::string erp, std::string file, std::string decided_by = "") {
  return {std::move(field), line, {{0, std::move(erp)}, {1, std::move(file)}}, 0, decided_by.empty() ? "erp-wins" : "decided", std::move(decided_by), std::nullopt};
}

// Three orders in folder and ERP, two of them with differences.
readmodel::SnapshotPtr snapshot() {
  testing::World world;
  for (const char* number : {"9", "10", "11"}) {
    auto& order = world.sales_order(number).customer("C1", "ACME").line("4", "EUR 1.00").file("Open/Orders(1)", "sap").also_file("Open/SO.json", "orders");
    if (number == std::string_view("9")) order.difference(difference("quantity", 1, "4", "5")).difference(difference("requested", 0, "2026-03-01", "2026-03-02"));
    if (number == std::string_view("10")) order.difference(difference("quantity", 1, "4", "6", "Ann"));
  }
  return world.snapshot();
}

std::string told(const readmodel::Snapshot& snapshot, DifferenceQuery query) {
  const auto page = differences(snapshot, query);
  REQUIRE(page);
  std::string table;
  for (const DifferenceRow& row : page->rows) table += row.order + " " + row.difference.field + " " + std::to_string(row.difference.line) + "\n";
  return table + (page->next_cursor.empty() ? "" : "-> " + page->next_cursor + "\n");
}

}  // namespace

TEST_CASE("Differences are listed by order number, as digits sort") {
  const auto now = snapshot();
  CHECK(told(*now, {}) == "9 quantity 1\n9 requested 0\n10 quantity 1\n");
  CHECK(differences(*now, {})->rows[0].documents[1].source == "orders");
}

TEST_CASE("The list can be cut to a field, an order, a source and to what nobody decided") {
  const auto now = snapshot();
  CHECK(told(*now, {.field = "quantity"}) == "9 quantity 1\n10 quantity 1\n");
  CHECK(told(*now, {.order = "9"}) == "9 quantity 1\n9 requested 0\n");
  CHECK(told(*now, {.order = "12"}) == "");
  CHECK(told(*now, {.source = "orders"}) == "9 quantity 1\n9 requested 0\n10 quantity 1\n");
  CHECK(told(*now, {.source = "mail"}) == "");
  CHECK(told(*now, {.decided = DecidedBy::rule}) == "9 quantity 1\n9 requested 0\n");
  CHECK(told(*now, {.decided = DecidedBy::person}) == "10 quantity 1\n");
}

TEST_CASE("Pages go on where the one before ended") {
  const auto now = snapshot();
  CHECK(told(*now, {.limit = 1}) == "9 quantity 1\n-> 1.9\n");
  CHECK(told(*now, {.limit = 1, .cursor = "1.9"}) == "9 requested 0\n-> 0.10\n");
  CHECK(told(*now, {.limit = 5, .cursor = "0.10"}) == "10 quantity 1\n");
  CHECK_FALSE(differences(*now, {.cursor = "x"}));
  CHECK_FALSE(differences(*now, {.cursor = "1"}));
}

TEST_CASE("Today counts orders with a difference that nobody decided, and the order list can show them") {
  const auto now = snapshot();
  const Day day = testing::day("2026-03-10");
  CHECK(count_differences(*now).orders == 2);
  CHECK(today(*now, day, 5).differences == 1);
  const auto matching = [&](std::string value) {
    const ParsedQuery parsed = parse_order_query({{"differences", std::move(value)}}, day);
    REQUIRE(parsed.errors.empty());
    return orders(*now, parsed.query, day)->matching;
  };
  CHECK(matching("1") == 2);
  CHECK(matching("undecided") == 1);
  CHECK(matching("0") == 1);
  CHECK(parse_order_query({{"differences", "some"}}, day).errors.size() == 1);
}

}  // namespace millrace::query
