#include "domain/decimal.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace millrace {
namespace {

constexpr std::int64_t mantissa_max = std::numeric_limits<std::int64_t>::max();
constexpr int exponent_max = 64;  // beyond it the number cannot fit whatever its digits

Failure refuse(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid_input,
              "\"" + printable(text.substr(0, 60)) + "\" " + std::string(why));
}

std::int64_t power_of_ten(int exponent) {
  std::int64_t value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

// Digits of the number collected from text, trailing zeros of the fraction not yet counted as precision.
struct Digits {
  std::int64_t mantissa = 0;
  int scale = 0;          // digits after the point that are in the mantissa
  int pending_zeros = 0;  // zeros after the point seen but not yet needed
  bool any = false;
  bool overflow = false;

  void push(int digit, bool fraction) {
    any = true;
    if (fraction && digit == 0) {
      ++pending_zeros;
      return;
    }
    for (; pending_zeros > 0; --pending_zeros) append(0, true);
    append(digit, fraction);
  }
  void append(int digit, bool fraction) {
    if (mantissa > (mantissa_max - digit) / 10) {
      overflow = true;
      return;
    }
    mantissa = mantissa * 10 + digit;
    if (fraction) ++scale;
  }
};

// "-123.4500" with at most 18 digits: what nearly every number in a document looks like.
std::optional<Decimal> short_decimal(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t digits = 0;  // 19 of them fit, before their number is looked at
  std::size_t point = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned digit = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    if (digit <= 9) {
      digits = digits * 10 + digit;
    } else if (text[i] == '.' && point == text.size()) {
      point = i;
    } else {
      return std::nullopt;
    }
  }
  const bool has_point = point < text.size();
  if (text.size() - (has_point ? 1 : 0) > 18 || (has_point && text.size() == 1)) return std::nullopt;
  auto mantissa = static_cast<std::int64_t>(digits);
  if (mantissa == 0) return Decimal{0, 0};
  int scale = has_point ? static_cast<int>(text.size() - point) - 1 : 0;
  for (; scale > 0 && mantissa % 10 == 0; --scale) mantissa /= 10;
  if (scale > decimal_scale_max) return std::nullopt;
  return Decimal{negative ? -mantissa : mantissa, scale};
}

}  // namespace

Int128 divide_half_away(Int128 numerator, Int128 denominator) {
  // Amounts of real documents fit 64 bits, where a division costs a tenth.
  constexpr Int128 narrow = Int128{1} << 61;
  if (numerator < narrow && numerator > -narrow && denominator > 0 && denominator < narrow) {
    const auto top = static_cast<std::int64_t>(numerator < 0 ? -numerator : numerator);
    const auto below = static_cast<std::int64_t>(denominator);
    const std::int64_t rounded = (2 * top + below) / (2 * below);
    return numerator < 0 ? -rounded : rounded;
  }
  if (denominator < 0) numerator = -numerator, denominator = -denominator;
  const bool negative = numerator < 0;
  if (negative) numerator = -numerator;
  const Int128 rounded = (2 * numerator + denominator) / (2 * denominator);
  return negative ? -rounded : rounded;
}

Result<Decimal> parse_decimal(std::string_view raw) {
  const std::string_view text = trim(raw);
  if (const auto value = short_decimal(text)) return *value;
  std::size_t at = 0;
  bool negative = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
  Digits digits;
  bool fraction = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      digits.push(c - '0', fraction);
    } else {
      break;
    }
  }
  if (!digits.any) return refuse(text, "is not a number");
  int exponent = 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::string_view power = text.substr(at + 1);
    if (power.starts_with('+') && !power.starts_with("+-")) power.remove_prefix(1);
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (power.empty() || end != power.data() + power.size()) return refuse(text, "is not a number");
    if (error != std::errc{} || exponent > exponent_max || exponent < -exponent_max)
      return refuse(text, "is too large or too small a number");
    at = text.size();
  }
  if (at != text.size()) return refuse(text, "is not a number");
  if (digits.overflow) return refuse(text, "has more digits than can be kept exactly");
  Decimal value{negative ? -digits.mantissa : digits.mantissa, digits.scale - exponent};
  if (value.mantissa == 0) return Decimal{0, 0};
  for (; value.scale < 0; ++value.scale) {
    if (value.mantissa > mantissa_max / 10 || value.mantissa < -mantissa_max / 10)
      return refuse(text, "is too large a number");
    value.mantissa *= 10;
  }
  while (value.scale > 0 && value.mantissa % 10 == 0) value.mantissa /= 10, --value.scale;
  if (value.scale > decimal_scale_max) return refuse(text, "has more decimals than can be kept exactly");
  return value;
}

Result<Decimal> decimal_from_double(double value) {
  if (!std::isfinite(value)) return fail(ErrorCode::invalid_input, "a cell holds no finite number");
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  auto exact = parse_decimal(std::string_view(text, static_cast<std::size_t>(end - text)));
  if (exact || std::abs(value) > 1e15) return exact;
  // More digits than a price or amount has are noise of the spreadsheet's own arithmetic: 15 significant ones are
  // what it shows and stores by promise (ECMA-376 part 1, 18.3.1.96).
  const auto noisy_end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 9).ptr;
  return parse_decimal(std::string_view(text, static_cast<std::size_t>(noisy_end - text)));
}

std::string scaled_text(std::int64_t value, int scale) {
  const bool negative = value < 0;
  std::string digits = std::to_string(negative ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
  if (digits.size() <= static_cast<std::size_t>(scale)) digits.insert(0, static_cast<std::size_t>(scale) + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
  return negative ? "-" + digits : digits;
}

std::string decimal_text(const Decimal& value) { return scaled_text(value.mantissa, value.scale); }

std::string shortest_text(const Decimal& value) {
  Decimal shorter = value;
  while (shorter.scale > 0 && shorter.mantissa % 10 == 0) shorter.mantissa /= 10, --shorter.scale;
  return decimal_text(shorter);
}

std::optional<std::int64_t> scaled(const Decimal& value, int digits) {
  Int128 wide = value.mantissa;
  if (digits >= value.scale) {
    const int up = digits - value.scale;
    if (up > 18) return value.mantissa == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
    wide *= power_of_ten(up);
  } else {
    wide = divide_half_away(wide, power_of_ten(value.scale - digits));
  }
  if (wide > mantissa_max || wide < -static_cast<Int128>(mantissa_max)) return std::nullopt;
  return static_cast<std::int64_t>(wide);
}

}  // namespace millrace
