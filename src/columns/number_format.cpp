#include "columns/number_format.h"

#include <array>
#include <charconv>
#include <chrono>
#include <limits>

namespace millrace::columns {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// Digits alone; more than 19 cannot be a number of ours.
std::optional<std::uint64_t> digits_value(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char letter : text) {
    const unsigned digit = static_cast<unsigned char>(letter) - unsigned{'0'};
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<std::int64_t> parse_plain(std::string_view text, unsigned decimals) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::uint64_t value = 0;
  if (decimals == 0) {
    const auto whole = digits_value(text);
    if (!whole || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    value = *whole;
  } else {
    if (text.size() < decimals + 2 || text.size() > 20 || text[text.size() - decimals - 1] != '.') return std::nullopt;
    const auto whole = digits_value(text.substr(0, text.size() - decimals - 1));
    const auto part = digits_value(text.substr(text.size() - decimals));
    if (!whole || !part || (text[0] == '0' && is_digit(text[1]))) return std::nullopt;
    std::uint64_t scale = 1;
    for (unsigned place = 0; place < decimals; ++place) scale *= 10;
    value = *whole * scale + *part;  // at most 19 digits together
  }
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  if (negative && value == 0) return std::nullopt;
  return negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits_value(text.substr(0, 4));
  const auto month = digits_value(text.substr(5, 2));
  const auto day = digits_value(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// Without sign, at least `width` digits.
void append_digits(std::string& out, std::uint64_t value, std::size_t width) {
  std::array<char, 20> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  const auto length = static_cast<std::size_t>(end - text.data());
  if (length < width) out.append(width - length, '0');
  out.append(text.data(), length);
}

void print_date(std::int64_t number, std::string& out) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(number))};
  append_digits(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.day()), 2);
}

}  // namespace

std::optional<std::int64_t> NumberFormat::parse(std::string_view text) const {
  if (text.size() < prefix.size() + suffix.size() || !text.starts_with(prefix) || !text.ends_with(suffix))
    return std::nullopt;
  text.remove_prefix(prefix.size());
  text.remove_suffix(suffix.size());
  switch (kind) {
    case NumberKind::plain:
      return parse_plain(text, decimals);
    case NumberKind::padded: {
      if (text.size() != digits) return std::nullopt;
      const auto value = digits_value(text);
      if (!value) return std::nullopt;
      return static_cast<std::int64_t>(*value);
    }
    case NumberKind::date:
      return parse_date(text);
  }
  return std::nullopt;
}

bool NumberFormat::fits(std::int64_t number) const {
  constexpr std::int64_t first_day = -719528;  // 0000-01-01
  constexpr std::int64_t last_day = 2932896;   // 9999-12-31
  if (kind == NumberKind::date) return number >= first_day && number <= last_day;
  if (kind == NumberKind::plain) return number != std::numeric_limits<std::int64_t>::min();
  std::int64_t end = 1;
  for (unsigned digit = 0; digit < digits; ++digit) end *= 10;
  return number >= 0 && number < end;
}

void NumberFormat::print(std::int64_t number, std::string& out) const {
  out += prefix;
  if (kind == NumberKind::date) {
    print_date(number, out);
  } else {
    if (number < 0) out.push_back('-');
    const auto magnitude = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    append_digits(out, magnitude, kind == NumberKind::padded ? digits : decimals + 1);
    if (kind == NumberKind::plain && decimals > 0) out.insert(out.size() - decimals, 1, '.');
  }
  out += suffix;
}

bool NumberFormat::bare() const {
  const bool nothing_before = prefix.empty() || prefix == "\"";
  return nothing_before && prefix == suffix && kind != NumberKind::padded;
}

}  // namespace millrace::columns
