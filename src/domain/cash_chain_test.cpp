#include "domain/cash_chain.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "domain/order_rules.h"
#include "testing/money_history.h"

using namespace millrace;

namespace {

Quantity pieces(std::int64_t count) { return {count * micros_per_one}; }

std::string table(const LineMoney& money) {
  std::string text;
  const auto put = [&](std::string_view name, std::int64_t amount) {
    if (amount != 0) text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(amount);
  };
  for (const MoneyState state : {MoneyState::open, MoneyState::delivered, MoneyState::invoiced, MoneyState::paid, MoneyState::written_off})
    put(word(state), money.of(state));
  put("cancelled", money.cancelled);
  put("over", money.over_invoiced);
  put("over-delivered", money.over_delivered.micros / micros_per_one);
  return text;
}

// A line of ten pieces for 1,000: what happened to it.
struct Line {
  ChainLine line{.line_total = 1'000, .ordered = pieces(10), .open = pieces(10)};
  std::vector<InvoiceShare> shares;

  Line& delivered(std::int64_t count) {
    line.delivered = pieces(count);
    line.open = pieces(std::max<std::int64_t>(0, 10 - count));
    return *this;
  }
  Line& open(std::int64_t count) { return line.open = pieces(count), *this; }
  Line& invoice(const InvoiceMoney& money) {
    for (const InvoiceShare& share : split_invoice(money).parts) shares.push_back(share);
    return *this;
  }
  std::string money() {
    line.invoices = shares;
    return table(line_money(line));
  }
};

InvoiceMoney invoice(std::int64_t net) { return {.gross = net * 119 / 100, .tax = net * 19 / 100, .parts = {{.net = net}}}; }
InvoiceMoney paid(std::int64_t net, std::int64_t gross) {
  InvoiceMoney money = invoice(net);
  money.paid = gross;
  return money;
}

}  // namespace

TEST_CASE("A line's money goes from open to delivered to invoiced to paid, in parts") {
  CHECK(Line().money() == "open 1000");
  CHECK(Line().delivered(4).money() == "open 600, delivered 400");
  CHECK(Line().delivered(4).invoice(invoice(300)).money() == "open 600, delivered 100, invoiced 300");
  CHECK(Line().delivered(4).invoice(paid(300, 119)).money() == "open 600, delivered 100, invoiced 200, paid 100");
  CHECK(Line().delivered(10).invoice(paid(300, 357)).invoice(invoice(700)).money() == "invoiced 700, paid 300");
  CHECK(Line().delivered(10).invoice(paid(300, 357)).invoice(paid(700, 833)).money() == "paid 1000");
}

TEST_CASE("A deposit is invoiced before anything left: it is no longer open") {
  CHECK(Line().invoice(invoice(300)).money() == "open 700, invoiced 300");
  CHECK(Line().invoice(paid(300, 357)).delivered(2).money() == "open 700, paid 300");
  CHECK(Line().invoice(paid(300, 357)).delivered(5).money() == "open 500, delivered 200, paid 300");
}

TEST_CASE("A correcting credit note goes back to delivered, a final one is written off") {
  InvoiceMoney corrected = invoice(500);
  corrected.parts[0].credited_back = 200;
  corrected.credited_tax = 38;
  CHECK(Line().delivered(5).invoice(corrected).money() == "open 500, delivered 200, invoiced 300");
  InvoiceMoney final_one = invoice(500);
  final_one.parts[0].credited_final = 200;
  final_one.credited_tax = 38;
  CHECK(Line().delivered(5).invoice(final_one).money() == "open 500, invoiced 300, written_off 200");
  // Paid in full and credited afterwards: what was paid too much is the customer's.
  final_one.paid = 595;
  const InvoiceSplit split = split_invoice(final_one);
  CHECK(split.overpaid == 238);
  CHECK(split.parts[0].paid == 300);
  // A credit note that names no line takes from lines and tax in proportion.
  InvoiceMoney whole = invoice(500);
  whole.credited_whole_final = 119;
  CHECK(Line().delivered(5).invoice(whole).money() == "open 500, invoiced 400, written_off 100");
}

TEST_CASE("What is written off, cancelled, invoiced or delivered beyond the order stands where it belongs") {
  InvoiceMoney lost = paid(500, 119);
  lost.written_off = 476;
  CHECK(Line().delivered(5).invoice(lost).money() == "open 500, paid 100, written_off 400");
  CHECK(Line().delivered(4).open(0).money() == "delivered 400, cancelled 600");
  CHECK(Line().open(0).money() == "cancelled 1000");
  CHECK(Line().delivered(12).money() == "delivered 1000, over-delivered 2");
  CHECK(Line().delivered(10).invoice(invoice(1'200)).money() == "invoiced 1000, over 200");
  CHECK(Line().delivered(10).invoice(paid(1'200, 1'428)).money() == "paid 1000, over 200");
  // Invoiced although it was cancelled: the money counts, less of it was cancelled.
  CHECK(Line().delivered(4).open(0).invoice(invoice(700)).money() == "invoiced 700, cancelled 300");
}

TEST_CASE("A payment in part is split over the lines and the tax so that it adds up, and in full pays every line in full") {
  InvoiceMoney three{.gross = 119, .tax = 19, .parts = {{.net = 33}, {.net = 33}, {.net = 34}}};
  three.paid = 50;
  const InvoiceSplit part = split_invoice(three);
  CHECK(part.parts[0].paid + part.parts[1].paid + part.parts[2].paid + part.tax.paid == 50);
  CHECK(part.parts[0].paid == 14);
  three.paid = 130;
  const InvoiceSplit full = split_invoice(three);
  CHECK(full.parts[2].paid == 34);
  CHECK(full.tax.paid == 19);
  CHECK(full.overpaid == 11);
  // A discount line is settled with the rest.
  InvoiceMoney discount{.gross = 90, .tax = 0, .parts = {{.net = 100}, {.net = -10}}};
  discount.paid = 90;
  CHECK(split_invoice(discount).parts[1].paid == -10);
  // Lines that cancel each other out owe nothing.
  const InvoiceSplit nothing = split_invoice({.gross = 0, .tax = 0, .parts = {{.net = 100}, {.net = -100}}});
  CHECK(nothing.parts[0].still == 0);
  CHECK(nothing.parts[0].paid == 100);
}

TEST_CASE("Lines of no quantity and lines below zero keep the sum too") {
  CHECK(table(line_money({.line_total = 500})) == "cancelled 500");
  CHECK(table(line_money({.line_total = 500, .delivered = pieces(1)})) == "delivered 500");
  CHECK(table(line_money({.line_total = -1'000, .ordered = pieces(10), .open = pieces(4), .delivered = pieces(6)})) == "open -400, delivered -600");
  CHECK(table(line_money({.line_total = 1'000, .ordered = pieces(10), .open = pieces(10), .delivered = {}, .cancelled = true})) == "cancelled 1000");
}

TEST_CASE("While nothing happened, open is the line's open amount of the order") {
  CHECK(rc::check("open amount", [] {
    const auto total = *rc::gen::inRange<std::int64_t>(-1'000'000'000, 1'000'000'000);
    const auto ordered = *rc::gen::inRange<std::int64_t>(1, 1'000'000'000);
    const auto open = *rc::gen::inRange<std::int64_t>(0, ordered + 1);
    const LineMoney money = line_money({.line_total = total, .ordered = {ordered}, .open = {open}, .delivered = {ordered - open}});
    RC_ASSERT(money.open == open_amount(total, {ordered}, {open}, LineStatus::open));
    RC_ASSERT(money.delivered == total - money.open);
  }));
}

TEST_CASE("After every step of any history the states of each line add up to its line total") {
  CHECK(rc::check("chain of money", [] {
    testing::MoneyHistory history(*rc::gen::arbitrary<std::uint64_t>());
    for (int step = 0; step < 30; ++step) {
      history.step();
      RC_ASSERT(history.mistake() == "");
    }
  }));
}
