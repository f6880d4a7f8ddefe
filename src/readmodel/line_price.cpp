#include "readmodel/line_price.h"

#include <limits>

#include "domain/decimal.h"
#include "domain/money.h"

namespace millrace::readmodel {
namespace {

constexpr std::int64_t whole = 100'000'000;  // 100 % in micros

std::int64_t power_of_ten(int exponent) {
  std::int64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

}  // namespace

//   total / 10^decimals = quantity / 10^6 * price / 10^6 * (1 - discount)
std::int64_t expected_price(std::int64_t line_total, std::int64_t quantity_micros, std::int64_t discount_micros,
                            int currency_decimals) {
  if (quantity_micros == 0 || discount_micros < 0 || discount_micros >= whole || currency_decimals > 6) return 0;
  if (line_total > amount_max || line_total < -amount_max) return 0;
  const std::int64_t minor = power_of_ten(6 - currency_decimals);  // micros of a minor unit
  const std::int64_t pieces = quantity_micros / 1'000'000;
  if (discount_micros == 0 && pieces > 0 && line_total >= 0 && pieces * 1'000'000 == quantity_micros) {
    // The usual case, without 128-bit division.
    const std::int64_t units = (2 * line_total + pieces) / (2 * pieces);
    std::int64_t price = 0;
    return __builtin_mul_overflow(units, minor, &price) ? 0 : price;
  }
  const Int128 numerator = static_cast<Int128>(line_total) * power_of_ten(6) * whole;
  const Int128 denominator = static_cast<Int128>(quantity_micros) * (whole - discount_micros);
  const Int128 price = divide_half_away(numerator, denominator) * minor;
  if (price > std::numeric_limits<std::int64_t>::max() || price < std::numeric_limits<std::int64_t>::min()) return 0;
  return static_cast<std::int64_t>(price);
}

}  // namespace millrace::readmodel
