// What an amount of one currency is in another, by dated rates, exactly and with the road told.
//
// A rate says what one unit of `from` costs in `to`, from a day on. A road takes one rate as it stands (direct), one turned
// round (inverse), or two that meet in a third currency. Of rates for one pair the newest counts that is not after the asked
// day; of a rate and its reverse the newer one, the direct one when both are of one day. A third currency is asked only
// when the pair itself has no rate: the one whose older rate is the newest, then the first by code.
//
// Invariants
//   * A road is an exact fraction: an amount is rounded once, half away from zero (`divide_half_away`), whatever the road.
//   * Decimals come from the currencies: 100 JPY are 100 minor units, 1 EUR is 100, 1 KWD 1000, 1 CLF 10000.
//   * A result beyond `amount_max` is an error, never a wrapped number. No double anywhere.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/finance.h"

namespace millrace {

inline constexpr std::int64_t rate_scale = 10'000'000'000;  // 10^rate_digits
// 900,719.9254740991 of a currency for one of another: above every rate in use, and two of them fit into 128 bits.
inline constexpr std::int64_t rate_max = (std::int64_t{1} << 53) - 1;

// One rate on the road, as it was given.
struct RateStep {
  Currency from, to;        // as the road takes it
  std::int64_t scaled = 0;  // as given, times 10^10: of one `from` when direct, of one `to` when inverse
  bool inverse = false;
  Day day{};                // since when it counts
  std::string document;     // where it comes from: number of the rate's document
  bool operator==(const RateStep&) const = default;
};

class RateRoad {
 public:
  RateRoad() = default;
  // From a currency to itself there are no steps and amounts stay what they are.
  static RateRoad same(Currency currency);
  // One or two steps that meet; every `scaled` in 1..rate_max.
  static RateRoad of(std::vector<RateStep> steps);

  Currency from() const { return from_; }
  Currency to() const { return to_; }
  const std::vector<RateStep>& steps() const { return steps_; }
  // "USD", "GBP", "EUR".
  std::vector<Currency> path() const;
  // What one unit of `from` costs in `to`, times 10^10, rounded half away from zero: to be shown, not to be computed with.
  std::int64_t scaled_rate() const;
  // Minor units of `from` to minor units of `to`.
  // Errors   limit_reached  the result is beyond `amount_max`; the text names both
  Result<std::int64_t> convert(std::int64_t minor) const;

  bool operator==(const RateRoad&) const = default;

 private:
  Currency from_, to_;
  std::vector<RateStep> steps_;
  // to = from * numerator / denominator, decimals included, in lowest terms.
  Int128 numerator_ = 1, denominator_ = 1;
};

class RateTable {
 public:
  // Of two rates for one pair and day the one added last counts.
  // Errors   invalid_input  a rate of 0, below 0 or above `rate_max`, or from a currency to itself
  Result<void> add(const ExchangeRate& rate, Day since, std::string document);
  // The rates of another time: `pair` moved by a percentage from `since` on; for scenarios.
  // Rates of both directions of the pair move; answers how many did.
  std::size_t move(Currency from, Currency to, Percent by);

  // Errors   unavailable  no rate leads from one to the other on that day; the text names both
  Result<RateRoad> road(Currency from, Currency to, Day on) const;
  bool empty() const { return rates_.empty(); }

 private:
  struct Rate {
    std::int64_t scaled = 0;
    std::string document;
  };
  using Dated = std::map<std::int32_t, Rate>;  // by day number
  std::optional<RateStep> step(Currency from, Currency to, std::int32_t on) const;

  std::map<std::pair<Currency, Currency>, Dated> rates_;
};

}  // namespace millrace
