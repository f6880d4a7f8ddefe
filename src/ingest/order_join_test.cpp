#include "ingest/order_join.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "domain/order_rules.h"
#include "testing/arbitrary_order.h"
#include "testing/world.h"

namespace millrace::ingest {
namespace {

OrderLine line(std::int32_t number, std::string item, std::string_view quantity, std::int64_t price, std::string_view open = "") {
  OrderLine made;
  made.line_number = number;
  made.item_code = std::move(item);
  made.quantity_ordered = testing::quantity(quantity);
  made.quantity_open = open.empty() ? made.quantity_ordered : testing::quantity(open);
  made.unit_price.micros = price * micros_per_one;
  made.line_total = *line_total(made.quantity_ordered, made.unit_price, made.discount, *Currency::parse("EUR"));
  return made;
}

SalesOrder order(std::vector<OrderLine> lines) {
  SalesOrder made;
  made.number.text = "7";
  made.customer_code = "C1";
  made.currency = *Currency::parse("EUR");
  made.status = "Open";
  made.document_status = DocumentStatus::open;
  made.requested_date = testing::day("2026-03-12");
  made.lines = std::move(lines);
  settle_amounts(made);
  return made;
}

JoinSide side(std::string source, const SalesOrder& said, std::string_view stamp) {
  return {source, source == "sap", false, testing::instant(stamp), std::make_shared<const SalesOrder>(said)};
}

// The ERP and a newer file.
struct Pair {
  SalesOrder sap, file;
  JoinRules rules = {};
  std::vector<Decision> decisions = {};
  std::string_view sap_at = "2026-03-01T08:00:00Z", file_at = "2026-03-02T08:00:00Z";

