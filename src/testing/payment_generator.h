// Made-up payment histories whose truth is known: for tests and measurements of payment behaviour, never for a company's data.
//
// A party has a usual delay, a spread, a way its habits move (steady, drifting, a change at one day), a way it pays (any
// working day, one weekday, days of the month, half on the due day), terms it partly ignores, and an appetite for
// invoices. Payments fall on working days, none while the company is closed; few are far outside.
//
// Invariants
//   * The seed decides everything. Payments after `last_day` are made as well: the truth that a predictor must not see.
#pragma once
#include <cstdint>
#include <vector>

#include "planning/payment_behaviour.h"

namespace millrace::testing {

using planning::PaymentCase;

struct PaymentWorld {
  std::uint64_t seed = 1;
  std::uint32_t parties = 100;
  std::uint32_t invoices = 5000;      // together, shared out unevenly: few parties have many
  std::int32_t first_day = 18262;     // 2020-01-01
  std::int32_t last_day = 19357;      // 2022-12-31
  double drifting = 0.3;              // share of parties whose delay walks
  double changing = 0.15;             // share whose habits change on one day
  double run_payers = 0.3;            // share that pays on one weekday or on days of the month
  double outliers = 0.01;             // share of invoices paid far too late, for a reason of their own
  bool seasons = true;                // closing days and late summers
};

std::vector<PaymentCase> make_payments(const PaymentWorld& world);

// A generator of random numbers with the same numbers everywhere (SplitMix64).
class PaymentDice {
 public:
  explicit PaymentDice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform();      // [0, 1)
  double normal();
  double exponential();  // of mean 1
  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(uniform() * count); }

 private:
  std::uint64_t state_;
};

}  // namespace millrace::testing
