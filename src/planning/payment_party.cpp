#include "planning/payment_party.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "planning/payment_days.h"

namespace millrace::planning {
namespace {

constexpr double recency_payments = 40;   // a payment this many payments ago counts half
constexpr double shape_payments = 14;     // the company's shape weighs as much as this many own payments
constexpr double spread_payments = 5;     // the company's spread weighs as much
constexpr double slope_amount_sd = 0.15;  // how far a party's slope may be from the company's, in spreads
constexpr double slope_terms_sd = 0.3;    // in days per day
constexpr double open_tells_from = 0.05;  // an open invoice tells something when so many would have paid by now
constexpr std::size_t scanned_max = 4096;
constexpr std::int32_t days_from = -400, days_to = 1500;
constexpr double prior_paying = 4;

// A case as it is known on the as-of day.
struct Known {
  const PaymentCase* source = nullptr;
  double day = 0;      // posted
  double delay = 0;    // days late; of an open one what is expected
  double late = 0;     // of an open one: days late so far
  bool open = false;
  double amount = 0, terms = 0;  // above the party's usual
  double explained = 0;          // days that amount, terms and season add
  double trust = 1;
  Surprise surprise;
  bool changing = false;         // its surprise is the size of a change of habit, not of the usual spread
};

double log_amount(std::int64_t amount) { return std::log(static_cast<double>(std::max<std::int64_t>(amount, 1))); }

std::vector<Known> known_cases(std::span<const PaymentCase> cases, std::int32_t as_of) {
  std::vector<Known> known;
  std::size_t paid = 0, open = 0, scanned = 0;
  for (auto at = cases.rbegin(); at != cases.rend() && paid < window_paid && scanned < scanned_max; ++at, ++scanned) {
    const bool is_open = at->paid > as_of;
    if (is_open && (at->due - as_of > 30 || open >= window_open)) continue;  // not due for long: it tells nothing
    (is_open ? open : paid) += 1;
    Known one;
    one.source = &*at;
    one.day = at->posted;
    one.open = is_open;
    one.delay = one.late = (is_open ? as_of : at->paid) - at->due;
    known.push_back(one);
  }
  std::reverse(known.begin(), known.end());
  return known;
}

class PartyReader {
 public:
  PartyReader(const CompanyFit& company, std::span<const PaymentCase> cases, std::int32_t as_of)
      : company_(company), as_of_(as_of), known_(known_cases(cases, as_of)) {
    fit_.slopes = company.slopes;
    fit_.spread = company.spread;
  }

  PartyFit read(Lessons* lessons) {
    Levels levels = follow_payments();
    if (fit_.known > 0) {
      own_spread_and_slopes();
      levels = follow_payments();
    }
    finish(levels);
    fit_.delays = shape_delays(nullptr);
    if (take_open_invoices()) {
      levels = follow(true);
      finish(levels);
      const RawDelays before = std::move(fit_.delays);
      fit_.delays = shape_delays(&before);
    }
    count_paying_days(lessons);
    sort_outliers();
    if (lessons != nullptr) write_trace(lessons->trace);
    return std::move(fit_);
  }

 private:
  // Medians: one odd invoice does not move what is usual.
  void usual_amount_and_terms() {
    if (known_.empty()) return;
    std::vector<double> amounts, terms;
    fit_.known = 0;
    for (const Known& one : known_) {
      fit_.known += one.open ? 0 : 1;
      amounts.push_back(log_amount(one.source->amount));
      terms.push_back(one.source->due - one.source->posted);
    }
    const auto half = static_cast<std::ptrdiff_t>(known_.size() / 2);
    std::nth_element(amounts.begin(), amounts.begin() + half, amounts.end());
    std::nth_element(terms.begin(), terms.begin() + half, terms.end());
    fit_.log_amount = amounts[known_.size() / 2];
    fit_.terms = terms[known_.size() / 2];
    for (Known& one : known_) {
      one.amount = std::clamp(log_amount(one.source->amount) - fit_.log_amount, -4.0, 4.0);
      one.terms = std::clamp(one.source->due - one.source->posted - fit_.terms, -90.0, 90.0);
    }
  }

