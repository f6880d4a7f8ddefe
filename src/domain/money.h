// Money: whole minor units of one currency.
//
// Invariants
//   * The number of decimals comes from the currency (ISO 4217: JPY 0, EUR 2, KWD 3), never from a text.
//   * Adding two different currencies is a broken contract; use `MoneyByCurrency` for sums of many.
//   * Amounts stay below 2^53 so that a browser reads them exactly (`amount_max`).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/decimal.h"

namespace millrace {

inline constexpr std::int64_t amount_max = (std::int64_t{1} << 53) - 1;

// A three-letter ISO 4217 code, "EUR". Source words ("R$", "US$", "€") are mapped at the parser.
class Currency {
 public:
  Currency() = default;  // no currency: code() is ""
  // Three capital letters; anything else is refused.
  static std::optional<Currency> parse(std::string_view code);
  // "EUR", "eur", "€", "R$", "US$" and the other words of the source systems.
  static std::optional<Currency> from_source_word(std::string_view word);

  std::string code() const;
  int decimals() const;
  bool empty() const { return packed_ == 0; }
  std::uint32_t packed() const { return packed_; }  // for columns and codecs
  static Currency from_packed(std::uint32_t packed);

  auto operator<=>(const Currency&) const = default;

 private:
  std::uint32_t packed_ = 0;
};

struct Money {
  std::int64_t minor = 0;
  Currency currency;

  bool operator==(const Money&) const = default;
  Money& operator+=(const Money& other);
  Money& operator-=(const Money& other);
};
Money operator+(Money left, const Money& right);
Money operator-(Money left, const Money& right);

// Decimal text with the currency's own decimals: "84119.91", "-12", "1200" for JPY.
std::string decimal_text(const Money& money);

// Rounds half away from zero to the currency's decimals; refused beyond `amount_max`.
Result<Money> to_money(const Decimal& amount, Currency currency);

// One sum per currency, sorted by currency code; currencies are never added together.
class MoneyByCurrency {
 public:
  void add(const Money& money);
  void subtract(const Money& money);
  const std::vector<Money>& sums() const { return sums_; }

 private:
  std::vector<Money> sums_;
};

}  // namespace millrace
