// What the company spends by month and category, against its budget; beside it the revenue series.
//
//   actual   costs and taxes whose day (paid, else due, else posted) is today or before
//   planned  those after today, and the turns of recurring costs after today that no cost stands for
//   budget   budgets of the month
//
// Invariants
//   * Sums of one month, category and currency are converted once, by the rate of the month's last day or of today when that
//     is earlier. What no rate converts stands beside and is added nowhere.
//   * The figures of rows add up to the totals exactly. Pure. Any thread may call.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/cash_moves.h"

namespace millrace::query {

struct CostsAsked {
  Currency currency;
  Day from{}, to{};      // both included
  std::string category;  // "" all
  bool by_month = true;  // else by category over the whole time
};
struct CostSums {
  std::int64_t actual = 0, planned = 0, budget = 0;
  std::uint64_t documents = 0;
  std::int64_t difference() const { return budget - actual - planned; }  // below zero: over budget
};
struct CostRow {
  std::string month;  // "2026-11", "" over all
  std::string category;
  CostSums sums;
};
struct RevenueRow {
  std::string month;
  std::int64_t invoiced = 0;  // net, credit notes taken off
  std::int64_t paid = 0;      // by customers
  std::int64_t ordered = 0;   // net, by order date
};
struct Costs {
  std::vector<CostRow> rows;            // by month, then by category
  std::vector<std::string> categories;  // all there are
  CostSums totals;
  std::vector<RevenueRow> revenue;      // every month of the time
  MoneyByCurrency without_rate;
};
// Errors   limit_reached  an amount is too large for the currency
Result<Costs> costs(const readmodel::Snapshot& snapshot, const readmodel::FinanceBook& book, const CashFinance& finance, const CostsAsked& asked);

// The documents behind a cell: what counts in it, by day.
struct CostItem {
  readmodel::FinancePtr document;
  Day day{};
  std::string_view counts_as;  // actual, planned, budget
};
std::vector<CostItem> cost_items(const readmodel::FinanceBook& book, const CashFinance& finance, const CostsAsked& asked);

}  // namespace millrace::query
