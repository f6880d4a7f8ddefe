// How many days after its due day an invoice is paid, as a distribution over whole days.
//
// A table of probabilities by day and, behind it, a tail: whoever is very late already is expected to stay late in
// proportion. Negative days are payments before the due day.
//
// Invariants
//   * Immutable and cheap to copy (the table is shared); any thread may read.
//   * Quantiles never fall when the probability rises. lower(p) <= quantile(0.5) <= upper(q) for p <= 0.25, q >= 0.75.
//   * still_open(a).still_open(b) is still_open(max(a, b)), and later_by moves every answer by the same days.
//   * Answers lie within -delay_days_max .. delay_days_max, before `later_by`.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace millrace::planning {

inline constexpr std::int32_t delay_days_max = 3650;

class DelayDistribution {
 public:
  // Always on the due day.
  DelayDistribution();
  // weights[i] is how likely `first` + i days are, of any total above 0; `tail_share` of the whole (0 <= share < 1) comes after
  // the last of them, thinning out over `tail_days` (> 0).
  DelayDistribution(std::int32_t first, std::span<const double> weights, double tail_share, double tail_days);

  // The smallest day by which more than `u` of all payments have come; u in [0, 1). With u uniform this draws a delay.
  std::int32_t quantile(double u) const;
  std::int32_t p50() const { return quantile(0.5); }

  // The edges of an interval of whole days that holds what it says: about `p` of payments come before lower(p), about
  // 1 - p after upper(p). A whole day carries a lump of probability; these split the lumps at the edges, where
  // quantile() would always count the upper one in.
  std::int32_t lower(double p) const;
  std::int32_t upper(double p) const;
  std::int32_t p10() const { return lower(0.1); }
  std::int32_t p90() const { return upper(0.9); }
  // lower below one half, upper above, p50 between: the one way quantiles are written down for people.
  std::int32_t told(double p) const;

  double paid_by(std::int32_t days) const;  // probability that the delay is `days` or less
  double mean() const;                      // days, of the table and its tail up to delay_days_max

  // The same, knowing that nothing was paid up to and including `days` after the due day.
  DelayDistribution still_open(std::int32_t days) const;
  // Every payment `days` later (earlier when below zero): "the customer pays 30 days later".
  DelayDistribution later_by(std::int32_t days) const;

  // The delays of `draws.size()` equally likely payments, rising: what a simulation looks up by index.
  void equally_likely(std::span<std::int32_t> draws) const;

  bool operator==(const DelayDistribution& other) const;

 private:
  struct Table {
    std::int32_t first = 0;
    std::vector<double> paid_by;  // paid_by[i]: up to first + i
    double tail_days = 1;
    double beyond(std::int32_t days) const;  // probability of more than `days`
    bool operator==(const Table&) const = default;
  };
  double open_share() const;
  std::int32_t day_with_open_below(double share) const;
  double day_share(std::int32_t day) const { return paid_by(day) - paid_by(day - 1); }

  std::shared_ptr<const Table> table_;
  std::int32_t open_after_ = -delay_days_max - 1;  // nothing was paid up to and including this day
  std::int32_t shift_ = 0;
};

}  // namespace millrace::planning
