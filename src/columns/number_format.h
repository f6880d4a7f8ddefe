// How the numbers of one column are written, so that a number alone gives back the exact text.
//
// Invariants
//   * parse(text) answers a number only if print(number) is that text, byte by byte: "007" is no plain number,
//     "7" has no two decimals, "-0" is nothing. What does not fit stays text.
//   * The smallest int64 is never answered: the columns use it for "absent".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::columns {

enum class NumberKind : std::uint8_t {
  plain,   // -12, or -12.50 with decimals 2; counted in the last decimal
  padded,  // exactly `digits` digits: the 00123 of SO-00123
  date,    // 2026-11-21; days since 1970-01-01
};

struct NumberFormat {
  NumberKind kind = NumberKind::plain;
  unsigned decimals = 0;  // plain
  unsigned digits = 0;    // padded, 1..18
  std::string prefix;     // "SO-", or the quote of a quoted number
  std::string suffix;

  std::optional<std::int64_t> parse(std::string_view text) const;
  // Whether a column written like this can hold the number.
  bool fits(std::int64_t number) const;
  // `number` fits.
  void print(std::int64_t number, std::string& out) const;
  // Nothing but quotes around it: a person would call the column a number or a date.
  bool bare() const;
  bool operator==(const NumberFormat&) const = default;
};

// `NumberFormat{}.parse(text)`, without a call for the numbers of everyday.
inline std::optional<std::int64_t> whole_number(std::string_view text) {
  if (text.size() - 1 >= 18 || text[0] == '-' || text[0] == '0') return NumberFormat{}.parse(text);
  std::int64_t value = 0;
  for (const char letter : text) {
    const unsigned digit = static_cast<unsigned char>(letter) - unsigned{'0'};
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace millrace::columns
