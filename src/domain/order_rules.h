// The pure rules of amounts, dates and lateness of orders and lines. Any thread may call.
#pragma once
#include <optional>
#include <string>

#include "domain/order.h"

namespace millrace {

// quantity * unit price * (1 - discount), rounded half away from zero once per line, in minor units.
Result<std::int64_t> line_total(Quantity quantity, UnitPrice price, Percent discount, Currency currency);

// line total * open / ordered, rounded half away from zero once. 0 when nothing is open, ordered is zero or the
// line is closed or cancelled.
std::int64_t open_amount(std::int64_t line_total, Quantity ordered, Quantity open, LineStatus status);

// Brings an order as read to the rules: open quantity 0 for closed, cancelled and non-positive lines, never below
// zero and never above the ordered quantity; open amounts recomputed. Idempotent.
void settle_amounts(SalesOrder& order);

struct OrderAmounts {
  std::int64_t net = 0;    // sum of totals of lines not cancelled
  std::int64_t total = 0;  // net + tax + freight
  std::int64_t open = 0;   // sum of open amounts
};
OrderAmounts amounts(const SalesOrder& order);

// Promise if any, else wish; the line's own dates before the order's (ORDER: line promise, order promise, line
// wish, order wish).
std::optional<Day> due_date(const SalesOrder& order, const OrderLine& line);
// Of the order: its promise, else its wish.
std::optional<Day> due_date(const SalesOrder& order);

// Signed days past the due date, positive is late.
int lateness_days(Day due, Day today);

}  // namespace millrace
