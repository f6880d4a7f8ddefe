// Where the money of one order is, line by line, with the documents that say so.
//
// Invariants
//   * The states of a line add up to its value, those of the lines to the order's (domain/cash_chain.h). Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/cash_moves.h"
#include "query/order_chain.h"

namespace millrace::query {

struct OrderMoneyLine {
  std::int32_t line = 0;
  std::string item_code;
  LineMoney money;
  std::optional<Day> expected;  // of what is not paid yet, the latest
  std::string why;
};
struct OrderMoney {
  std::string order, salesman;
  Currency currency;
  LineMoney money;
  std::vector<OrderMoneyLine> lines;
  std::vector<readmodel::FinancePtr> documents, unconverted;
};
// Errors   not_found  there is no such order
Result<OrderMoney> order_money(const CashMoves& moves, const readmodel::FinanceBook& book, std::string_view order);

}  // namespace millrace::query
