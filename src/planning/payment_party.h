// One party's payments, read with what is known of all (private to payment behaviour).
//
//   cases known on a day -> delays, less what amount, terms and season explain -> levels (payment_levels.h)
//     -> probability by day: own surprises around the level, mixed with the company's shape
//     -> for one invoice: moved by its amount, terms and season, gathered on the days the party pays on, calibrated
//
// Invariants
//   * Only what was known on the as-of day is looked at: cases posted by then, payments made by then.
//   * At most `window_paid` payments and `window_open` open invoices are read, the newest ones.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "planning/payment_behaviour.h"
#include "planning/payment_levels.h"

namespace millrace::planning {

inline constexpr std::size_t window_paid = 64;
inline constexpr std::size_t window_open = 48;

// What an invoice's amount and terms add to its delay, per unit.
struct CaseSlopes {
  double amount = 0;  // days per factor e above the party's usual amount
  double terms = 0;   // days per day of terms above the party's usual terms
};

// How surprises are spread, in deviations: probability below z on an even grid.
struct Shape {
  static constexpr double from = -8, step = 0.1;
  static constexpr std::size_t size = 201;  // up to 12
  std::array<double, size> below_grid{};

  double below(double z) const;
};
Shape usual_shape();                                   // before anything was learned
Shape shape_of(std::vector<double> surprises);         // mixed with the usual one when there are few

// How much more often than by chance payments come on a day of the week (Sunday first) and of the month.
struct PayingDays {
  std::array<double, 7> weekday;
  std::array<double, 31> month_day;
  PayingDays() {
    weekday.fill(1);
    month_day.fill(1);
  }
};
// Payments seen and expected by chance, which PayingDays are learned from.
struct PayingCounts {
  std::array<double, 7> weekday{}, weekday_expected{};
  std::array<double, 31> month_day{}, month_day_expected{};
  void add(const PayingCounts& other);
};
// What differs from `usual` more than chance would; the rest stays as usual. `prior`: expected payments a day's own count
// is held against.
PayingDays paying_days(const PayingCounts& counts, const PayingDays& usual, double prior);

// The same by day of the year, for days on which nearly nobody pays: the company's customers are closed then.
inline constexpr std::size_t year_days = 366;  // the 29th of February has its own
struct YearCounts {
  std::array<double, year_days> seen{}, expected{};
  void add(const YearCounts& other);
};
using ClosedDays = std::array<bool, year_days>;
ClosedDays closed_days(const YearCounts& counts);

// Predicted probabilities put right by how often they held (by rolling origin): level -> share that was below it.
struct Calibration {
  static constexpr std::size_t size = 41;
  std::array<double, size> share{};
  Calibration();                       // as predicted
  double operator()(double level) const;
};
// By how many payments were known: few-data parties are calibrated among themselves.
inline constexpr std::array<std::size_t, 4> experience_from = {1, 3, 7, 20};
inline constexpr std::size_t experience_count = experience_from.size() + 1;
std::size_t experience(std::size_t known);

struct CompanyFit {
  LevelGuess level{0, 100};  // of a party nobody knows yet
  double spread = 7;
  ModelWeights models{0.35, 0.2, 0.2, 0.1, 0.15};
  CaseSlopes slopes;
  std::array<double, 12> season{};  // days later, by month of the due day
  Shape shape = usual_shape();
  PayingDays paying;
  ClosedDays closed{};
  std::array<Calibration, experience_count> calibration;
  DelayDistribution usual;          // of a party without history
};

// A distribution before calibration.
struct RawDelays {
  std::int32_t first = 0;
  std::vector<double> weights;  // add up to 1 - tail_share
  double tail_days = 1;
};
inline constexpr double tail_share = 0.005;

struct PartyFit {
  std::uint32_t invoices = 0, late = 0, open = 0;  // of all its cases
  std::size_t known = 0;                           // payments in the window
  LevelGuess level;
  double spread = 0;
  double trend = 0;           // days a month
  double log_amount = 0, terms = 0;  // usual ones
  CaseSlopes slopes;
  RawDelays delays;
  PayingCounts counts;
  PayingDays paying;
  ModelWeights models{};
  std::vector<PaymentCase> outliers;
  DelayDistribution usual;
};

// What one case taught, for what is learned from all.
struct CaseTrace {
  std::int32_t posted = 0, due = 0;
  double error = 0, variance = 0;  // of what was expected before it
  double amount = 0, terms = 0;    // above the party's usual
};

// What a party's cases teach about all.
struct Lessons {
  std::vector<CaseTrace> trace;
  YearCounts year;
};

// `cases`: of one party, sorted by `case_before`; none is allowed.
PartyFit fit_party(const CompanyFit& company, std::span<const PaymentCase> cases, std::int32_t as_of,
                   Lessons* lessons = nullptr);
bool case_before(const PaymentCase& left, const PaymentCase& right);

// Of one invoice, before calibration, and as it is told.
RawDelays raw_delays(const CompanyFit& company, const PartyFit& party, const PaymentQuestion& question);
DelayDistribution calibrated(const CompanyFit& company, std::size_t known, const RawDelays& raw);

}  // namespace millrace::planning
