#include "planning/payment_delay.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace millrace::planning {
namespace {

// What comes after the table thins out like (g / (g + x))^2: seen from any later day it has the same shape, only wider.
constexpr double tail_power = 2;

// How much of the lump of a day at an edge has to lie inside for the day to be taken in. A half would be right for small lumps;
// customers who pay on one day of the week have large ones, and with a half their intervals hold more than they say
// (measured, docs/payment-dates.md).
constexpr double lump_counted = 0.42;

}  // namespace

double DelayDistribution::Table::beyond(std::int32_t days) const {
  if (days < first) return 1;
  const auto index = static_cast<std::size_t>(days - first);
  if (index < paid_by.size()) return 1 - paid_by[index];
  const double past = static_cast<double>(index - (paid_by.size() - 1));
  return (1 - paid_by.back()) * std::pow(tail_days / (tail_days + past), tail_power);
}

DelayDistribution::DelayDistribution() {
  static const auto on_the_day = std::make_shared<const Table>(Table{0, {1.0}, 1});
  table_ = on_the_day;
}

DelayDistribution::DelayDistribution(std::int32_t first, std::span<const double> weights, double tail_share, double tail_days) {
  check(!weights.empty() && tail_share >= 0 && tail_share < 1 && tail_days > 0, "a delay distribution has days and a tail");
  check(first >= -delay_days_max && first + static_cast<std::int64_t>(weights.size()) <= delay_days_max, "delays are bounded");
  double total = 0;
  for (const double weight : weights) total += weight;
  check(total > 0, "a delay distribution has weight");
  Table table{first, std::vector<double>(weights.size()), tail_days};
  double sum = 0;
  for (std::size_t index = 0; index < weights.size(); ++index) {
    sum += weights[index];
    table.paid_by[index] = std::min(1 - tail_share, sum / total * (1 - tail_share));
  }
  if (tail_share == 0) table.paid_by.back() = 1;  // whatever the roundings of the sum
  table_ = std::make_shared<const Table>(std::move(table));
}

double DelayDistribution::open_share() const { return table_->beyond(open_after_); }

// The smallest day after which less than `share` of all is still to come.
std::int32_t DelayDistribution::day_with_open_below(double share) const {
  const auto& sums = table_->paid_by;
  const double last_open = 1 - sums.back();
  if (share > last_open) {
    const auto found = std::partition_point(sums.begin(), sums.end(), [&](double sum) { return 1 - sum >= share; });
    return table_->first + static_cast<std::int32_t>(found - sums.begin());
  }
  const auto last = table_->first + static_cast<std::int32_t>(sums.size()) - 1;
  if (share <= 0 || last_open <= 0) return last_open <= 0 ? last : delay_days_max;
  const double past = table_->tail_days * (std::sqrt(last_open / share) - 1);
  if (past >= delay_days_max) return delay_days_max;
  return std::min(delay_days_max, last + static_cast<std::int32_t>(std::floor(past)) + 1);
}

std::int32_t DelayDistribution::quantile(double u) const {
  const double open = open_share();
  // Known to be open after the last day that was thought possible: the next one.
  const std::int32_t earliest = std::min(open_after_ + 1, delay_days_max);
  if (open <= 0) return earliest + shift_;
  return std::max(earliest, day_with_open_below(open * (1 - std::clamp(u, 0.0, 1.0)))) + shift_;
}

double DelayDistribution::paid_by(std::int32_t days) const {
  const std::int64_t own = static_cast<std::int64_t>(days) - shift_;
  if (own <= open_after_) return 0;
  if (own >= delay_days_max) return 1;
  const double open = open_share();
  if (open <= 0) return 1;
  return std::clamp(1 - table_->beyond(static_cast<std::int32_t>(own)) / open, 0.0, 1.0);
}

std::int32_t DelayDistribution::lower(double p) const {
  const std::int32_t median = quantile(0.5);
  std::int32_t day = std::min(quantile(p), median);
  if (paid_by(day - 1) + lump_counted * day_share(day) < p && day < median) ++day;
  while (day < median && day_share(day) <= 0) ++day;  // nobody pays on a Sunday: the interval begins on Monday
  return day;
}

std::int32_t DelayDistribution::upper(double p) const {
  const std::int32_t median = quantile(0.5);
  std::int32_t day = std::max(quantile(p), median);
  if (paid_by(day) - lump_counted * day_share(day) > p && day > median) --day;
  while (day > median && day_share(day) <= 0) --day;
  return day;
}

std::int32_t DelayDistribution::told(double p) const { return p < 0.5 ? lower(p) : p > 0.5 ? upper(p) : p50(); }

double DelayDistribution::mean() const {
  constexpr int steps = 2000;  // equally likely payments; the tail is counted as far as they reach
  double sum = 0;
  for (int step = 0; step < steps; ++step) sum += quantile((step + 0.5) / steps);
  return sum / steps;
}

DelayDistribution DelayDistribution::still_open(std::int32_t days) const {
  DelayDistribution later = *this;
  const std::int64_t own = static_cast<std::int64_t>(days) - shift_;
  later.open_after_ = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(own, open_after_, delay_days_max));
  return later;
}

DelayDistribution DelayDistribution::later_by(std::int32_t days) const {
  DelayDistribution moved = *this;
  moved.shift_ += days;
  return moved;
}

void DelayDistribution::equally_likely(std::span<std::int32_t> draws) const {
  const double count = static_cast<double>(draws.size());
  for (std::size_t index = 0; index < draws.size(); ++index)
    draws[index] = quantile((static_cast<double>(index) + 0.5) / count);
}

bool DelayDistribution::operator==(const DelayDistribution& other) const {
  return open_after_ == other.open_after_ && shift_ == other.shift_ && (table_ == other.table_ || *table_ == *other.table_);
}

}  // namespace millrace::planning
