#include "planning/payment_score.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <numeric>

#include "base/check.h"
#include "planning/payment_company.h"

namespace millrace::planning {
namespace {

std::vector<std::size_t> by_posting(std::span<const PaymentCase> cases) {
  std::vector<std::size_t> order(cases.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return std::pair(cases[left].posted, left) < std::pair(cases[right].posted, right);
  });
  return order;
}

// Delays that are known so far; any quantile in a few dozen steps.
class KnownDelays {
 public:
  void add(std::int32_t delay) {
    for (std::size_t at = place(delay) + 1; at < sums_.size(); at += at & (~at + 1)) ++sums_[at];
    ++count_;
  }
  std::size_t count() const { return count_; }
  // As spreadsheets have it: between the two nearest.
  double quantile(double level) const {
    const double rank = level * static_cast<double>(count_ - 1);
    const double whole = std::floor(rank);
    const double low = at(static_cast<std::size_t>(whole)), part = rank - whole;
    return part == 0 ? low : low + part * (at(static_cast<std::size_t>(whole) + 1) - low);
  }

 private:
  static constexpr std::int32_t from = -1024;
  static constexpr std::size_t size = 8192;  // a power of two
  static std::size_t place(std::int32_t delay) {
    return static_cast<std::size_t>(std::clamp(delay - from, 0, static_cast<std::int32_t>(size) - 2));
  }
  double at(std::size_t rank) const {
    std::size_t position = 0;
    for (std::size_t step = size; step > 0; step /= 2)
      if (position + step < sums_.size() && sums_[position + step] <= rank) {
        position += step;
        rank -= sums_[position];
      }
    return static_cast<double>(from) + static_cast<double>(position);
  }
  std::vector<std::size_t> sums_ = std::vector<std::size_t>(size + 1, 0);
  std::size_t count_ = 0;
};

double quantile_of(std::vector<std::int32_t> delays, double level) {
  std::sort(delays.begin(), delays.end());
  const double rank = level * static_cast<double>(delays.size() - 1);
  const auto whole = static_cast<std::size_t>(rank);
  const double part = rank - static_cast<double>(whole);
  return part == 0 ? delays[whole] : delays[whole] + part * (delays[whole + 1] - delays[whole]);
}

ToldDays baseline_of(Baseline baseline, const KnownDelays& global, const std::vector<std::int32_t>& own) {
  ToldDays told{};
  if (baseline == Baseline::due_date || global.count() == 0) return told;
  for (std::size_t index = 0; index < told.size(); ++index) {
    if (baseline == Baseline::global || own.empty()) {
      told[index] = global.quantile(told_levels[index]);
    } else {
      const std::size_t count = baseline == Baseline::last_12 ? std::min<std::size_t>(12, own.size()) : own.size();
      told[index] = quantile_of({own.end() - static_cast<std::ptrdiff_t>(count), own.end()}, told_levels[index]);
    }
  }
  return told;
}

std::int64_t week_of(std::int64_t day) { return (day + 3 + 7 * 100000) / 7; }  // Monday to Sunday

double wape(const std::map<std::int64_t, std::pair<double, double>>& weeks) {
  double apart = 0, all = 0;
  for (const auto& [week, sums] : weeks) {
    apart += std::abs(sums.first - sums.second);
    all += sums.second;
  }
  return all > 0 ? apart / all : 0;
}

}  // namespace

std::optional<std::vector<DelayDistribution>> walk_forward(std::span<const PaymentCase> history,
                                                           std::span<const PaymentCase> questions,
                                                           const WalkOptions& options) {
  std::vector<DelayDistribution> delays(questions.size());
  if (questions.empty()) return delays;
  CaseTable table(history);
  table.sort(options.threads);
  const auto order = by_posting(questions);
  const std::int64_t days = static_cast<std::int64_t>(questions[order.back()].posted) - questions[order.front()].posted + 1;
  const auto most = static_cast<std::int64_t>(std::max<std::size_t>(1, options.origins_max));
  const std::int64_t step = std::max<std::int64_t>(options.origin_days, (days + most - 1) / most);
  for (std::size_t from = 0; from < order.size();) {
    const std::int32_t origin = questions[order[from]].posted;
    std::size_t to = from;
    while (to < order.size() && questions[order[to]].posted < origin + step) ++to;
    const CompanyFit company = fit_company(table, origin - 1, options.threads);
    in_parallel(to - from, options.threads, [&](std::size_t place) {
      const PaymentCase& asked = questions[order[from + place]];
      const PartyFit fit = fit_party(company, table.of(asked.party), asked.posted - 1);
      delays[order[from + place]] =
          calibrated(company, fit.known, raw_delays(company, fit, {asked.posted, asked.due, asked.amount}));
    });
    from = to;
    if (options.progress && !options.progress(from, order.size())) return std::nullopt;
  }
  return delays;
}

