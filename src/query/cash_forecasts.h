// Forecasts that were kept: how one is made from a board, why the next one differs, and how good they were.
//
// Invariants
//   * A kept forecast holds every movement of its board, and what is in the accounts as one item per currency: its closing is
//     that of the plan.
//   * The parts of a bridge add up to the difference exactly (planning/cash_bridge.h). Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "planning/cash_bridge.h"
#include "query/cash.h"

namespace millrace::query {

planning::KeptForecast kept_forecast(const CashBoard& board, std::int32_t weeks);

// What of the items of `before` came or went since, as the book says now: payments of its invoices and bills, costs whose day is over.
planning::Settled settled_since(const planning::KeptForecast& before, const CashBoard& after, const readmodel::FinanceBook& book);

// ---- how good they were

struct PastWeek {
  std::int32_t start = 0;  // day number
  std::int64_t receipts = 0, closing = 0, p10 = 0, p90 = 0;
};
struct PastForecast {
  std::int32_t first_day = 0;
  std::vector<PastWeek> weeks;  // the last one ends where the next would start
};
struct WeekAccuracy {
  std::int32_t week = 0;      // ahead, from 1
  std::uint32_t forecasts = 0;
  std::optional<double> wape;     // of receipts, weighted by amount
  std::int64_t bias = 0;          // mean of forecast - actual receipts
  std::optional<double> covered;  // share of closing balances between p10 and p90, where a balance is known
};
// All in one currency; weeks that are over only.
// Errors   limit_reached  an amount is too large
Result<std::vector<WeekAccuracy>> week_accuracy(const std::vector<PastForecast>& forecasts, const CashFinance& finance, const readmodel::FinanceBook& book, Currency currency);

struct CustomerAccuracy {
  std::string party, name;
  double mae_days = 0;
  std::uint32_t invoices = 0;
};
// Of the invoices of these forecasts that were paid since; an invoice counts in each forecast that named it.
std::vector<CustomerAccuracy> customer_accuracy(const std::vector<planning::KeptForecast>& forecasts, const readmodel::FinanceBook& book);

}  // namespace millrace::query