  JoinedOrder join() const {
    return join_orders(std::vector{side("sap", sap, sap_at), side("orders", file, file_at)}, rules, decisions);
  }
  // "quantity 1: sap 400 | orders 450 -> sap (erp-wins)"
  std::string differences() const {
    std::string table;
    for (const feed::Difference& each : join().differences) {
      table += each.field + " " + std::to_string(each.line) + ":";
      for (const auto& value : each.values) table += std::string(&value == &each.values[0] ? " " : " | ") + name(value.document) + " " + value.text;
      table += " -> " + name(each.values[each.counts].document) + " (" + each.rule + (each.decided_by.empty() ? "" : " by " + each.decided_by) + ")\n";
    }
    return table;
  }
  std::string origins() const {
    std::string table;
    for (const feed::Origin& each : join().origins) table += each.field + " " + std::to_string(each.line) + " " + name(each.document) + "\n";
    return table;
  }
  Decision decide(std::string field, std::int32_t line, std::string source) {
    Decision decision{field, line, source, "Ann", testing::instant("2026-03-03T08:00:00Z"), {}};
    for (const feed::Difference& each : join().differences)
      if (each.field == field && each.line == line)
        for (const auto& value : each.values) decision.values.emplace_back(name(value.document), value.text);
    REQUIRE(decision.values.size() == 2);
    decisions.push_back(decision);
    return decision;
  }
  static std::string name(std::uint32_t document) { return document == 0 ? "sap" : "orders"; }
};

std::string lines_of(const SalesOrder& order) {
  std::string table;
  for (const OrderLine& each : order.lines)
    table += std::to_string(each.line_number) + " " + each.item_code + " " + decimal_text(each.quantity_ordered) + " open " + decimal_text(each.quantity_open) + " x " +
             decimal_text(each.unit_price) + " = " + std::to_string(each.line_total) + " open " + std::to_string(each.open_amount) + "\n";
  return table;
}

}  // namespace

TEST_CASE("Two sources that say the same make the same order without a difference") {
  const SalesOrder said = order({line(1, "P-1", "400", 2), line(2, "P-2", "3", 10)});
  const Pair pair{said, said};
  CHECK(pair.join().order == said);
  CHECK(pair.differences() == "");
  CHECK(pair.origins() == "");
}

TEST_CASE("The ERP wins by default, and quantity, date and price that differ are listed") {
  Pair pair{order({line(1, "P-1", "400", 2)}), order({line(1, "P-1", "450", 3)})};
  pair.file.requested_date = testing::day("2026-03-10");
  CHECK(pair.differences() ==
        "requested 0: sap 2026-03-12 | orders 2026-03-10 -> sap (erp-wins)\n"
        "quantity 1: sap 400 | orders 450 -> sap (erp-wins)\n"
        "unit_price 1: sap 2 | orders 3 -> sap (erp-wins)\n");
  CHECK(pair.join().order == pair.sap);
}

TEST_CASE("A rule may name another source per group of fields, and amounts follow") {
  Pair pair{order({line(1, "P-1", "400", 2, "100")}), order({line(1, "P-1", "450", 3)})};
  REQUIRE(set_rule(pair.rules, "quantity", "orders"));
  CHECK(pair.differences() ==
        "quantity 1: sap 400 | orders 450 -> orders (orders-wins)\n"
        "open_quantity 1: sap 100 | orders 450 -> orders (orders-wins)\n"
        "unit_price 1: sap 2 | orders 3 -> sap (erp-wins)\n");
  CHECK(lines_of(pair.join().order) == "1 P-1 450 open 450 x 2 = 90000 open 90000\n");
  CHECK(pair.origins() == "quantity 1 orders\nopen_quantity 1 orders\n");
}

TEST_CASE("What was delivered stays delivered when the ordered quantity comes from the other source") {
  Pair pair{order({line(1, "P-1", "400", 2, "100")}), order({line(1, "P-1", "450", 2)}), {}, {}, "2026-03-05T08:00:00Z"};
  pair.decide("quantity", 1, "orders");
  CHECK(lines_of(pair.join().order) == "1 P-1 450 open 150 x 2 = 90000 open 30000\n");
}

TEST_CASE("The newest document wins where the rule says so") {
  Pair pair{order({line(1, "P-1", "400", 2)}), order({line(1, "P-1", "450", 2)})};
  pair.rules.usual = {"newest"};
  CHECK(pair.differences() == "quantity 1: sap 400 | orders 450 -> orders (newest)\n");
  pair.file_at = "2026-02-01T08:00:00Z";
  CHECK(pair.differences() == "quantity 1: sap 400 | orders 450 -> sap (newest)\n");
}

TEST_CASE("More delivered, or closed, in a newer ERP document is no difference; in an older one it is") {
  Pair pair{order({line(1, "P-1", "400", 2, "100")}), order({line(1, "P-1", "400", 2)}), {}, {}, "2026-03-05T08:00:00Z"};
  CHECK(pair.differences() == "");
  CHECK(lines_of(pair.join().order) == "1 P-1 400 open 100 x 2 = 80000 open 20000\n");
  pair.sap.document_status = DocumentStatus::closed;
  pair.sap.lines[0].status = LineStatus::closed;
  CHECK(pair.differences() == "");
  CHECK(pair.join().order.document_status == DocumentStatus::closed);
  pair.sap_at = "2026-02-01T08:00:00Z";
  CHECK(pair.differences() ==
        "document_status 0: sap closed | orders open -> sap (erp-wins)\n"
        "open_quantity 1: sap 0 (closed) | orders 400 -> sap (erp-wins)\n");
}

TEST_CASE("Lines meet by number and item, then by item, then by number") {
  Pair pair{order({line(1, "P-1", "1", 1), line(2, "P-2", "2", 1), line(3, "P-3", "3", 1)}),
            order({line(1, "P-1", "1", 1), line(2, "p-3", "3", 1), line(9, "P-2", "2", 1)})};
  CHECK(pair.differences() == "");
  pair.file.lines[2].item_code = "P-9";
  pair.file.lines[2].line_number = 2;
  CHECK(pair.differences() == "item 2: sap P-2 | orders P-9 -> sap (erp-wins)\n");
}

TEST_CASE("A line that only one source has follows the rule for lines and can be decided") {
  Pair pair{order({line(1, "P-1", "1", 1), line(2, "P-2", "2", 1)}), order({line(1, "P-1", "1", 1), line(7, "P-7", "5", 4)})};
  CHECK(pair.differences() ==
        "line 2: sap P-2 x 2 | orders no such line -> sap (erp-wins)\n"
        "line 7: sap no such line | orders P-7 x 5 -> sap (erp-wins)\n");
  CHECK(lines_of(pair.join().order) == "1 P-1 1 open 1 x 1 = 100 open 100\n2 P-2 2 open 2 x 1 = 200 open 200\n");
  pair.decide("line", 2, "orders");
  pair.decide("line", 7, "orders");
  CHECK(lines_of(pair.join().order) == "1 P-1 1 open 1 x 1 = 100 open 100\n7 P-7 5 open 5 x 4 = 2000 open 2000\n");
  CHECK(pair.origins() == "line 2 orders\nline 7 orders\n");
}

TEST_CASE("What the ERP leaves out the file fills in, and that is no difference") {
  Pair pair{order({line(1, "P-1", "1", 1)}), order({line(1, "P-1", "1", 1)})};
  pair.file.promise_date = testing::day("2026-03-20");
  pair.file.payment_terms = "30 days";
  pair.file.lines[0].manufacturer = "ACME";
  CHECK(pair.differences() == "");
  CHECK(pair.origins() == "payment_terms 0 orders\npromise 0 orders\nmanufacturer 1 orders\n");
  CHECK(pair.join().order.promise_date == testing::day("2026-03-20"));
}

TEST_CASE("A date that the head shows to differ is not listed again for every line") {
  Pair pair{order({line(1, "P-1", "1", 1), line(2, "P-2", "1", 1)}), order({line(1, "P-1", "1", 1), line(2, "P-2", "1", 1)})};
  pair.file.requested_date = testing::day("2026-03-10");
  for (OrderLine& each : pair.file.lines) each.requested_date = pair.file.requested_date;
  CHECK(pair.differences() == "requested 0: sap 2026-03-12 | orders 2026-03-10 -> sap (erp-wins)\n");
  pair.file.lines[1].requested_date = testing::day("2026-04-01");
  CHECK(pair.differences() ==
        "requested 0: sap 2026-03-12 | orders 2026-03-10 -> sap (erp-wins)\n"
        "requested 2: sap 2026-03-12 | orders 2026-04-01 -> sap (erp-wins)\n");
  pair.decide("requested", 2, "orders");
  CHECK(pair.join().order.lines[1].requested_date == testing::day("2026-04-01"));
}

TEST_CASE("A document without a date for any line says nothing of the ERP's dates of single lines") {
  Pair pair{order({line(1, "P-1", "1", 1), line(2, "P-2", "1", 1)}), order({line(1, "P-1", "1", 1), line(2, "P-2", "1", 1)})};
  pair.sap.lines[1].requested_date = testing::day("2026-03-20");
  for (OrderLine& each : pair.file.lines) each.requested_date.reset();
  CHECK(pair.differences() == "");
  CHECK(pair.join().order.lines[1].requested_date == testing::day("2026-03-20"));
  // One that dates some lines means the order's day where it is silent.
  pair.file.lines[0].requested_date = testing::day("2026-03-12");
  CHECK(pair.differences() == "requested 2: sap 2026-03-20 | orders 2026-03-12 -> sap (erp-wins)\n");
}

TEST_CASE("An order that is open in the ERP keeps the word of its folder; a closed one has the ERP's") {
  Pair pair{order({line(1, "P-1", "1", 1)}), order({line(1, "P-1", "1", 1)}), {}, {}, "2026-03-05T08:00:00Z"};
  pair.file.status = "In Production";
  CHECK(pair.join().order.status == "In Production");
  CHECK(pair.origins() == "status 0 orders\n");
  pair.sap.status = "Closed";
  pair.sap.document_status = DocumentStatus::closed;
  CHECK(pair.join().order.status == "Closed");
}

TEST_CASE("Amounts of another currency never enter the order") {
  Pair pair{order({line(1, "P-1", "1", 1)}), order({line(1, "P-1", "1", 9), line(2, "P-2", "1", 5)})};
  pair.file.currency = *Currency::parse("USD");
  pair.rules.by_group[static_cast<std::size_t>(FieldGroup::lines)] = {"orders"};
  CHECK(pair.differences() ==
        "currency 0: sap EUR | orders USD -> sap (erp-wins)\n"
        "line 2: sap no such line | orders P-2 x 1 -> orders (orders-wins)\n");
  CHECK(lines_of(pair.join().order) == "1 P-1 1 open 1 x 1 = 100 open 100\n");
  pair.decide("currency", 0, "orders");
  CHECK(lines_of(pair.join().order) == "1 P-1 1 open 1 x 9 = 900 open 900\n2 P-2 1 open 1 x 5 = 500 open 500\n");
}

TEST_CASE("A decision holds until either side says something else, and counts again when both say it again") {
  Pair pair{order({line(1, "P-1", "400", 2)}), order({line(1, "P-1", "450", 2)})};
  pair.decide("quantity", 1, "orders");
  CHECK(pair.differences() == "quantity 1: sap 400 | orders 450 -> orders (decided by Ann)\n");
  pair.sap.lines[0] = line(1, "P-1", "410", 2);
  CHECK(pair.differences() == "quantity 1: sap 410 | orders 450 -> sap (erp-wins)\n");
  pair.sap.lines[0] = line(1, "P-1", "400", 2);
  CHECK(pair.differences() == "quantity 1: sap 400 | orders 450 -> orders (decided by Ann)\n");
}

TEST_CASE("A rule for a group that is not there or that names nobody is refused with the groups there are") {
  JoinRules rules;
  CHECK(set_rule(rules, "default", "newest"));
  CHECK(set_rule(rules, "dates", " orders , erp "));
  CHECK(rules.text() == "default=newest;dates=orders,erp;reference;services=");
  const auto unknown = set_rule(rules, "colour", "erp");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().text().find("there are default, quantity, price") != std::string::npos);
  CHECK_FALSE(set_rule(rules, "dates", " , "));
}

