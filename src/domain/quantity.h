// Quantities, unit prices and percentages: scaled integers with six decimals, as ERP systems keep them.
//
// Invariants
//   * Stored value = number * 10^6. |number| stays below 9 * 10^12.
//   * A Quantity knows no unit by itself; the order line carries the unit of measure beside it.
#pragma once
#include <compare>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "domain/decimal.h"

namespace millrace {

inline constexpr int micro_digits = 6;
inline constexpr std::int64_t micros_per_one = 1'000'000;

struct Quantity {
  std::int64_t micros = 0;
  auto operator<=>(const Quantity&) const = default;
};

struct UnitPrice {  // in major units of the order's currency, per one unit of measure
  std::int64_t micros = 0;
  auto operator<=>(const UnitPrice&) const = default;
};

struct Percent {  // 12.5 % is 12'500'000
  std::int64_t micros = 0;
  auto operator<=>(const Percent&) const = default;
};

// Refused when the text has more than six significant decimals or is too large.
Result<std::int64_t> to_micros(const Decimal& value, std::string_view what);

// Without trailing zeros: "4", "0.25".
std::string decimal_text(Quantity quantity);
std::string decimal_text(UnitPrice price);
std::string decimal_text(Percent percent);

}  // namespace millrace
