#include "domain/finance.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "testing/arbitrary_finance.h"

using namespace millrace;

namespace {

Day day(std::string_view text) { return parse_iso_day(text).value(); }

FinanceDocument document(FinanceKind kind, std::string number) {
  FinanceDocument made;
  made.kind = kind;
  made.number = std::move(number);
  made.party_code = party_of(kind) == FinanceParty::none ? "" : "C1";
  made.currency = *Currency::parse("EUR");
  made.posted = day("2026-03-02");
  return made;
}

FinanceDocument invoice(std::int64_t amount) {
  FinanceDocument made = document(FinanceKind::invoice, "9001");
  made.amount = amount;
  return made;
}

std::string table(const std::vector<Instalment>& parts) {
  std::string text;
  for (const Instalment& part : parts) text += iso(*part.due) + " " + std::to_string(part.amount) + "\n";
  return text;
}

std::string refusal(const FinanceDocument& made) {
  const auto fine = check_finance_document(made);
  return fine ? "" : fine.error().text();
}

}  // namespace

TEST_CASE("Every kind of document has a word that leads back to it") {
  for (std::size_t i = 1; i < finance_kind_count; ++i) {
    const auto kind = static_cast<FinanceKind>(i);
    CAPTURE(i);
    CHECK(!word(kind).empty());
    CHECK(parse_finance_kind(word(kind)) == kind);
  }
  CHECK(word(FinanceKind::supplier_payment) == "supplier_payment");
  CHECK(!parse_finance_kind(""));
  CHECK(!parse_finance_kind("Invoice"));
  CHECK(word(static_cast<FinanceKind>(0)).empty());
  CHECK(word(static_cast<FinanceKind>(200)).empty());
}

TEST_CASE("An invoice is due when its terms say so") {
  const Day posted = day("2026-01-30");
  CHECK(iso(due_day({.days = 30}, posted)) == "2026-03-01");
  CHECK(iso(due_day({.months = 1}, posted)) == "2026-02-28");
  CHECK(iso(due_day({.days = 15, .months = 1, .month_end = true}, posted)) == "2026-03-15");
  CHECK(iso(due_day({.month_end = true}, posted)) == "2026-01-31");
  CHECK(iso(due_day({}, posted)) == "2026-01-30");
  CHECK(iso(due_day({.parts = {{0, {50 * micros_per_one}}, {60, {50 * micros_per_one}}}}, posted)) == "2026-03-31");
}