ToldDays told_days(const DelayDistribution& delay) {
  ToldDays told{};
  for (std::size_t index = 0; index < told.size(); ++index) told[index] = delay.told(told_levels[index]);
  return told;
}

std::string_view name(Baseline baseline) {
  switch (baseline) {
    case Baseline::due_date:
      return "due date";
    case Baseline::global:
      return "all customers' history";
    case Baseline::customer:
      return "customer's history";
    case Baseline::last_12:
      return "customer's last 12";
  }
  return "";
}

std::vector<ToldDays> baseline_days(std::span<const PaymentCase> cases, Baseline baseline) {
  std::vector<std::size_t> payments;
  std::uint32_t parties = 0;
  for (std::size_t index = 0; index < cases.size(); ++index) {
    if (cases[index].paid != not_paid) payments.push_back(index);
    parties = std::max(parties, cases[index].party + 1);
  }
  std::sort(payments.begin(), payments.end(), [&](std::size_t left, std::size_t right) {
    return std::pair(cases[left].paid, left) < std::pair(cases[right].paid, right);
  });
  KnownDelays global;
  std::vector<std::vector<std::int32_t>> own(parties);
  std::vector<ToldDays> told(cases.size());
  std::size_t seen = 0;
  for (const std::size_t index : by_posting(cases)) {
    for (; seen < payments.size() && cases[payments[seen]].paid < cases[index].posted; ++seen) {
      const PaymentCase& paid = cases[payments[seen]];
      global.add(paid.paid - paid.due);
      own[paid.party].push_back(paid.paid - paid.due);
    }
    told[index] = baseline_of(baseline, global, own[cases[index].party]);
  }
  return told;
}

PaymentScore score(std::span<const PaymentCase> cases, std::span<const ToldDays> told, const std::vector<bool>& counted) {
  check(cases.size() == told.size() && cases.size() == counted.size(), "every case has its prediction");
  PaymentScore all;
  std::map<std::int64_t, std::pair<double, double>> amounts, counts;  // predicted and received by week
  for (std::size_t index = 0; index < cases.size(); ++index) {
    const PaymentCase& one = cases[index];
    if (!counted[index] || one.paid == not_paid) continue;
    const double delay = one.paid - one.due;
    all.cases += 1;
    all.mean_error += std::abs(told[index][told_p50] - delay);
    all.covered += told[index][told_p10] <= delay && delay <= told[index][told_p90] ? 1 : 0;
    all.width += told[index][told_p90] - told[index][told_p10];
    for (std::size_t level = 0; level < told_levels.size(); ++level) {
      const double over = delay - told[index][level];
      all.pinball += (over > 0 ? told_levels[level] * over : (told_levels[level] - 1) * over) / static_cast<double>(told_levels.size());
    }
    const std::int64_t predicted = week_of(one.due + std::llround(told[index][told_p50])), received = week_of(one.paid);
    amounts[predicted].first += static_cast<double>(one.amount);
    amounts[received].second += static_cast<double>(one.amount);
    counts[predicted].first += 1;
    counts[received].second += 1;
  }
  const double count = static_cast<double>(std::max<std::size_t>(1, all.cases));
  all.mean_error /= count;
  all.covered /= count;
  all.width /= count;
  all.pinball /= count;
  all.weekly_error = wape(amounts);
  all.weekly_error_count = wape(counts);
  return all;
}

}  // namespace millrace::planning
