// The reports of a month: "monthly" says what came in, what was ordered and what it cost; the month-end pack adds what is
// owed on its last day and the cash of the weeks after.
//
// Invariants
//   * Every figure comes from the functions the screens ask (query/cash.h, ageing.h, costs.h): the same state gives the same
//     numbers there and here.
//   * Pure: the same snapshot, day and wish give the same pack, whenever it is made.
#pragma once
#include <string>

#include "app/report_pack.h"
#include "base/result.h"
#include "readmodel/snapshot.h"

namespace millrace::app {

struct MonthPackAsked {
  std::chrono::year_month month{};
  bool month_end = true;  // else the monthly report
  Day day{};              // "today" of the report: forecasts begin here
  Currency currency;      // none: the company's own
  std::string company;
};

inline constexpr std::size_t pack_parties_max = 40;  // rows of an ageing table; the others are one row

// Errors   invalid_input  the month begins after the day
//          limit_reached  an amount is too large for the currency
Result<Pack> month_pack(const readmodel::SnapshotPtr& snapshot, const readmodel::FinanceBook& book, const MonthPackAsked& asked);

}  // namespace millrace::app
