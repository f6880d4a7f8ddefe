// Answers as tables, for tests: one look says what was asked and what came.
#pragma once
#include <string>

#include "query/orders.h"
#include "query/totals.h"

namespace millrace::query::testing_tables {

inline std::string amount(std::int64_t minor, Currency currency) {
  return currency.code() + " " + decimal_text(Money{minor, currency});
}

inline std::string table(const std::vector<OrderRow>& rows) {
  std::string out;
  for (const OrderRow& row : rows) {
    out += std::string(row.order) + " " + std::string(row.status) + " " + std::string(row.customer) + " " +
           (row.due ? iso(*row.due) : "none") + " " + amount(row.open_amount, row.currency) + (row.late ? " late" : "") + "\n";
  }
  return out;
}
inline std::string table(const OrderPage& page) { return table(page.rows); }

inline std::string table(const std::vector<CurrencySum>& sums) {
  std::string out;
  for (const CurrencySum& sum : sums) {
    out += amount(sum.open_amount, sum.currency) + " open of " + amount(sum.total, sum.currency) + ", " +
           std::to_string(sum.orders) + " orders, " + std::to_string(sum.lines) + " lines, " +
           std::to_string(sum.open_orders) + " open, " + std::to_string(sum.late_orders) + " late " +
           amount(sum.late_amount, sum.currency) + "\n";
  }
  return out;
}
inline std::string table(const Totals& totals) {
  std::string out;
  for (const TotalRow& row : totals.rows) out += row.key + (row.name.empty() ? "" : " (" + row.name + ")") + ": " + table(row.sums);
  return out;
}

// "order, order, ...": when only the choice and its order matter.
inline std::string numbers(const std::vector<OrderRow>& rows) {
  std::string out;
  for (const OrderRow& row : rows) out += (out.empty() ? "" : " ") + std::string(row.order);
  return out;
}

}  // namespace millrace::query::testing_tables
