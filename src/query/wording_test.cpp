#include "query/wording.h"

#include <doctest/doctest.h>

#include "testing/world.h"

namespace millrace::query {
namespace {

using millrace::testing::World;

TEST_CASE("changes read as sentences") {
  World world;
  auto& story = world.sales_order("43659").customer("C1", "ACME").requested("2026-03-03").line("4 pcs", "EUR 25.00");
  (void)world.changes();
  world.sales_order("43659").status("In Production");
  (void)world.changes();
  world.sales_order("43659").promised("2026-03-09");
  (void)world.changes();
  world.sales_order("43659").open("1").line("2 pcs", "EUR 10.00");
  (void)world.changes();
  story.order().lines.erase(story.order().lines.begin());
  world.sales_order("43659");
  (void)world.changes();
  world.sales_order("43659");
  world.remove("43659", "file deleted: Open/43659.json");
  world.reject(1, "Open/x.json", "not JSON");
  world.solve_rejection(1);
  std::string text;
  const feed::Change* before = nullptr;
  for (const feed::Change& change : world.changes()) {
    const WordedChange one = worded(change, before);
    text += one.kind + ": " + one.text + "\n";
    before = &change;
  }
  CHECK(text ==
        "order_new: SO 43659: new, ACME, 1 line, EUR 100.00, due 2026-03-03\n"
        "status_changed: SO 43659: status Open → In Production\n"
        "order_changed: SO 43659: promise none → 2026-03-09\n"
        "order_changed: SO 43659: total EUR 100.00 → EUR 120.00, open amount EUR 100.00 → EUR 45.00, line 1 open 4 pcs → 1 pcs, line 2 added: 2 pcs A-2\n"
        "order_changed: SO 43659: total EUR 120.00 → EUR 20.00, open amount EUR 45.00 → EUR 20.00, line 1 removed: 4 pcs A-1\n"
        "order_changed: SO 43659: file read again, nothing else changed\n"
        "order_removed: SO 43659: removed, file deleted: Open/43659.json\n"
        "rejection_new: Open/x.json: not JSON\n"
        "rejection_solved: Open/x.json: solved\n");
}

TEST_CASE("a difference between sources, a decision and the agreement after it read as sentences") {
  feed::Change before, after;
  SalesOrder order;
  order.number.text = "7";
  before.put.order = after.put.order = std::make_shared<const SalesOrder>(order);
  before.put.documents.resize(2);
  before.put.documents[0].source = "sap", before.put.documents[1].source = "orders";
  after.put.documents = before.put.documents;
  after.put.differences.push_back({"quantity", 1, {{0, "400"}, {1, "450"}}, 0, "erp-wins", "", std::nullopt});
  CHECK(worded(after, &before).text == "SO 7: sources differ in quantity of line 1: sap 400, orders 450; sap counts");
  CHECK(worded(before, &after).text == "SO 7: sources no longer differ in quantity of line 1");
  before = after;
  after.put.differences[0].counts = 1;
  after.put.differences[0].decided_by = "Ann";
  CHECK(worded(after, &before).text == "SO 7: sources differ in quantity of line 1: sap 400, orders 450; orders counts, decided by Ann");
}

TEST_CASE("what happens to invoices and payments reads as sentences") {
  FinanceDocument invoice;
  invoice.number = "9001";
  invoice.party_code = "C1";
  invoice.party_name = "ACME";
  invoice.currency = *Currency::parse("EUR");
  invoice.amount = 11'900;
  invoice.posted = parse_iso_day("2026-03-02");
  invoice.due = parse_iso_day("2026-04-01");
  const feed::Change first = feed::finance_put(invoice);
  CHECK(worded(first, nullptr).kind == "finance_new");
  CHECK(worded(first, nullptr).text == "Invoice 9001: new, EUR 119.00, due 2026-04-01, ACME");
  invoice.due = parse_iso_day("2026-04-15");
  const feed::Change second = feed::finance_put(invoice, "anna");
  CHECK(worded(second, &first).text == "Invoice 9001: due 2026-04-01 → 2026-04-15; by anna");
  const feed::Change gone = feed::finance_removed({FinanceKind::invoice, "erp", "9001", "removed in the ERP", ""});
  CHECK(worded(gone, &second).text == "Invoice 9001: removed, removed in the ERP");
  CHECK(worded(gone, &second).customer_name == "ACME");
  CHECK(worded(gone, nullptr).kind == "finance_removed");
}

TEST_CASE("a change of everything stays one readable sentence") {
  World world;
  for (int i = 0; i < 30; ++i) world.sales_order("SO-1").line("1", "EUR 1.00");
  (void)world.changes();
  for (OrderLine& line : world.sales_order("SO-1").order().lines) line.quantity_ordered.micros *= 3, line.quantity_open.micros *= 3;
  const auto& changes = world.changes();
  const WordedChange one = worded(changes[1], &changes[0]);
  CHECK(one.text.size() < 300);
  CHECK(one.text.find("and 57 more changes") != std::string::npos);
  CHECK(one.fields.size() > 60);
}

}  // namespace
}  // namespace millrace::query
