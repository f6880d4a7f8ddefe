// The chain of money of one order, from its lines and the finance documents that name them.
//
// A credit note is a correction (its money goes back to delivered) when the same order line was invoiced again on or after
// its day; otherwise it is final. An invoice line that names no line of the order is spread over the lines by their totals.
//
// Invariants
//   * As domain/cash_chain.h says: the states of a line add up to its value. Pure. Any thread may call.
#pragma once
#include <vector>

#include "domain/cash_chain.h"
#include "domain/exchange.h"
#include "domain/order.h"
#include "readmodel/finance_book.h"

namespace millrace::query {

struct OrderChain {
  std::vector<LineMoney> lines;                    // as SalesOrder::lines
  std::vector<readmodel::FinancePtr> documents;    // that name the order or settle such, by day
  std::vector<readmodel::FinancePtr> unconverted;  // left out: no rate leads to the order's currency
};
OrderChain order_chain(const SalesOrder& order, const readmodel::FinanceBook& book, const RateTable& rates);

}  // namespace millrace::query