TEST_CASE("Instalments go by largest remainder and are the whole amount together") {
  const TermsRule thirds{.parts = {{0, {33'333'333}}, {30, {33'333'333}}, {60, {33'333'334}}}};
  CHECK(table(instalments_of(thirds, day("2026-03-01"), 10'000)) == "2026-03-01 3333\n2026-03-31 3333\n2026-04-30 3334\n");
  CHECK(table(instalments_of({.days = 14}, day("2026-03-01"), 101)) == "2026-03-15 101\n");
  CHECK(rc::check("the parts are the whole", [] {
    const TermsRule rule = *testing::arbitrary_terms_rule();
    const auto amount = *rc::gen::inRange<std::int64_t>(0, amount_max);
    std::int64_t sum = 0;
    for (const Instalment& part : instalments_of(rule, day("2026-03-01"), amount)) {
      RC_ASSERT(part.amount >= 0);
      RC_ASSERT(*part.due <= due_day(rule, day("2026-03-01")));
      sum += part.amount;
    }
    RC_ASSERT(sum == amount);
  }));
}

TEST_CASE("A monthly cost of the 31st comes on the last day of a shorter month and does not forget its 31st") {
  const Day first = day("2026-01-31");
  CHECK(iso(recurrence(first, Every::month, 1)) == "2026-02-28");
  CHECK(iso(recurrence(first, Every::month, 2)) == "2026-03-31");
  CHECK(iso(recurrence(first, Every::quarter, 1)) == "2026-04-30");
  CHECK(iso(recurrence(first, Every::year, 2)) == "2028-01-31");
  CHECK(iso(recurrence(first, Every::week, 3)) == "2026-02-21");
  CHECK(iso(recurrence(day("2024-02-29"), Every::year, 1)) == "2025-02-28");
}

TEST_CASE("Rates of one pair are told apart by their day") {
  FinanceDocument rate = document(FinanceKind::rate, "USD/EUR");
  CHECK(finance_key(rate) == "USD/EUR 2026-03-02");
  CHECK(finance_key(invoice(1)) == "9001");
}

TEST_CASE("Where a document was read makes no difference to what it says") {
  FinanceDocument left = invoice(100), right = left;
  right.origin = "Invoices(7)";
  right.place = {Place::Kind::row, 7, 0};
  CHECK(equal_but_origin(left, right));
  right.amount = 101;
  CHECK(!equal_but_origin(left, right));
}

TEST_CASE("A document that can be what it says is taken") {
  CHECK(refusal(invoice(100)) == "");
  CHECK(refusal(invoice(0)) == "");
  FinanceDocument balance = document(FinanceKind::balance, "1200 2026-03-02");
  balance.amount = -5'000;
  CHECK(refusal(balance) == "");
  FinanceDocument payment = document(FinanceKind::payment, "P1");
  payment.amount = 9'000;
  payment.allocations = {{FinanceKind::invoice, "9001", 0, 10'000}, {FinanceKind::credit_note, "G1", 0, 1'000}};
  CHECK(refusal(payment) == "");
  FinanceDocument rate = document(FinanceKind::rate, "USD/EUR");
  rate.rate = ExchangeRate{*Currency::parse("USD"), *Currency::parse("EUR"), 9'231'000'000};
  CHECK(refusal(rate) == "");
}

TEST_CASE("A document that cannot be what it says is refused with the reason") {
  const auto refused = [](auto change) {
    FinanceDocument made = invoice(10'000);
    change(made);
    return refusal(made);
  };
  CHECK(refused([](auto& made) { made.number = " "; }) == "The invoice has no number; give it one that no other invoice has.");
  CHECK(refused([](auto& made) { made.party_code = ""; }) == "The invoice 9001 names no customer; give the customer's code.");
  CHECK(refused([](auto& made) { made.posted.reset(); }) == "The invoice 9001 has no posting day; give it one.");
  CHECK(refused([](auto& made) { made.due = std::chrono::year(2026) / 6 / 31; }) == "The invoice 9001 has a due day that is in no calendar; correct it.");
  CHECK(refused([](auto& made) { made.due = day("0203-01-01"); }) == "The invoice 9001 has the due day 0203-01-01; a day between 1900 and 2999 is expected.");
  CHECK(refused([](auto& made) { made.amount = -1; }) ==
        "The invoice 9001 has the amount EUR -0.01 below zero; what goes the other way is a document of another kind.");
  CHECK(refused([](auto& made) { made.tax = 10'001; }) ==
        "The invoice 9001 has the tax EUR 100.01, which is no part of its amount EUR 100.00; correct one of them.");
  CHECK(refused([](auto& made) { made.currency = {}; }) == "The invoice 9001 has no currency; give one like EUR.");
  CHECK(refused([](auto& made) { made.instalments = {{std::nullopt, 9'999}}; }) ==
        "The invoice 9001 has instalments that do not add up to its amount EUR 100.00; correct them.");
  CHECK(refused([](auto& made) { made.allocations = {{FinanceKind::bill, "B1", 0, 1}}; }) ==
        "The invoice 9001 settles other documents, which its kind cannot; leave the allocations out.");
  CHECK(refused([](auto& made) {
          made.kind = FinanceKind::payment;
          made.allocations = {{FinanceKind::invoice, "9002", 0, 10'001}};
        }) == "The payment 9001 settles more than its amount EUR 100.00; correct the allocations.");
  CHECK(refused([](auto& made) {
          made.kind = FinanceKind::payment;
          made.allocations = {{FinanceKind::bill, "B1", 0, 1}};
        }) == "The payment 9001 settles the bill B1, which is not of its side; correct the kind.");
  CHECK(refused([](auto& made) { made.kind = FinanceKind::recurring_cost; }) ==
        "The recurring cost 9001 does not say how often it comes; say week, month, quarter or year.");
  CHECK(refused([](auto& made) { made.comment = "\xff"; }) == "The invoice 9001 has a text that is not UTF-8; write it as UTF-8.");
  CHECK(refused([](auto& made) { made.kind = FinanceKind::terms; }) == "The terms 9001 has an amount, which its kind does not have; leave it out.");
}
