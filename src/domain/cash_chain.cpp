#include "domain/cash_chain.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "domain/decimal.h"
#include "domain/largest_remainder.h"
#include "domain/order_rules.h"

namespace millrace {
namespace {

// |amount| at most |limit|, of the limit's sign; the rest stays in `amount`.
std::int64_t take(std::int64_t& amount, std::int64_t limit) {
  const std::int64_t taken = limit >= 0 ? std::clamp<std::int64_t>(amount, 0, limit) : std::clamp<std::int64_t>(amount, limit, 0);
  amount -= taken;
  return taken;
}

// Takes up to `amount` (not below 0) out of the parts' `still`, in proportion, into the member; answers what found no room.
std::int64_t settle(std::span<InvoiceShare> shares, std::int64_t amount, std::int64_t InvoiceShare::*into) {
  std::int64_t sum = 0;
  for (const InvoiceShare& share : shares) sum += share.still;
  const std::int64_t taken = take(amount, std::max<std::int64_t>(0, sum));
  if (taken == 0) return amount;
  std::vector<std::int64_t> still;
  still.reserve(shares.size());
  for (const InvoiceShare& share : shares) still.push_back(share.still);
  // Settled to the last unit: also lines below zero (a discount) are settled whole.
  const auto parts = taken == sum ? still : split_by_largest_remainder(taken, still);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i].*into += parts[i], shares[i].still -= parts[i];
  return amount;
}

std::int64_t value_of(std::int64_t line_total, Quantity part, Quantity ordered) {
  if (part.micros >= ordered.micros) return line_total;
  return static_cast<std::int64_t>(divide_half_away(static_cast<Int128>(line_total) * std::max<std::int64_t>(0, part.micros), ordered.micros));
}

// What the line is worth before any invoice: open, delivered and cancelled add up to the line total.
LineMoney by_quantity(const ChainLine& line, bool invoiced) {
  LineMoney money;
  if (line.ordered.micros <= 0) {
    (line.delivered.micros != 0 || invoiced ? money.delivered : money.cancelled) = line.line_total;
    return money;
  }
  const std::int64_t open = line.cancelled ? 0 : std::clamp<std::int64_t>(line.open.micros, 0, line.ordered.micros);
  const std::int64_t delivered = std::clamp<std::int64_t>(line.delivered.micros, 0, line.ordered.micros - open);
  money.open = value_of(line.line_total, Quantity{open}, line.ordered);
  std::int64_t left = line.line_total - money.open;
  if (delivered + open == line.ordered.micros) {
    money.delivered = left;
  } else {
    std::int64_t worth = value_of(line.line_total, Quantity{delivered}, line.ordered);
    money.delivered = take(worth, left);
    money.cancelled = left - money.delivered;
  }
  money.over_delivered.micros = std::max<std::int64_t>(0, line.delivered.micros - line.ordered.micros);
  return money;
}

}  // namespace

std::string_view word(MoneyState state) {
  switch (state) {
    case MoneyState::open: return "open";
    case MoneyState::delivered: return "delivered";
    case MoneyState::invoiced: return "invoiced";
    case MoneyState::paid: return "paid";
    case MoneyState::written_off: return "written_off";
    case MoneyState::forecast: return "forecast";
  }
  check(false, "a money state has a word");
  return "";
}

InvoiceSplit split_invoice(const InvoiceMoney& invoice) {
  InvoiceSplit split;
  // Parts, then tax, then the rest: one row of shares that adds up to gross.
  std::vector<InvoiceShare> shares;
  shares.reserve(invoice.parts.size() + 2);
  std::int64_t other = invoice.gross - invoice.tax;
  for (const InvoicePart& part : invoice.parts) {
    InvoiceShare share{.net = part.net, .still = part.net};
    std::int64_t final_credit = part.credited_final, back = part.credited_back;
    share.credited_final = take(final_credit, share.still);
    share.still -= share.credited_final;
    share.credited_back = take(back, share.still);
    share.still -= share.credited_back;
    split.overpaid += std::max<std::int64_t>(0, final_credit) + std::max<std::int64_t>(0, back);
    other -= part.net;
    shares.push_back(share);
  }
  const std::size_t count = shares.size();
  shares.push_back({.net = invoice.tax, .still = invoice.tax});
  shares.push_back({.net = other, .still = other});
  split.overpaid += settle(std::span(shares).subspan(count), std::max<std::int64_t>(0, invoice.credited_tax), &InvoiceShare::credited_back);
  split.overpaid += settle(shares, std::max<std::int64_t>(0, invoice.credited_whole_final), &InvoiceShare::credited_final);
  split.overpaid += settle(shares, std::max<std::int64_t>(0, invoice.credited_whole_back), &InvoiceShare::credited_back);
  split.overpaid += settle(shares, std::max<std::int64_t>(0, invoice.paid), &InvoiceShare::paid);
  split.overpaid += settle(shares, std::max<std::int64_t>(0, invoice.written_off), &InvoiceShare::written_off);
  // Nothing is asked for any more: lines that cancel each other out are settled by each other.
  std::int64_t still = 0;
  for (const InvoiceShare& share : shares) still += share.still;
  if (still == 0)
    for (InvoiceShare& share : shares) share.paid += std::exchange(share.still, 0);
  split.other = shares[count + 1];
  split.tax = shares[count];
  shares.resize(count);
  split.parts = std::move(shares);
  return split;
}

std::int64_t LineMoney::of(MoneyState state) const {
  switch (state) {
    case MoneyState::open: return open;
    case MoneyState::delivered: return delivered;
    case MoneyState::invoiced: return invoiced;
    case MoneyState::paid: return paid;
    case MoneyState::written_off: return written_off;
    case MoneyState::forecast: return 0;  // what is ordered is no forecast any more
  }
  check(false, "a line's money has this state");
  return 0;
}

LineMoney& LineMoney::operator+=(const LineMoney& other) {
  open += other.open;
  delivered += other.delivered;
  invoiced += other.invoiced;
  paid += other.paid;
  written_off += other.written_off;
  cancelled += other.cancelled;
  over_invoiced += other.over_invoiced;
  over_delivered.micros += other.over_delivered.micros;
  return *this;
}

LineMoney line_money(const ChainLine& line) {
  std::int64_t paid = 0, written_off = 0, invoiced = 0;
  for (const InvoiceShare& share : line.invoices) {
    paid += share.paid;
    written_off += share.written_off + share.credited_final;
    invoiced += share.still;
  }
  LineMoney money = by_quantity(line, !line.invoices.empty());
  std::int64_t left = line.line_total;
  const auto claim = [&](std::int64_t amount) {
    const std::int64_t taken = take(amount, left);
    left -= taken;
    money.over_invoiced += amount;
    return taken;
  };
  money.paid = claim(paid);
  money.written_off = claim(written_off);
  money.invoiced = claim(invoiced);
  // What has gone further comes out of what was delivered first, then out of what is open (a deposit), then out of what was
  // cancelled: it was invoiced all the same.
  std::int64_t gone_further = line.line_total - left;
  money.delivered -= take(gone_further, money.delivered);
  money.open -= take(gone_further, money.open);
  money.cancelled -= take(gone_further, money.cancelled);
  check(money.value() + money.cancelled == line.line_total, "the states of a line add up to its line total");
  return money;
}

}  // namespace millrace