TEST_CASE("Rules are written as one text, and what is not understood is refused") {
  CHECK(parse_join_rules("")->text() == JoinRules().text());
  CHECK(parse_join_rules("default: newest ; dates: orders, erp; references: no")->text() == "default=newest;dates=orders,erp;services=");
  CHECK_FALSE(parse_join_rules("quantity erp"));
  CHECK_FALSE(parse_join_rules("colour: erp"));
  CHECK_FALSE(parse_join_rules("references: perhaps"));
}

TEST_CASE("Whatever sources say, the joined order is settled, of one currency, and every difference names what it is about") {
  CHECK(rc::check("joined orders", [] {
    std::vector<JoinSide> sides;
    const int count = *rc::gen::inRange(1, 4);
    for (int i = 0; i < count; ++i) {
      SalesOrder said = *testing::arbitrary_order();
      settle_amounts(said);
      sides.push_back({"s" + std::to_string(i), *rc::gen::arbitrary<bool>(), false, Instant{std::chrono::milliseconds{*rc::gen::inRange(0, 3)}}, std::make_shared<const SalesOrder>(said)});
    }
    JoinRules rules;
    rules.usual = *rc::gen::element(JoinRules::Preference{"erp", "newest"}, JoinRules::Preference{"newest"}, JoinRules::Preference{"s1"});
    const JoinedOrder joined = join_orders(sides, rules, {});
    SalesOrder settled = joined.order;
    settle_amounts(settled);
    RC_ASSERT(settled == joined.order);
    for (const feed::Difference& each : joined.differences) {
      RC_ASSERT(each.values.size() >= 2 && each.counts < each.values.size());
      for (const auto& value : each.values) RC_ASSERT(value.document < sides.size());
    }
    for (const feed::Origin& each : joined.origins) RC_ASSERT(each.document > 0 && each.document < sides.size());
    if (count == 1) RC_ASSERT(joined.order == *sides[0].order && joined.differences.empty() && joined.origins.empty());
    // Sides told in another order: the same order, whoever is called first.
    std::vector<JoinSide> turned = sides;
    std::ranges::reverse(turned);
    const JoinedOrder again = join_orders(turned, rules, {});
    RC_ASSERT(again.differences.size() == joined.differences.size());
    RC_ASSERT(amounts(again.order).open == amounts(joined.order).open);
  }));
}

TEST_CASE("A decision comes back from its kept row, and damaged rows are refused") {
  const Decision decision{"quantity", 3, "orders", "Ann", testing::instant("2026-03-03T08:00:00Z"), {{"sap", "400"}, {"orders", "450"}}};
  const std::string bytes = encode(decision);
  CHECK(*decode_decision(bytes) == decision);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) CHECK_FALSE(decode_decision(std::string_view(bytes).substr(0, cut)));
  CHECK_FALSE(decode_decision(bytes + '\0'));
}

}  // namespace millrace::ingest
