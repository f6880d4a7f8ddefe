#include "planning/payment_company.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "base/check.h"
#include "planning/payment_days.h"

namespace millrace::planning {
namespace {

constexpr std::size_t sampled_parties_max = 800;
constexpr std::size_t sampled_cases_max = 4000;
constexpr double shrink_calibration = 60;  // cases: few-data groups lean on all others
constexpr std::uint32_t party_codes_max = 1U << 26;

double middle_of(std::vector<double>& values, double at = 0.5) {
  if (values.empty()) return 0;
  const auto place = static_cast<std::ptrdiff_t>(at * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

// The mean of the middle half: as little moved by odd values as the median, and by one value more hardly at all.
double typical(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const std::size_t cut = values.size() / 4;
  double sum = 0;
  for (std::size_t index = cut; index < values.size() - cut; ++index) sum += values[index];
  return values.empty() ? 0 : sum / static_cast<double>(values.size() - 2 * cut);
}

// Parties with cases, at most sampled_parties_max of them, evenly over the codes.
std::vector<std::uint32_t> sampled_parties(const CaseTable& table, std::int32_t as_of) {
  std::vector<std::uint32_t> parties;
  for (std::uint32_t party = 0; party < table.party_count(); ++party)
    if (!table.of(party).empty() && table.of(party).front().posted <= as_of) parties.push_back(party);
  if (parties.size() <= sampled_parties_max) return parties;
  std::vector<std::uint32_t> sample;
  for (std::size_t index = 0; index < sampled_parties_max; ++index)
    sample.push_back(parties[index * parties.size() / sampled_parties_max]);
  return sample;
}

// How long after posting nearly every invoice is paid. Of invoices younger than that the quick ones are known first, so a sample
// that is to say how people pay leaves them out.
std::int32_t settled_after(const CaseTable& table, const std::vector<std::uint32_t>& parties, std::int32_t as_of) {
  std::vector<double> days;
  for (const std::uint32_t party : parties) {
    std::size_t taken = 0;
    const auto cases = table.of(party);
    for (auto at = cases.rbegin(); at != cases.rend() && taken < window_paid; ++at)
      if (at->paid <= as_of && ++taken > 0) days.push_back(at->paid - at->posted);
  }
  if (days.empty()) return 0;
  // In whole weeks: one payment more must not move what is looked at.
  return static_cast<std::int32_t>(std::ceil(std::clamp(middle_of(days, 0.95), 0.0, 180.0) / 7)) * 7;
}

// Where to begin: medians, which need no model.
CompanyFit first_fit(const CaseTable& table, const std::vector<std::uint32_t>& parties, std::int32_t as_of) {
  CompanyFit company;
  std::vector<double> levels, spreads;
  for (const std::uint32_t party : parties) {
    std::vector<double> delays;
    const auto cases = table.of(party);
    for (auto at = cases.rbegin(); at != cases.rend() && delays.size() < window_paid; ++at)
      if (at->posted <= as_of && at->paid <= as_of) delays.push_back(at->paid - at->due);
    if (delays.empty()) continue;
    const double level = middle_of(delays);
    levels.push_back(level);
    if (delays.size() < 4) continue;
    for (double& delay : delays) delay = std::abs(delay - level);
    spreads.push_back(1.4826 * middle_of(delays) + 0.3);
  }
  if (levels.empty()) return company;
  company.spread = spreads.empty() ? 7 : std::max(0.7, typical(spreads));
  company.level.level = typical(levels);
  std::vector<double> apart;
  for (const double level : levels) apart.push_back(std::abs(level - company.level.level));
  const double between = 1.4826 * middle_of(apart);
  // With few parties nobody knows how different the next one is.
  company.level.variance = between * between + company.spread * company.spread * 4 / static_cast<double>(levels.size() + 1) + 0.5;
  return company;
}

struct PartySample {
  PartyFit fit;
  Lessons lessons;
};

std::vector<PartySample> read_sample(const CaseTable& table, const std::vector<std::uint32_t>& parties, std::int32_t as_of,
                                     const CompanyFit& company, unsigned threads) {
  std::vector<PartySample> samples(parties.size());
  in_parallel(parties.size(), threads, [&](std::size_t index) {
    samples[index].fit = fit_party(company, table.of(parties[index]), as_of, &samples[index].lessons);
  });
  return samples;
}

// A mean effect that is believed as far as it stands out of its own uncertainty.
double believed(double sum, double squares, double variance) {
  if (squares <= 0) return 0;
  const double effect = sum / squares, doubt = variance / squares;
  return effect * std::max(0.0, 1 - 4 * doubt / std::max(effect * effect, 1e-12));
}

void learn_slopes_and_season(CompanyFit& company, const std::vector<PartySample>& samples, std::int32_t settled_by) {
  double amount_sum = 0, amount_squares = 0, terms_sum = 0, terms_squares = 0, variance = 0, count = 0;
  std::array<double, 12> month_sum{}, month_count{};
  for (const PartySample& sample : samples) {
    const double weight = 1 / std::max(0.25, sample.fit.spread * sample.fit.spread);
    for (const CaseTrace& one : sample.lessons.trace) {
      if (one.posted > settled_by) continue;
      const double limit = 3 * std::sqrt(one.variance);
      const double error = std::clamp(one.error, -limit, limit);
      amount_sum += weight * one.amount * error;
      amount_squares += weight * one.amount * one.amount;
      terms_sum += weight * one.terms * error;
      terms_squares += weight * one.terms * one.terms;
      variance += weight * error * error;
      month_sum[month_of(one.due)] += weight * error;
      month_count[month_of(one.due)] += weight;
      count += 1;
    }
  }
  if (count < 30) return;
  variance /= count;
  company.slopes.amount += believed(amount_sum, amount_squares, variance);
  company.slopes.terms += believed(terms_sum, terms_squares, variance);
  // Surprises within a month hang together, so a month is believed later than as many single ones would be.
  for (std::size_t month = 0; month < 12; ++month)
    company.season[month] += believed(month_sum[month], month_count[month], 3 * variance);
}

void learn_levels(CompanyFit& company, const std::vector<PartySample>& samples, std::int32_t settled_by) {
  std::vector<double> levels, spreads, surprises;
  ModelWeights models{};
  double model_count = 0;
  for (const PartySample& sample : samples) {
    if (sample.fit.known == 0) continue;
    levels.push_back(sample.fit.level.level);
    if (sample.fit.known >= 5) spreads.push_back(sample.fit.spread);
    if (sample.fit.known >= 8) {
      for (std::size_t index = 0; index < level_model_count; ++index) models[index] += sample.fit.models[index];
      model_count += 1;
    }
    for (std::size_t index = 1; index < sample.lessons.trace.size(); ++index)
      if (sample.lessons.trace[index].posted <= settled_by)
        surprises.push_back(sample.lessons.trace[index].error / std::sqrt(sample.lessons.trace[index].variance));
  }
  if (levels.empty()) return;
  const ModelWeights before = company.models;
  for (std::size_t index = 0; index < level_model_count; ++index)
    company.models[index] = (models[index] + 3 * before[index]) / (model_count + 3);
  if (spreads.size() >= 5) company.spread = std::max(0.5, typical(spreads));
  company.level.level = typical(levels);
  double squares = 0;
  const double limit = 4 * std::sqrt(company.level.variance);
  for (const double level : levels) {
    const double apart = std::clamp(level - company.level.level, -limit, limit);
    squares += apart * apart;
  }
  const double count = static_cast<double>(levels.size());
  company.level.variance = squares / count + company.spread * company.spread * 4 / (count + 1) + 0.25;
  company.shape = shape_of(std::move(surprises));
}

void learn_paying_days(CompanyFit& company, const std::vector<PartySample>& samples) {
  PayingCounts counts;
  YearCounts year;
  for (const PartySample& sample : samples) {
    counts.add(sample.fit.counts);
    year.add(sample.lessons.year);
  }
  company.paying = paying_days(counts, PayingDays{}, 1);
  company.closed = closed_days(year);
}

// Predicts past invoices with what was known when each was posted, and notes where in its distribution the payment lay.
struct Held {
  std::size_t experience = 0;
  double before = 0, upto = 0;  // the payment's day began and ended at these probabilities
};

std::vector<Held> walk_forward(const CaseTable& table, const CompanyFit& company, std::int32_t as_of, std::int32_t settled_by,
                               unsigned threads) {
  std::vector<std::size_t> wanted;
  const auto all = table.all();
  for (std::size_t index = 0; index < all.size(); ++index)
    if (all[index].posted <= settled_by) wanted.push_back(index);
  const std::size_t count = std::min(wanted.size(), sampled_cases_max);
  std::vector<Held> held(count);
  in_parallel(count, threads, [&](std::size_t place) {
    const PaymentCase& one = all[wanted[place * wanted.size() / count]];
    const PartyFit fit = fit_party(company, table.of(one.party), one.posted - 1);
    const RawDelays raw = raw_delays(company, fit, {one.posted, one.due, one.amount});
    const bool open = one.paid > as_of;
    const std::int64_t delay = static_cast<std::int64_t>(open ? as_of : one.paid) - one.due - raw.first;
    double before = 0, sum = 0;
    for (std::size_t index = 0; index < raw.weights.size() && static_cast<std::int64_t>(index) <= delay; ++index) {
      before = sum;
      sum += raw.weights[index];
    }
    if (delay >= static_cast<std::int64_t>(raw.weights.size())) before = sum;
    held[place] = {experience(fit.known), open ? sum : before, open || delay >= static_cast<std::int64_t>(raw.weights.size()) ? 1 : sum};
  });
  return held;
}

// The share of payments below each predicted level; a payment's day counts by the part of it that lies below.
Calibration counted(const std::vector<const Held*>& held, const Calibration& prior) {
  Calibration calibration;
  const double count = static_cast<double>(held.size());
  for (std::size_t index = 1; index + 1 < Calibration::size; ++index) {
    const double level = static_cast<double>(index) / (Calibration::size - 1);
    double below = 0;
    for (const Held* one : held)
      below += one->upto <= level ? 1 : one->before >= level ? 0 : (level - one->before) / (one->upto - one->before);
    calibration.share[index] = (below + shrink_calibration * prior.share[index]) / (count + shrink_calibration);
  }
  for (std::size_t index = 1; index < Calibration::size; ++index)
    calibration.share[index] = std::max(calibration.share[index], calibration.share[index - 1]);
  return calibration;
}

void calibrate(CompanyFit& company, const std::vector<Held>& held) {
  std::vector<const Held*> all;
  std::array<std::vector<const Held*>, experience_count> groups;
  for (const Held& one : held) {
    all.push_back(&one);
    groups[one.experience].push_back(&one);
  }
  const Calibration together = counted(all, Calibration{});
  for (std::size_t group = 0; group < experience_count; ++group)
    company.calibration[group] = counted(groups[group], together);
}

}  // namespace

void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work) {
  if (threads <= 1 || count < 2) {
    for (std::size_t index = 0; index < count; ++index) work(index);
    return;
  }
  std::atomic<std::size_t> next{0};
  constexpr std::size_t at_once = 16;
  const auto run = [&] {
    for (std::size_t from = next.fetch_add(at_once); from < count; from = next.fetch_add(at_once))
      for (std::size_t index = from; index < std::min(count, from + at_once); ++index) work(index);
  };
  std::vector<std::jthread> others;
  for (unsigned thread = 1; thread < threads; ++thread) others.emplace_back(run);
  run();
}

CaseTable::CaseTable(std::span<const PaymentCase> cases) {
  std::uint32_t parties = 0;
  for (const PaymentCase& one : cases) {
    check(one.party < party_codes_max, "party codes are dense");
    parties = std::max(parties, one.party + 1);
  }
  begin_.assign(parties + 1, 0);
  for (const PaymentCase& one : cases) ++begin_[one.party + 1];
  for (std::uint32_t party = 0; party < parties; ++party) begin_[party + 1] += begin_[party];
  cases_.resize(cases.size());
  std::vector<std::size_t> at(begin_.begin(), begin_.end() - 1);
  for (const PaymentCase& one : cases) cases_[at[one.party]++] = one;
}

std::span<const PaymentCase> CaseTable::of(std::uint32_t party) const {
  if (party + 1 >= begin_.size()) return {};
  return {cases_.data() + begin_[party], begin_[party + 1] - begin_[party]};
}

void CaseTable::sort(unsigned threads) {
  in_parallel(party_count(), threads, [&](std::size_t party) {
    const auto begin = cases_.begin() + static_cast<std::ptrdiff_t>(begin_[party]);
    const auto end = cases_.begin() + static_cast<std::ptrdiff_t>(begin_[party + 1]);
    if (!std::is_sorted(begin, end, case_before)) std::sort(begin, end, case_before);
  });
}

CompanyFit fit_company(const CaseTable& table, std::int32_t as_of, unsigned threads) {
  const auto parties = sampled_parties(table, as_of);
  const std::int32_t settled_by = as_of - settled_after(table, parties, as_of);
  CompanyFit company = first_fit(table, parties, as_of);
  constexpr int rounds = 2;  // the second learns from what the first made of the parties
  for (int round = 0; round < rounds; ++round) {
    const auto samples = read_sample(table, parties, as_of, company, threads);
    learn_slopes_and_season(company, samples, settled_by);
    learn_levels(company, samples, settled_by);
  }
  learn_paying_days(company, read_sample(table, parties, as_of, company, threads));
  calibrate(company, walk_forward(table, company, as_of, settled_by, threads));
  const PartyFit nobody = fit_party(company, {}, as_of);
  company.usual = calibrated(company, 0, nobody.delays);
  return company;
}

}  // namespace millrace::planning
