#include "domain/exchange.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "base/check.h"

namespace millrace {
namespace {

__extension__ typedef unsigned __int128 UInt128;

Int128 power_of_ten(int exponent) {
  Int128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

Int128 greatest_common_divisor(Int128 a, Int128 b) {
  while (b != 0) {
    const Int128 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// value * numerator / denominator of three positive numbers, rounded half up, when the product does not fit 128 bits: the
// product in 192 bits, divided bit by bit.
std::optional<std::int64_t> wide_multiply_divide(std::uint64_t value, UInt128 numerator, UInt128 denominator) {
  const UInt128 low = static_cast<UInt128>(value) * static_cast<std::uint64_t>(numerator);
  const UInt128 high = static_cast<UInt128>(value) * static_cast<std::uint64_t>(numerator >> 64) + (low >> 64);
  const std::uint64_t limbs[3] = {static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high), static_cast<std::uint64_t>(high >> 64)};
  UInt128 rest = 0, quotient = 0;
  for (int bit = 191; bit >= 0; --bit) {
    if ((quotient >> 64) != 0) return std::nullopt;
    rest = (rest << 1) | ((limbs[bit / 64] >> (bit % 64)) & 1);
    quotient <<= 1;
    if (rest >= denominator) rest -= denominator, quotient |= 1;
  }
  if (rest >= denominator - rest) ++quotient;
  if (quotient > static_cast<UInt128>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return static_cast<std::int64_t>(quotient);
}

// Rounded half away from zero; nothing when it leaves 64 bits. 0 < numerator, denominator < 2^126.
std::optional<std::int64_t> multiply_divide(std::int64_t value, Int128 numerator, Int128 denominator) {
  Int128 product = 0;
  if (!__builtin_mul_overflow(static_cast<Int128>(value), numerator, &product)) {
    const Int128 result = divide_half_away(product, denominator);
    if (result > std::numeric_limits<std::int64_t>::max() || result < -std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return static_cast<std::int64_t>(result);
  }
  const std::uint64_t size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const auto result = wide_multiply_divide(size, static_cast<UInt128>(numerator), static_cast<UInt128>(denominator));
  return result && value < 0 ? std::optional(-*result) : result;
}

struct Fraction {
  Int128 numerator = 1, denominator = 1;
  void reduce() {
    const Int128 common = greatest_common_divisor(numerator, denominator);
    numerator /= common;
    denominator /= common;
  }
};

// Of major units: below 2^106 over below 2^106, since a rate is below 2^53.
Fraction fraction_of(const std::vector<RateStep>& steps) {
  Fraction whole;
  for (const RateStep& step : steps) {
    whole.numerator *= step.inverse ? rate_scale : step.scaled;
    whole.denominator *= step.inverse ? step.scaled : rate_scale;
  }
  whole.reduce();
  return whole;
}

}  // namespace

RateRoad RateRoad::same(Currency currency) {
  RateRoad road;
  road.from_ = road.to_ = currency;
  return road;
}

RateRoad RateRoad::of(std::vector<RateStep> steps) {
  check(!steps.empty() && steps.size() <= 2, "a road has one or two steps");
  for (const RateStep& step : steps) check(step.scaled > 0 && step.scaled <= rate_max, "a rate is in bounds");
  if (steps.size() == 2) check(steps[0].to == steps[1].from, "the steps of a road meet");
  RateRoad road;
  road.from_ = steps.front().from;
  road.to_ = steps.back().to;
  Fraction minor = fraction_of(steps);
  const int shift = road.to_.decimals() - road.from_.decimals();
  (shift >= 0 ? minor.numerator : minor.denominator) *= power_of_ten(std::abs(shift));
  minor.reduce();
  road.numerator_ = minor.numerator;
  road.denominator_ = minor.denominator;
  road.steps_ = std::move(steps);
  return road;
}

std::vector<Currency> RateRoad::path() const {
  std::vector<Currency> path{from_};
  for (const RateStep& step : steps_) path.push_back(step.to);
  return path;
}

std::int64_t RateRoad::scaled_rate() const {
  const Fraction whole = fraction_of(steps_);
  return multiply_divide(rate_scale, whole.numerator, whole.denominator).value_or(std::numeric_limits<std::int64_t>::max());
}

Result<std::int64_t> RateRoad::convert(std::int64_t minor) const {
  if (steps_.empty()) return minor;
  const auto result = multiply_divide(minor, numerator_, denominator_);
  if (!result || *result > amount_max || *result < -amount_max)
    return fail(ErrorCode::limit_reached, decimal_text(Money{minor, from_}) + " " + from_.code() + " is too large an amount in " + to_.code() +
                                              "; check the amount and the rate of " + scaled_text(scaled_rate(), rate_digits));
  return *result;
}

Result<void> RateTable::add(const ExchangeRate& rate, Day since, std::string document) {
  const std::string pair = rate.from.code() + "/" + rate.to.code();
  if (rate.from.empty() || rate.to.empty() || rate.from == rate.to)
    return fail(ErrorCode::invalid_input, "a rate from " + pair + " says nothing; it needs two different currencies");
  if (rate.scaled <= 0 || rate.scaled > rate_max)
    return fail(ErrorCode::invalid_input, "the rate " + scaled_text(rate.scaled, rate_digits) + " of " + pair + " since " + iso(since) +
                                              " has to be above 0 and at most " + scaled_text(rate_max, rate_digits));
  rates_[{rate.from, rate.to}].insert_or_assign(day_number(since), Rate{rate.scaled, std::move(document)});
  return {};
}

std::size_t RateTable::move(Currency from, Currency to, Percent by) {
  constexpr std::int64_t whole = 100 * micros_per_one;
  check(by.micros > -whole, "a rate stays above 0");
  std::size_t moved = 0;
  const auto move_all = [&](std::pair<Currency, Currency> pair, Int128 numerator, Int128 denominator) {
    const auto found = rates_.find(pair);
    if (found == rates_.end()) return;
    for (auto& [day, rate] : found->second) {
      const Int128 scaled = divide_half_away(rate.scaled * numerator, denominator);
      rate.scaled = static_cast<std::int64_t>(std::clamp<Int128>(scaled, 1, rate_max));
      ++moved;
    }
  };
  move_all({from, to}, whole + by.micros, whole);
  move_all({to, from}, whole, whole + by.micros);
  return moved;
}

std::optional<RateStep> RateTable::step(Currency from, Currency to, std::int32_t on) const {
  const auto newest = [&](Currency a, Currency b) -> std::optional<RateStep> {
    const auto pair = rates_.find({a, b});
    if (pair == rates_.end()) return std::nullopt;
    const auto after = pair->second.upper_bound(on);
    if (after == pair->second.begin()) return std::nullopt;
    const auto& [day, rate] = *std::prev(after);
    return RateStep{from, to, rate.scaled, a != from, day_from_number(day), rate.document};
  };
  auto direct = newest(from, to);
  auto inverse = newest(to, from);
  if (!direct) return inverse;
  if (!inverse) return direct;
  return inverse->day > direct->day ? inverse : direct;
}

Result<RateRoad> RateTable::road(Currency from, Currency to, Day on) const {
  if (from == to) return RateRoad::same(from);
  const std::int32_t day = day_number(on);
  if (auto one = step(from, to, day)) return RateRoad::of({std::move(*one)});
  std::set<Currency> between;
  for (const auto& [pair, dated] : rates_) {
    if (pair.first == from) between.insert(pair.second);
    if (pair.second == from) between.insert(pair.first);
  }
  std::vector<RateStep> best;
  for (const Currency third : between) {
    auto first = step(from, third, day);
    auto second = step(third, to, day);
    if (!first || !second) continue;
    const auto older = [](const RateStep& a, const RateStep& b) { return std::min(a.day, b.day); };
    const bool better = best.empty() || older(*first, *second) > older(best[0], best[1]) ||
                        (older(*first, *second) == older(best[0], best[1]) && third.code() < best[0].to.code());
    if (better) best = {std::move(*first), std::move(*second)};
  }
  if (best.empty())
    return fail(ErrorCode::unavailable, "no rate leads from " + from.code() + " to " + to.code() + " on " + iso(on) +
                                            "; enter a rate of the two or of a third currency with both");
  return RateRoad::of(std::move(best));
}

}  // namespace millrace