  void explain() {
    for (Known& one : known_)
      one.explained = fit_.slopes.amount * one.amount + fit_.slopes.terms * one.terms +
                      company_.season[month_of(one.source->due)];
  }

  // What is found to be an outlier is named and taken out, and all is read again without it: it must not move what is
  // usual, what is explained or what the payments after it were held against.
  Levels follow_payments() {
    for (;;) {
      usual_amount_and_terms();
      explain();
      Levels levels = follow(false);
      if (!take_out_outliers()) return levels;
    }
  }

  bool take_out_outliers() {
    const auto odd = [](const Known& one) { return !one.open && one.surprise.outlier; };
    for (const Known& one : known_)
      if (odd(one)) fit_.outliers.push_back(*one.source);
    return std::erase_if(known_, odd) > 0;
  }

  Levels follow(bool with_open) {
    Levels levels(company_.level, fit_.spread, company_.models);
    Known* before = nullptr;
    for (Known& one : known_) {
      if (one.open && (!with_open || one.trust <= 0)) continue;
      one.changing = false;
      one.surprise = levels.learn(one.day, one.delay - one.explained, one.trust);
      if (one.surprise.habit && before != nullptr) {
        before->surprise.outlier = false;
        before->changing = one.changing = true;
      }
      before = &one;
    }
    return levels;
  }

  // Both are held against the company's: three payments say little about how far they spread.
  void own_spread_and_slopes() {
    double squares = spread_payments * company_.spread * company_.spread, count = spread_payments;
    double amount_error = 0, amount_squares = 0, terms_error = 0, terms_squares = 0;
    for (const Known& one : known_) {
      if (one.open || one.surprise.outlier || one.changing) continue;
      const double single = company_.spread * company_.spread / one.surprise.variance;  // what is the payment's, not the level's
      const double limit = 3.5 * std::sqrt(one.surprise.variance);
      const double error = std::clamp(one.surprise.error, -limit, limit);
      squares += error * error * single * single;
      count += single;
      amount_error += single * one.amount * error;
      amount_squares += single * one.amount * one.amount;
      terms_error += single * one.terms * error;
      terms_squares += single * one.terms * one.terms;
    }
    fit_.spread = std::max(0.4, std::sqrt(squares / count));
    const double variance = fit_.spread * fit_.spread;
    const double amount_prior = 1 / (slope_amount_sd * slope_amount_sd);
    const double terms_prior = variance / (slope_terms_sd * slope_terms_sd);
    fit_.slopes.amount += amount_error / (amount_squares + amount_prior);
    fit_.slopes.terms += terms_error / (terms_squares + terms_prior);
  }

  void finish(const Levels& levels) {
    fit_.level = levels.at(as_of_);
    fit_.models = levels.weights();
    fit_.trend = levels.slope() * 30.44;
  }

  double deviation() const { return std::sqrt(fit_.spread * fit_.spread + fit_.level.variance); }

  // Own surprises around today's level, mixed with the company's shape. `before`: what an open invoice's delay may be.
  RawDelays shape_delays(const RawDelays* before) const {
    const double centre = fit_.level.level, wide = deviation();
    RawDelays raw;
    raw.first = std::clamp(static_cast<std::int32_t>(std::floor(centre - 8 * wide)), days_from, days_to - 60);
    const std::int32_t last = std::clamp(static_cast<std::int32_t>(std::ceil(centre + 12 * wide)), raw.first + 40, days_to);
    const auto size = static_cast<std::size_t>(last - raw.first + 1);
    std::vector<double> own(size, 0.0);
    const double own_weight = add_own(own, raw.first, before);
    smooth(own, 1.2 * fit_.spread / std::pow(own_weight + 1, 0.2));
    const double pooled = shape_payments / (shape_payments + own_weight);
    const double own_share = own_weight > 0 ? (1 - pooled) / own_weight : 0;
    raw.weights.resize(size);
    double below = company_.shape.below((raw.first - 0.5 - centre) / wide);
    for (std::size_t index = 0; index < size; ++index) {
      const double next = company_.shape.below((raw.first + static_cast<double>(index) + 0.5 - centre) / wide);
      raw.weights[index] = pooled * (next - below) + own_share * own[index];
      below = next;
    }
    raw.tail_days = std::max(3.0, 3 * wide);
    cut_tail(raw);
    return raw;
  }

