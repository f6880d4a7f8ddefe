// How good predicted payment days are: past invoices predicted with what was known when each was posted, beside what people
// do without us (walk-forward).
//
// Invariants
//   * No look-ahead: a prediction for an invoice posted on day T sees invoices posted and payments made before T, nothing
//     else. That holds for what is learned from all parties as well, which is learned anew as often as WalkOptions say.
//   * Deterministic on any number of threads.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "planning/payment_behaviour.h"

namespace millrace::planning {

struct WalkOptions {
  unsigned threads = 2;
  std::int32_t origin_days = 14;  // what all parties teach is learned anew after so many days
  std::size_t origins_max = 60;   // ... but at most so often
  std::function<bool(std::size_t done, std::size_t all)> progress;  // false: stop
};

// The delay of each question, in their order, as of the day before it was posted (`paid` is not looked at). Nothing when
// `progress` said stop. A question may be part of the history.
std::optional<std::vector<DelayDistribution>> walk_forward(std::span<const PaymentCase> history,
                                                           std::span<const PaymentCase> questions,
                                                           const WalkOptions& options = {});

// What is told of each prediction, and scored.
inline constexpr std::array<double, 7> told_levels = {0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95};
inline constexpr std::size_t told_p10 = 1, told_p50 = 3, told_p90 = 5;
using ToldDays = std::array<double, told_levels.size()>;  // days of delay
ToldDays told_days(const DelayDistribution& delay);

// What is done without us, from what was known before the invoice was posted. A customer without payments gets `global`, and
// before the first payment of all the due day.
enum class Baseline : std::uint8_t { due_date, global, customer, last_12 };
inline constexpr std::array<Baseline, 4> baselines = {Baseline::due_date, Baseline::global, Baseline::customer, Baseline::last_12};
std::string_view name(Baseline baseline);
std::vector<ToldDays> baseline_days(std::span<const PaymentCase> cases, Baseline baseline);

struct PaymentScore {
  std::size_t cases = 0;
  double mean_error = 0;    // days between the middle prediction and the payment
  double weekly_error = 0;  // WAPE: |predicted - received| per calendar week, summed, over all received; by amount
  double weekly_error_count = 0;  // the same, each invoice counting alike
  double covered = 0;       // share of payments within p10..p90, both days included
  double width = 0;         // p90 - p10, days
  double pinball = 0;       // mean of the told levels, days
};
// Of the paid cases that are `counted`.
PaymentScore score(std::span<const PaymentCase> cases, std::span<const ToldDays> told, const std::vector<bool>& counted);

}  // namespace millrace::planning
