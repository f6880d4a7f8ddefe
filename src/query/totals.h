// Open totals per group and currency. Unfiltered totals come from sums the read model keeps; filtered ones from
// one pass over the matching orders.
#pragma once
#include <string>
#include <vector>

#include "query/orders.h"

namespace millrace::query {

enum class TotalsGroup { customer, item, manufacturer, salesman, status, due_month, currency };
std::optional<TotalsGroup> parse_totals_group(std::string_view name);
std::span<const std::string_view> totals_group_names();

struct TotalRow {
  std::string key;   // customer code, item code, "2026-12", "none" for no usable date
  std::string name;  // customer or item name, "" when there is none
  std::vector<CurrencySum> sums;
};

struct Totals {
  feed::Sequence as_of;
  Instant as_of_time;
  std::vector<TotalRow> rows;  // largest open amount first (of the currency with the most), then key
};

// A query with filters counts only matching orders (for item and manufacturer: their lines of that key).
// For item and manufacturer, `orders` counts orders with such a line, and net/total/open_amount are of the lines.
Result<Totals> totals(const readmodel::Snapshot& snapshot, TotalsGroup group, const OrderQuery& query, Day today);

}  // namespace millrace::query