  double add_own(std::vector<double>& own, std::int32_t first, const RawDelays* before) const {
    double total = 0, rank = 0;
    const double last = static_cast<double>(own.size() - 1);
    for (auto at = known_.rbegin(); at != known_.rend(); ++at) {
      if (at->open && (before == nullptr || at->trust <= 0)) continue;
      const double recent = std::exp2(-rank / recency_payments);
      rank += 1;
      if (at->open) {
        total += add_open(own, first, *before, at->late - at->explained, recent);
        continue;
      }
      if (at->surprise.outlier || at->changing) continue;
      const double weight = recent * fit_.spread * fit_.spread / at->surprise.variance;
      const double place = std::clamp(fit_.level.level + at->surprise.error - first, 0.0, last);
      const auto whole = static_cast<std::size_t>(place);
      const double part = place - static_cast<double>(whole);
      own[whole] += weight * (1 - part);
      if (part > 0) own[whole + 1] += weight * part;
      total += weight;
    }
    return total;
  }

  // An open invoice counts on the days that are left to it, as likely as they were before (Efron's redistribution to the
  // right, whose fixed point is the Kaplan-Meier estimate).
  static double add_open(std::vector<double>& own, std::int32_t first, const RawDelays& before, double late, double weight) {
    double left = 0;
    const auto start = static_cast<std::size_t>(std::max(0.0, std::floor(late) + 1 - before.first));
    for (std::size_t index = start; index < before.weights.size(); ++index) left += before.weights[index];
    if (left < 1e-3) return 0;  // later than anything known: it tells nothing about the others
    for (std::size_t index = start; index < before.weights.size(); ++index) {
      const auto place = static_cast<std::int64_t>(index) + before.first - first;
      own[static_cast<std::size_t>(std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(own.size()) - 1))] +=
          weight * before.weights[index] / left;
    }
    return weight;
  }

  static void smooth(std::vector<double>& values, double half_width) {
    const auto reach = static_cast<std::int64_t>(std::min(20.0, half_width));
    if (reach < 1) return;
    std::vector<double> smoothed(values.size(), 0.0);
    const double total = static_cast<double>((reach + 1) * (reach + 1));
    const auto size = static_cast<std::int64_t>(values.size());
    for (std::int64_t index = 0; index < size; ++index) {
      if (values[static_cast<std::size_t>(index)] == 0) continue;
      for (std::int64_t offset = -reach; offset <= reach; ++offset)
        smoothed[static_cast<std::size_t>(std::clamp<std::int64_t>(index + offset, 0, size - 1))] +=
            values[static_cast<std::size_t>(index)] * static_cast<double>(reach + 1 - std::abs(offset)) / total;
    }
    values = std::move(smoothed);
  }

  static void cut_tail(RawDelays& raw) {
    double total = 0;
    for (const double weight : raw.weights) total += weight;
    double sum = 0;
    std::size_t kept = 0;
    while (kept < raw.weights.size() && sum < (1 - tail_share) * total) sum += raw.weights[kept++];
    raw.weights.resize(std::max<std::size_t>(kept, 1));
    std::size_t empty = 0;
    while (empty + 1 < raw.weights.size() && raw.weights[empty] < 1e-6 * total) ++empty;
    raw.weights.erase(raw.weights.begin(), raw.weights.begin() + static_cast<std::ptrdiff_t>(empty));
    raw.first += static_cast<std::int32_t>(empty);
    double rest = 0;
    for (const double weight : raw.weights) rest += weight;
    for (double& weight : raw.weights) weight *= (1 - tail_share) / rest;
  }

