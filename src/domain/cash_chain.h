// Where the money of an order line is: open, delivered, invoiced, paid or written off. Each minor unit in exactly one place.
//
//   ordered ──> open ──> delivered (not invoiced) ──> invoiced (not paid) ──> paid
//                 │              ^         │               │
//             cancelled          │         │               └──> written off (write-off, final credit note)
//                                └─────────┴── a correcting credit note goes back
//
// The furthest state counts: what is paid is no longer invoiced, what is invoiced is neither delivered nor open, whether the
// goods left or not (a deposit). What was ordered and is neither open nor delivered any more was cancelled: it is no money.
//
// Invariants
//   * open + delivered + invoiced + paid + written_off == value(), value() + cancelled == the line total, always, whatever
//     comes in; no state has the other sign than the line total.
//   * Invoiced beyond the line total stands beside (`over_invoiced`), delivered beyond the order too; neither is in a state.
//   * While nothing is delivered, invoiced or cancelled, `open` is the line's open amount (domain/order_rules.h).
//   * Amounts are net minor units of the order's currency; invoices in another currency are converted before.
//   * Pure. Any thread may call.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "domain/quantity.h"

namespace millrace {

// Stored and sent: numbers are never given twice.
enum class MoneyState : std::uint8_t { open = 0, delivered = 1, invoiced = 2, paid = 3, written_off = 4, forecast = 5 };
inline constexpr std::size_t money_state_count = 6;
std::string_view word(MoneyState state);  // "written_off"

// ---- one invoice: what was paid of it, split over its lines

struct InvoicePart {
  std::int64_t net = 0;             // of one invoice line, before credit notes
  std::int64_t credited_back = 0;   // net, by credit notes that correct: it will be invoiced again
  std::int64_t credited_final = 0;  // net, by credit notes that end it
};

struct InvoiceMoney {
  std::int64_t gross = 0;  // what the customer was asked for: parts, tax and whatever else (freight)
  std::int64_t tax = 0;
  std::vector<InvoicePart> parts{};
  std::int64_t credited_tax = 0;          // of the credit notes of the parts, and what they take back besides lines
  std::int64_t credited_whole_back = 0;   // gross, by credit notes that name no line
  std::int64_t credited_whole_final = 0;
  std::int64_t paid = 0;         // gross, all payments allocated to it
  std::int64_t written_off = 0;  // gross
};

// Of one invoice line, net: still + paid + written_off + credited_back + credited_final == net.
struct InvoiceShare {
  std::int64_t net = 0;
  std::int64_t still = 0;  // invoiced and not settled
  std::int64_t paid = 0;
  std::int64_t written_off = 0;
  std::int64_t credited_back = 0;
  std::int64_t credited_final = 0;
};

struct InvoiceSplit {
  std::vector<InvoiceShare> parts;  // as InvoiceMoney::parts
  InvoiceShare tax;
  InvoiceShare other;          // freight and what else is in gross
  std::int64_t overpaid = 0;   // gross, paid, written off or credited beyond what was left: on account or to be given back
};

// Credits first, then payments, then write-offs, each split over what is left of the parts by largest remainder, so that
// an invoice paid in full has every part paid in full. Nothing takes more than there is; the rest is `overpaid`.
InvoiceSplit split_invoice(const InvoiceMoney& invoice);

// ---- one order line

struct ChainLine {
  std::int64_t line_total = 0;
  Quantity ordered{};
  Quantity open{};       // still to be delivered
  Quantity delivered{};  // may be more than ordered
  bool cancelled = false;  // nothing more will be delivered; `open` is ignored
  std::span<const InvoiceShare> invoices{};  // of this line, in any order
};

struct LineMoney {
  std::int64_t open = 0;
  std::int64_t delivered = 0;
  std::int64_t invoiced = 0;
  std::int64_t paid = 0;
  std::int64_t written_off = 0;
  std::int64_t cancelled = 0;      // ordered once, no money any more
  std::int64_t over_invoiced = 0;  // beside: net invoiced beyond the line total; below 0: credited beyond what was invoiced
  Quantity over_delivered;         // beside

  std::int64_t value() const { return open + delivered + invoiced + paid + written_off; }
  std::int64_t of(MoneyState state) const;
  LineMoney& operator+=(const LineMoney& other);  // of lines of one order and currency
  bool operator==(const LineMoney&) const = default;
};

// A line without a positive ordered quantity has nothing to deliver: it counts as delivered when `delivered` is not zero or
// something was invoiced, as cancelled otherwise.
LineMoney line_money(const ChainLine& line);

}  // namespace millrace
