// How one customer pays: the sentence, the days, the trend, what is open, and every invoice with what became of it.
//
// Invariants
//   * Pure. Any thread may call.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/cash_moves.h"

namespace millrace::query {

struct PaidInvoice {
  readmodel::FinancePtr document;
  std::optional<Day> due, paid;
  std::int64_t amount = 0;  // of the instalment, minor units of the document's currency
  std::int64_t open = 0;
  std::optional<std::int32_t> days_late;  // of what is paid; of what is open so far
  bool outlier = false;
};

struct CustomerPayments {
  std::string party, name;
  planning::PaymentProfile profile;
  std::uint64_t open_count = 0;
  MoneyByCurrency open;        // invoices
  MoneyByCurrency not_invoiced;  // orders and deliveries
  std::vector<PaidInvoice> history;  // newest first
};
// Errors   not_found  neither an order nor an invoice names the customer
Result<CustomerPayments> customer_payments(const CashMoves& moves, const readmodel::FinanceBook& book, std::string_view customer, std::size_t limit);

}  // namespace millrace::query
