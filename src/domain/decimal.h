// Exact decimal numbers, as documents write them, and the one rounding rule.
//
// Invariants
//   * A Decimal is mantissa / 10^scale, 0 <= scale <= `decimal_scale_max`; no double is involved.
//   * Text with more digits than fit is refused, never rounded in silence.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace {

inline constexpr int decimal_scale_max = 12;

struct Decimal {
  std::int64_t mantissa = 0;
  int scale = 0;

  bool is_zero() const { return mantissa == 0; }
};

// "-1234.50", "+3", ".5", "1e3", "1.5E-2": plain decimal text with a point, as JSON and machine files write it.
// Blanks around are ignored. Errors: invalid_input with the text and what is wrong.
Result<Decimal> parse_decimal(std::string_view text);
// The value as its shortest decimal text that reads back as the same double: spreadsheet cells are doubles.
Result<Decimal> decimal_from_double(double value);

std::string decimal_text(const Decimal& value);     // "12.50" -> "12.50"
std::string shortest_text(const Decimal& value);    // "12.50" -> "12.5", "3.00" -> "3"
std::string scaled_text(std::int64_t value, int scale);  // 1250, 2 -> "12.50"

// value * 10^digits, rounded half away from zero; nothing when it leaves 64 bits.
std::optional<std::int64_t> scaled(const Decimal& value, int digits);

// numerator / denominator rounded half away from zero. denominator != 0.
__extension__ typedef __int128 Int128;
Int128 divide_half_away(Int128 numerator, Int128 denominator);

}  // namespace millrace
