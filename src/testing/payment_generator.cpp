#include "testing/payment_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "planning/payment_days.h"

namespace millrace::testing {

using namespace planning;
namespace {

enum class Way : std::uint8_t { any_working_day, one_weekday, days_of_month, half_on_the_day };

struct Payer {
  double level = 0, spread = 1;
  double drift_a_month = 0, walk_a_month = 0;
  std::int32_t change_day = INT32_MAX;
  double change = 0;
  Way way = Way::any_working_day;
  std::size_t weekday = 4;
  std::array<std::size_t, 2> month_days{};
  double ignores_terms = 0;   // share of the terms' difference that it takes back
  double large_later = 0;     // days per factor e of the amount
  double log_amount = 0;
  std::array<std::int32_t, 2> terms{};
  double appetite = 1;
  std::vector<double> walked;  // by month
};

bool closed(std::int32_t day) {
  const std::size_t month = month_of(day), date = month_day_of(day) + 1;
  return (month == 11 && date >= 23) || (month == 0 && date <= 2) || (month == 7 && date >= 5 && date <= 18);
}

bool working_day(std::int32_t day, bool seasons) {
  const std::size_t weekday = weekday_of(day);
  return weekday != 0 && weekday != 6 && !(seasons && closed(day));
}

Payer make_payer(PaymentDice& dice, const PaymentWorld& world) {
  Payer payer;
  payer.level = 6 + 9 * dice.normal() + (dice.uniform() < 0.2 ? 12 * dice.exponential() : 0);
  payer.spread = std::exp(std::log(5.0) + 0.5 * dice.normal());
  const double kind = dice.uniform();
  if (kind < world.drifting) {
    payer.drift_a_month = 0.25 * payer.spread * dice.normal() / 2;
    payer.walk_a_month = 0.3 * payer.spread;
  } else if (kind < world.drifting + world.changing) {
    payer.change_day = world.first_day + static_cast<std::int32_t>(dice.uniform() * (world.last_day - world.first_day));
    payer.change = (dice.uniform() < 0.7 ? 1 : -1) * (1 + 2 * dice.uniform()) * payer.spread;
  }
  const double way = dice.uniform();
  if (way < world.run_payers / 2) {
    payer.way = Way::one_weekday;
    payer.weekday = 1 + dice.below(5);
  } else if (way < world.run_payers) {
    payer.way = Way::days_of_month;
    payer.month_days = {1 + dice.below(14), 15 + dice.below(14)};
  } else if (way < world.run_payers + 0.1) {
    payer.way = Way::half_on_the_day;
  }
  payer.ignores_terms = dice.uniform() < 0.25 ? 0.8 : 0;
  payer.large_later = 0.2 * payer.spread * std::max(0.0, dice.normal());
  payer.log_amount = 11 + 1.2 * dice.normal();
  constexpr std::array<std::int32_t, 4> terms = {14, 30, 45, 60};
  payer.terms = {terms[dice.below(4)], terms[dice.below(4)]};
  payer.appetite = std::exp(1.3 * dice.normal());
  double walked = 0;
  for (std::int32_t day = world.first_day; day <= world.last_day + 60; day += 30) {
    payer.walked.push_back(walked);
    walked += payer.drift_a_month + payer.walk_a_month * dice.normal();
  }
  return payer;
}

std::int32_t pay_day(const Payer& payer, std::int32_t wished, bool seasons) {
  for (std::int32_t day = wished;; ++day) {
    if (!working_day(day, seasons)) continue;
    if (payer.way == Way::one_weekday && weekday_of(day) != payer.weekday && !(day - wished > 14)) continue;
    if (payer.way == Way::days_of_month) {
      // The run is on its day, or on the working day after it.
      bool run = false;
      for (const std::size_t date : payer.month_days)
        for (std::int32_t back = 0; back < 4 && !run; ++back)
          run = month_day_of(day - back) + 1 == date && std::none_of(&date, &date + 1, [&](std::size_t) {
                  for (std::int32_t between = 1; between <= back; ++between)
                    if (working_day(day - between, seasons)) return true;
                  return false;
                });
      if (!run && day - wished < 40) continue;
    }
    return day;
  }
}

PaymentCase make_case(PaymentDice& dice, const PaymentWorld& world, std::uint32_t party, const Payer& payer) {
  PaymentCase one;
  one.party = party;
  do {
    one.posted = world.first_day + static_cast<std::int32_t>(dice.uniform() * (world.last_day - world.first_day + 1));
  } while (!working_day(one.posted, false));
  const std::int32_t terms = payer.terms[dice.uniform() < 0.8 ? 0 : 1];
  one.due = one.posted + terms;
  const double size = dice.normal();
  one.amount = static_cast<std::int64_t>(std::exp(payer.log_amount + 0.8 * size));
  const auto month = static_cast<std::size_t>(std::max(0, one.posted - world.first_day) / 30);
  double delay = payer.level + payer.walked[std::min(month, payer.walked.size() - 1)];
  if (one.posted >= payer.change_day) delay += payer.change;
  delay -= payer.ignores_terms * (terms - payer.terms[0]);
  delay += payer.large_later * size;
  // A bell, with a longer late side.
  delay += payer.spread * (dice.uniform() < 0.85 ? 0.8 * dice.normal() : 0.3 + 1.6 * dice.exponential());
  if (payer.way == Way::half_on_the_day && dice.uniform() < 0.5) delay = 0;
  if (dice.uniform() < world.outliers) delay += 40 + 60 * dice.exponential();
  const auto wished = std::max(one.posted + 1, one.due + static_cast<std::int32_t>(std::lround(delay)));
  one.paid = pay_day(payer, wished, world.seasons);
  return one;
}

}  // namespace

std::uint64_t PaymentDice::next() {
  std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

double PaymentDice::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double PaymentDice::normal() {
  const double radius = std::sqrt(2 * exponential());
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double PaymentDice::exponential() { return -std::log(1 - uniform()); }

std::vector<PaymentCase> make_payments(const PaymentWorld& world) {
  PaymentDice dice(world.seed);
  std::vector<Payer> payers;
  double appetite = 0;
  for (std::uint32_t party = 0; party < world.parties; ++party) {
    payers.push_back(make_payer(dice, world));
    appetite += payers.back().appetite;
  }
  std::vector<PaymentCase> cases;
  cases.reserve(world.invoices + world.parties);
  for (std::uint32_t party = 0; party < world.parties; ++party) {
    const auto count = static_cast<std::uint32_t>(std::lround(world.invoices * payers[party].appetite / appetite));
    for (std::uint32_t invoice = 0; invoice < std::max(1U, count); ++invoice)
      cases.push_back(make_case(dice, world, party, payers[party]));
  }
  return cases;
}

}  // namespace millrace::testing
