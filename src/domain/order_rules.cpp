#include "domain/order_rules.h"

#include <algorithm>

namespace millrace {
namespace {

Int128 power_of_ten(int exponent) {
  Int128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

}  // namespace

Result<std::int64_t> line_total(Quantity quantity, UnitPrice price, Percent discount, Currency currency) {
  // quantity [1e-6] * price [1e-6] * (100 % - discount) [1e-6 %]: an integer of 1e-20 major units. The percentage is
  // cut to 1e-4 % where it is whole there, which keeps the product inside 128 bits for every realistic line.
  constexpr std::int64_t whole = 100 * micros_per_one;
  std::int64_t share = whole - discount.micros;
  int share_digits = 8;
  while (share_digits > 0 && share % 10 == 0) share /= 10, --share_digits;
  const Int128 gross = static_cast<Int128>(quantity.micros) * price.micros;
  // Product and limit are compared without dividing where neither factor is out of the ordinary.
  constexpr std::int64_t ordinary = 1'000'000'000'000'000'000;
  const auto too_large = [&] {
    if (gross < ordinary && gross > -ordinary && share < ordinary && share > -ordinary) return false;
    const Int128 limit = power_of_ten(37) / std::max<Int128>(1, share < 0 ? -share : share);
    return gross > limit || gross < -limit;
  };
  if (too_large())
    return fail(ErrorCode::invalid_input, "quantity " + decimal_text(quantity) + " times price " + decimal_text(price) + " is too large");
  const int digits = 2 * micro_digits + share_digits;
  const Int128 minor = divide_half_away(gross * share, power_of_ten(digits - currency.decimals()));
  if (minor > amount_max || minor < -amount_max)
    return fail(ErrorCode::invalid_input, "quantity " + decimal_text(quantity) + " times price " + decimal_text(price) + " is too large an amount");
  return static_cast<std::int64_t>(minor);
}

std::int64_t open_amount(std::int64_t total, Quantity ordered, Quantity open, LineStatus status) {
  if (status != LineStatus::open || open.micros <= 0 || ordered.micros <= 0) return 0;
  return static_cast<std::int64_t>(divide_half_away(static_cast<Int128>(total) * open.micros, ordered.micros));
}

void settle_amounts(SalesOrder& order) {
  for (OrderLine& line : order.lines) {
    if (line.status != LineStatus::open || line.quantity_ordered.micros <= 0) line.quantity_open.micros = 0;
    // More open than ordered is no state of a line; without the bound its amount could leave 64 bits.
    line.quantity_open.micros = std::clamp<std::int64_t>(line.quantity_open.micros, 0, std::max<std::int64_t>(0, line.quantity_ordered.micros));
    line.open_amount = open_amount(line.line_total, line.quantity_ordered, line.quantity_open, line.status);
  }
}

OrderAmounts amounts(const SalesOrder& order) {
  OrderAmounts sums;
  for (const OrderLine& line : order.lines) {
    if (line.status != LineStatus::cancelled) sums.net += line.line_total;
    sums.open += line.open_amount;
  }
  sums.total = sums.net + order.tax + order.freight;
  return sums;
}

std::optional<Day> due_date(const SalesOrder& order) {
  return order.promise_date ? order.promise_date : order.requested_date;
}

std::optional<Day> due_date(const SalesOrder& order, const OrderLine& line) {
  if (line.promise_date) return line.promise_date;
  if (order.promise_date) return order.promise_date;
  return line.requested_date ? line.requested_date : order.requested_date;
}

int lateness_days(Day due, Day today) { return day_number(today) - day_number(due); }

}  // namespace millrace