  // Whether any open invoice says something. One that is far later than all is a quarrel about that one invoice.
  bool take_open_invoices() {
    bool any = false;
    std::size_t far = 0;
    const double limit = fit_.level.level + 6 * deviation();
    for (const Known& one : known_) far += one.open && one.late - one.explained > limit ? 1 : 0;
    const bool ignore_far = far <= std::max<std::size_t>(1, known_.size() / 20);
    for (Known& one : known_) {
      if (!one.open) continue;
      const double late = one.late - one.explained;
      double by_now = 0, left = 0, days = 0;
      for (std::size_t index = 0; index < fit_.delays.weights.size(); ++index) {
        const double day = fit_.delays.first + static_cast<double>(index);
        if (day <= late) {
          by_now += fit_.delays.weights[index];
        } else {
          left += fit_.delays.weights[index];
          days += fit_.delays.weights[index] * day;
        }
      }
      one.trust = by_now < open_tells_from || (late > limit && ignore_far) ? 0 : std::min(1.0, 3 * by_now);
      if (one.trust <= 0) continue;
      any = true;
      // For the levels it counts as the day it will probably be paid.
      one.delay = one.explained + (left > 1e-3 ? days / left : late + fit_.delays.tail_days);
    }
    return any;
  }

  void count_paying_days(Lessons* lessons) {
    const RawDelays& raw = fit_.delays;
    double sum = 0;
    std::size_t from = 0, to = raw.weights.size();
    for (std::size_t index = 0; index < raw.weights.size(); ++index) {
      if (sum < 0.03) from = index;
      sum += raw.weights[index];
      if (sum > 0.97) {
        to = index + 1;
        break;
      }
    }
    double inside = 0;
    for (std::size_t index = from; index < to; ++index) inside += raw.weights[index];
    for (const Known& one : known_) {
      if (one.open || one.surprise.outlier) continue;
      const std::int32_t paid = one.source->paid;
      const auto expected = static_cast<std::int32_t>(std::lround(one.delay - one.surprise.error - fit_.level.level));
      const std::int32_t first = one.source->due + expected + raw.first + static_cast<std::int32_t>(from);
      if (lessons != nullptr) count_year_days(lessons->year, paid, first, {raw.weights.data() + from, to - from}, inside);
      DayWalk day(first);
      fit_.counts.weekday[weekday_of(paid)] += 1;
      fit_.counts.month_day[month_day_of(paid)] += 1;
      for (std::size_t index = from; index < to; ++index, day.next()) {
        const double share = raw.weights[index] / inside;
        fit_.counts.weekday_expected[day.weekday()] += share;
        fit_.counts.month_day_expected[day.month_day()] += share;
      }
    }
    fit_.paying = paying_days(fit_.counts, company_.paying, prior_paying);
  }

  static void count_year_days(YearCounts& year, std::int32_t paid, std::int32_t first, std::span<const double> weights, double inside) {
    year.seen[year_day_of(paid)] += 1;
    for (const double weight : weights) year.expected[year_day_of(first++)] += weight / inside;
  }

  void sort_outliers() { std::sort(fit_.outliers.begin(), fit_.outliers.end(), case_before); }

  void write_trace(std::vector<CaseTrace>& trace) const {
    for (const Known& one : known_)
      if (!one.open && !one.surprise.outlier && !one.changing)
        trace.push_back({one.source->posted, one.source->due, one.surprise.error, one.surprise.variance, one.amount, one.terms});
  }

