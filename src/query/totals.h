// Open totals per group and currency. Unfiltered totals come from sums the read model keeps; filtered ones from
// one pass over the matching orders.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
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

// What the groups are sorted by. Amounts of different currencies are never compared: the currency with the most orders
// decides first, a tie goes to the next one; what is left goes by key, ascending.
enum class TotalsSort { open_amount, total, net, late_amount, orders, lines, open_orders, late_orders, key };
std::optional<TotalsSort> parse_totals_sort(std::string_view name);
std::span<const std::string_view> totals_sort_names();

struct TotalsOrder {
  TotalsSort by = TotalsSort::open_amount;
  bool descending = true;
  std::size_t limit = SIZE_MAX;  // the first so many groups; the others are only counted
};

struct Totals {
  feed::Sequence as_of;
  Instant as_of_time;
  std::vector<TotalRow> rows;
  std::uint64_t groups = 0;  // all there are, also those beyond the limit
};

// A query with filters counts only matching orders (for item and manufacturer: their lines of that key).
// For item and manufacturer, `orders` counts orders with such a line, and net/total/open_amount are of the lines.
Result<Totals> totals(const readmodel::Snapshot& snapshot, TotalsGroup group, const OrderQuery& query, Day today,
                      const TotalsOrder& order = {});

}  // namespace millrace::query
