#include "app/demo_finance.h"

#include <doctest/doctest.h>

#include <set>

#include "domain/finance_codec.h"
#include "readmodel/finance_table.h"

using namespace millrace;
using namespace millrace::app;

namespace {

DemoCompany company(std::uint64_t seed = 42, std::size_t orders = 600) {
  return DemoCompany({seed, orders, std::chrono::year(2026) / 11 / 20});
}

}  // namespace

TEST_CASE("The demo's books are the same for the same company, and every document may be what it says") {
  const DemoCompany made = company();
  const DemoFinance books(made), again(made);
  REQUIRE(books.first_day().size() == again.first_day().size());
  std::set<std::pair<FinanceKind, std::string>> keys;
  for (std::size_t i = 0; i < books.first_day().size(); ++i) {
    const FinanceDocument& document = books.first_day()[i];
    CHECK(encode(document) == encode(again.first_day()[i]));
    const auto fine = check_finance_document(document);
    CHECK_MESSAGE(fine.has_value(), (fine ? "" : fine.error().text()));
    CHECK_MESSAGE(keys.emplace(document.kind, finance_key(document)).second, document.number);
    if (document.kind == FinanceKind::invoice || document.kind == FinanceKind::payment || document.kind == FinanceKind::bill) CHECK(*document.posted <= made.options().today);
  }
}

TEST_CASE("What the demo company invoiced was delivered, and nobody paid more than he owes") {
  const DemoCompany made = company(7);
  const DemoFinance books(made);
  readmodel::FinanceTable table;
  for (const FinanceDocument& document : books.first_day()) table.put(document, 1);
  const auto book = table.publish();
  std::map<std::string, std::int64_t> delivered, invoiced;
  for (const FinanceDocument& document : books.first_day()) {
    for (const FinanceLine& line : document.lines) {
      if (!line.order_line) continue;
      const std::string key = line.order.text + " " + std::to_string(*line.order_line);
      if (document.kind == FinanceKind::delivery) delivered[key] += line.quantity.micros;
      if (document.kind == FinanceKind::invoice) invoiced[key] += line.quantity.micros;
    }
    for (const std::int64_t open : book->open_instalments(document)) CHECK_MESSAGE(open >= 0, document.number);
  }
  CHECK(!invoiced.empty());
  for (const auto& [line, micros] : invoiced) CHECK_MESSAGE(micros <= delivered[line], line);
}

TEST_CASE("The demo company has every kind of document that a month needs") {
  const DemoCompany made = company();
  const DemoFinance books(made);
  std::map<FinanceKind, int> counts;
  for (const FinanceDocument& document : books.first_day()) ++counts[document.kind];
  for (std::size_t kind = 1; kind < finance_kind_count; ++kind) {
    const auto of = static_cast<FinanceKind>(kind);
    if (of == FinanceKind::write_off || of == FinanceKind::supplier_credit) continue;
    CHECK_MESSAGE(counts[of] > 0, word(of));
  }
}

TEST_CASE("A delivery is invoiced once, and the next payment settles what was due first") {
  const DemoCompany made = company();
  DemoFinance books(made);
  const Day today = made.options().today;
  SalesOrder order = made.document(made.options().order_count).order;
  CHECK(books.follow(order, today).empty());
  order.lines.front().quantity_open = {};
  const auto first = books.follow(order, today);
  REQUIRE(first.size() == 2);
  CHECK(first[0].kind == FinanceKind::delivery);
  CHECK(first[1].lines.front().amount == order.lines.front().line_total);
  CHECK(check_finance_document(first[1]).has_value());
  CHECK(books.follow(order, today).empty());
  const auto paid = books.pay_next(today);
  REQUIRE(paid.size() == 2);
  CHECK(paid[0].kind == FinanceKind::payment);
  CHECK(paid[1].kind == FinanceKind::balance);
}
