#include "domain/money.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace millrace {
namespace {

// As `Currency` packs a code.
constexpr std::uint32_t packed_code(std::string_view code) {
  std::uint32_t value = 0;
  for (const char c : code) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

struct DecimalsRow {
  constexpr DecimalsRow(std::string_view code, int digits) : currency(packed_code(code)), decimals(digits) {}
  std::uint32_t currency;
  int decimals;
};
// ISO 4217: what differs from two decimals.
constexpr std::array<DecimalsRow, 24> unusual_decimals{{
    {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3}, {"ISK", 0},
    {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3}, {"OMR", 3}, {"PYG", 0},
    {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4}, {"VND", 0}, {"VUV", 0}, {"XPF", 0},
}};

struct WordRow {
  std::string_view word;
  std::string_view code;
};
// Words of source systems that name one currency only. "$" and "kr" alone could be several and are not here.
constexpr std::array<WordRow, 12> source_words{{
    {"\xE2\x82\xAC", "EUR"}, {"EURO", "EUR"}, {"US$", "USD"}, {"R$", "BRL"}, {"\xC2\xA3", "GBP"}, {"GB\xC2\xA3", "GBP"},
    {"CA$", "CAD"}, {"C$", "CAD"}, {"A$", "AUD"}, {"AU$", "AUD"}, {"SFR", "CHF"}, {"SFR.", "CHF"},
}};

bool is_code(std::string_view code) {
  return code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

std::optional<Currency> Currency::parse(std::string_view code) {
  if (!is_code(code)) return std::nullopt;
  Currency currency;
  currency.packed_ = packed_code(code);
  return currency;
}

std::optional<Currency> Currency::from_source_word(std::string_view word) {
  if (const auto currency = parse(word)) return currency;
  std::string upper(trim(word));
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  if (const auto currency = parse(upper)) return currency;
  for (const WordRow& row : source_words)
    if (row.word == upper) return parse(row.code);
  return std::nullopt;
}

std::string Currency::code() const {
  if (packed_ == 0) return "";
  return {static_cast<char>(packed_ >> 16), static_cast<char>(packed_ >> 8 & 0xFF), static_cast<char>(packed_ & 0xFF)};
}

Currency Currency::from_packed(std::uint32_t packed) {
  Currency currency;
  currency.packed_ = packed;
  check(packed == 0 || is_code(currency.code()), "a packed currency is three capital letters");
  return currency;
}

int Currency::decimals() const {
  const auto row = std::find_if(unusual_decimals.begin(), unusual_decimals.end(),
                                [&](const DecimalsRow& r) { return r.currency == packed_; });
  return row == unusual_decimals.end() ? 2 : row->decimals;
}

Money& Money::operator+=(const Money& other) {
  check(currency == other.currency, "amounts of one currency are added");
  minor += other.minor;
  return *this;
}

Money& Money::operator-=(const Money& other) {
  check(currency == other.currency, "amounts of one currency are subtracted");
  minor -= other.minor;
  return *this;
}

Money operator+(Money left, const Money& right) { return left += right; }
Money operator-(Money left, const Money& right) { return left -= right; }

std::string decimal_text(const Money& money) { return scaled_text(money.minor, money.currency.decimals()); }

Result<Money> to_money(const Decimal& amount, Currency currency) {
  const auto minor = scaled(amount, currency.decimals());
  if (!minor || *minor > amount_max || *minor < -amount_max)
    return fail(ErrorCode::invalid_input, "the amount " + decimal_text(amount) + " is too large to be kept exactly");
  return Money{*minor, currency};
}

void MoneyByCurrency::add(const Money& money) {
  const auto at = std::lower_bound(sums_.begin(), sums_.end(), money,
                                   [](const Money& a, const Money& b) { return a.currency < b.currency; });
  if (at != sums_.end() && at->currency == money.currency) {
    *at += money;
  } else {
    sums_.insert(at, money);
  }
}

void MoneyByCurrency::subtract(const Money& money) { add(Money{-money.minor, money.currency}); }

}  // namespace millrace
