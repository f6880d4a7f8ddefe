// The parts of a fit that are learned by counting: shape, paying days, calibration (planning/payment_party.h).
#include <algorithm>
#include <cmath>

#include "planning/payment_party.h"

namespace millrace::planning {
namespace {

constexpr double usual_shape_count = 60;  // the usual shape weighs as much as this many surprises

// A bell with a long late side: what delays look like before anything is known.
double usual_below(double z) {
  const double bell = 0.5 * std::erfc(-z / 0.8 / std::sqrt(2.0));
  const double late = z <= -1 ? 0 : 1 - std::exp(-(z + 1));
  return 0.75 * bell + 0.25 * late;
}

// Twice the log of how much likelier the counts are than expectation; about as large as the number of days when only chance
// is at work.
template <std::size_t N>
double surprise_of(const std::array<double, N>& seen, const std::array<double, N>& expected) {
  double seen_total = 0, expected_total = 0, sum = 0;
  for (std::size_t day = 0; day < N; ++day) {
    seen_total += seen[day];
    expected_total += expected[day];
  }
  if (seen_total <= 0 || expected_total <= 0) return 0;
  for (std::size_t day = 0; day < N; ++day)
    if (seen[day] > 0) sum += seen[day] * std::log(seen[day] / std::max(1e-3, expected[day] * seen_total / expected_total));
  return 2 * sum;
}

constexpr double factor_min = 0.01, factor_max = 40;

template <std::size_t N>
void learn_days(std::array<double, N>& factors, const std::array<double, N>& seen, std::array<double, N> expected,
                double prior) {
  double seen_total = 0, expected_total = 0;
  for (std::size_t day = 0; day < N; ++day) {
    expected[day] *= factors[day];
    seen_total += seen[day];
    expected_total += expected[day];
  }
  if (expected_total <= 0) return;
  for (double& share : expected) share *= seen_total / expected_total;
  constexpr double chance = static_cast<double>(N - 1);
  if (surprise_of(seen, expected) < chance + 4 * std::sqrt(2 * chance)) return;
  for (std::size_t day = 0; day < N; ++day)
    factors[day] = std::clamp(factors[day] * (seen[day] + prior) / (expected[day] + prior), factor_min, factor_max);
}

template <std::size_t N>
void add_all(std::array<double, N>& to, const std::array<double, N>& from) {
  for (std::size_t index = 0; index < N; ++index) to[index] += from[index];
}

}  // namespace

double Shape::below(double z) const {
  const double place = (z - from) / step;
  if (place <= 0) return 0;
  if (place >= static_cast<double>(size - 1)) return 1;
  const auto index = static_cast<std::size_t>(place);
  const double part = place - static_cast<double>(index);
  return below_grid[index] + part * (below_grid[index + 1] - below_grid[index]);
}

Shape usual_shape() {
  Shape shape;
  for (std::size_t index = 0; index < Shape::size; ++index)
    shape.below_grid[index] = usual_below(Shape::from + Shape::step * static_cast<double>(index));
  shape.below_grid.front() = 0;
  shape.below_grid.back() = 1;
  return shape;
}

Shape shape_of(std::vector<double> surprises) {
  std::sort(surprises.begin(), surprises.end());
  Shape shape = usual_shape();
  const double count = static_cast<double>(surprises.size());
  std::size_t below = 0;
  for (std::size_t index = 0; index < Shape::size; ++index) {
    const double z = Shape::from + Shape::step * static_cast<double>(index);
    while (below < surprises.size() && surprises[below] <= z) ++below;
    shape.below_grid[index] =
        (static_cast<double>(below) + usual_shape_count * shape.below_grid[index]) / (count + usual_shape_count);
  }
  shape.below_grid.front() = 0;
  shape.below_grid.back() = 1;
  return shape;
}

void PayingCounts::add(const PayingCounts& other) {
  add_all(weekday, other.weekday);
  add_all(weekday_expected, other.weekday_expected);
  add_all(month_day, other.month_day);
  add_all(month_day_expected, other.month_day_expected);
}

void YearCounts::add(const YearCounts& other) {
  add_all(seen, other.seen);
  add_all(expected, other.expected);
}

// Three days in a row together, so that a weekend is not taken for a holiday and chance has little room.
ClosedDays closed_days(const YearCounts& counts) {
  constexpr double enough = 8;       // expected payments: with fewer, none at all may be chance
  constexpr double closed_to = 0.15;  // of what is expected
  ClosedDays closed{};
  for (std::size_t from = 0; from < year_days; ++from) {
    double seen = 0, expected = 0;
    for (std::size_t day = from; day < from + 3; ++day) {
      seen += counts.seen[day % year_days];
      expected += counts.expected[day % year_days];
    }
    if (expected < enough || seen > closed_to * expected) continue;
    for (std::size_t day = from; day < from + 3; ++day) closed[day % year_days] = true;
  }
  return closed;
}

PayingDays paying_days(const PayingCounts& counts, const PayingDays& usual, double prior) {
  PayingDays days = usual;
  learn_days(days.weekday, counts.weekday, counts.weekday_expected, prior);
  learn_days(days.month_day, counts.month_day, counts.month_day_expected, prior / 4);
  return days;
}

Calibration::Calibration() {
  for (std::size_t index = 0; index < size; ++index) share[index] = static_cast<double>(index) / (size - 1);
}

double Calibration::operator()(double level) const {
  const double place = std::clamp(level, 0.0, 1.0) * (size - 1);
  const auto index = std::min(static_cast<std::size_t>(place), size - 2);
  return share[index] + (place - static_cast<double>(index)) * (share[index + 1] - share[index]);
}

std::size_t experience(std::size_t known) {
  std::size_t level = 0;
  while (level < experience_from.size() && known >= experience_from[level]) ++level;
  return level;
}

}  // namespace millrace::planning