  const CompanyFit& company_;
  std::int32_t as_of_;
  std::vector<Known> known_;
  PartyFit fit_;
};

// Moved by a part of a day as well: the weights of neighbouring days are mixed.
RawDelays moved(const RawDelays& raw, double days) {
  const double whole = std::floor(days), part = days - whole;
  RawDelays to{raw.first + static_cast<std::int32_t>(whole), std::vector<double>(raw.weights.size() + 1, 0.0), raw.tail_days};
  for (std::size_t index = 0; index < raw.weights.size(); ++index) {
    to.weights[index] += (1 - part) * raw.weights[index];
    to.weights[index + 1] += part * raw.weights[index];
  }
  return to;
}

// What would be paid while everybody is closed is paid in the days after: most on the first of them on which the party pays.
void postpone_closed(RawDelays& raw, std::int32_t due, const CompanyFit& company, const PayingDays& paying) {
  constexpr double paid_while_closed = 0.08, caught_up = 0.6, usual_enough = 0.2;
  constexpr std::size_t room = 21;  // a closing that begins on the last likely day
  bool any = false;
  const auto end = static_cast<std::int32_t>(raw.weights.size());
  for (std::int32_t index = 0; index < end && !any; ++index) any = company.closed[year_day_of(due + raw.first + index)];
  if (!any) return;
  raw.weights.resize(raw.weights.size() + room, 0.0);
  double waiting = 0;
  DayWalk day(due + raw.first);
  for (std::size_t index = 0; index < raw.weights.size(); ++index, day.next()) {
    double& weight = raw.weights[index];
    if (company.closed[year_day_of(due + raw.first + static_cast<std::int32_t>(index))]) {
      waiting += (1 - paid_while_closed) * weight;
      weight *= paid_while_closed;
    } else if (paying.weekday[day.weekday()] * paying.month_day[day.month_day()] > usual_enough) {
      weight += caught_up * waiting;
      waiting *= 1 - caught_up;
    }
  }
  raw.weights.back() += waiting;
}

}  // namespace

bool case_before(const PaymentCase& left, const PaymentCase& right) {
  return std::tie(left.posted, left.due, left.paid, left.amount) < std::tie(right.posted, right.due, right.paid, right.amount);
}

PartyFit fit_party(const CompanyFit& company, std::span<const PaymentCase> cases, std::int32_t as_of,
                   Lessons* lessons) {
  const auto end = std::partition_point(cases.begin(), cases.end(),
                                        [&](const PaymentCase& one) { return one.posted <= as_of; });
  return PartyReader(company, {cases.begin(), end}, as_of).read(lessons);
}

RawDelays raw_delays(const CompanyFit& company, const PartyFit& party, const PaymentQuestion& question) {
  double later = company.season[month_of(question.due)];
  if (party.known > 0) {
    if (question.amount > 0)
      later += party.slopes.amount * std::clamp(log_amount(question.amount) - party.log_amount, -4.0, 4.0);
    later += party.slopes.terms * std::clamp(question.due - question.posted - party.terms, -90.0, 90.0);
  }
  RawDelays raw = moved(party.delays, std::clamp(later, -60.0, 60.0));
  postpone_closed(raw, question.due, company, party.paying);
  double total = 0;
  DayWalk day(question.due + raw.first);
  for (std::size_t index = 0; index < raw.weights.size(); ++index, day.next()) {
    raw.weights[index] *= party.paying.weekday[day.weekday()] * party.paying.month_day[day.month_day()];
    total += raw.weights[index];
  }
  if (total <= 0) return moved(party.delays, std::clamp(later, -60.0, 60.0));  // it pays on none of these days: as they are
  for (double& weight : raw.weights) weight *= (1 - tail_share) / total;
  return raw;
}

DelayDistribution calibrated(const CompanyFit& company, std::size_t known, const RawDelays& raw) {
  const Calibration& calibration = company.calibration[experience(known)];
  std::vector<double> weights(raw.weights.size());
  double sum = 0, before = 0;
  for (std::size_t index = 0; index < weights.size(); ++index) {
    sum += raw.weights[index];
    const double share = calibration(sum);
    weights[index] = std::max(0.0, share - before);
    before = share;
  }
  return DelayDistribution(raw.first, weights, std::clamp(1 - before, 1e-6, 0.5), raw.tail_days);
}

}  // namespace millrace::planning
