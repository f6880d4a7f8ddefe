// When customers pay: learned from their invoices, one distribution of delays for each.
//
// A customer's delays are read as a level that may wander, a spread around it and a shape. What a customer's own invoices
// do not say is taken from all others (partial pooling): somebody new gets the company's distribution, somebody with three
// invoices a mix, somebody with fifty mostly his own. Invoices that are still open count as "later than today". A single
// payment far outside is named as an outlier and moves nothing. docs/payment-dates.md has the method and what it gives.
//
// Invariants
//   * What is learned depends on the cases and the as-of day only: not on their order, not on the number of threads.
//   * No look-ahead: a case posted after the as-of day is not seen, a payment after it makes an open invoice.
//   * Immutable; any thread may read. A copy shares what did not change.
//
// How long it takes: a million cases of 5,000 parties 0.8 s of processor time, shared by the threads; `with_party` 0.3 ms.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "planning/payment_delay.h"

namespace millrace::planning {

inline constexpr std::int32_t not_paid = INT32_MAX;

// One invoice (or instalment). Days are day numbers (base/time.h).
struct PaymentCase {
  std::uint32_t party = 0;       // dense code given by the caller, e.g. FinanceBook's
  std::int32_t posted = 0;
  std::int32_t due = 0;
  std::int32_t paid = not_paid;  // when the last of it came
  std::int64_t amount = 0;       // minor units; one party's amounts are compared with one another only
  bool operator==(const PaymentCase&) const = default;
};

// What is asked about: an invoice that is there, or one that an order will make.
struct PaymentQuestion {
  std::int32_t posted = 0;
  std::int32_t due = 0;
  std::int64_t amount = 0;  // 0: not known, the usual
};

struct LearnOptions {
  unsigned threads = 2;
};

// How a party pays, for people. Days are counted from the due day, late is positive.
struct PaymentProfile {
  std::int32_t p10 = 0, p50 = 0, p90 = 0;
  double trend_days_per_month = 0;  // above zero: later and later; 0 when nothing is sure
  double late_share = 0;            // of the settled invoices
  std::uint32_t invoices = 0;       // settled and known on the as-of day
  std::uint32_t open = 0;
  std::string sentence;             // "Pays 9 days late, 80 % between 3 and 17."
  std::vector<PaymentCase> outliers;  // left out of what is learned, oldest first
};

struct CompanyFit;  // what is learned from all parties together (planning/payment_company.h)
struct PartyFit;    // what is kept of one (planning/payment_party.h)

class PaymentBehaviour {
 public:
  PaymentBehaviour();  // nothing known: paid around the due day, with wide bands

  // `as_of`: the last day whose payments are known.
  static PaymentBehaviour learn(std::span<const PaymentCase> cases, std::int32_t as_of, const LearnOptions& options = {});
  // One party's cases changed (all its cases are given, in any order): the others, and what was learned from all together, stay
  // as they are until the next `learn`, which a caller does when a day or some thousand cases have passed.
  PaymentBehaviour with_party(std::uint32_t party, std::span<const PaymentCase> cases, std::int32_t as_of) const;

  // The delay of an invoice of the party's usual kind: what "usual delay" means everywhere; expected day = due + usual().p50().
  // Invoice already open d days after its due day: usual(party).still_open(d).
  // A party without history, or one never seen, gets company().
  const DelayDistribution& usual(std::uint32_t party) const;
  const DelayDistribution& company() const;
  // The same for one invoice: its terms and amount, and the weekdays and days of the month on which the party pays.
  DelayDistribution expected(std::uint32_t party, const PaymentQuestion& question) const;
  PaymentProfile profile(std::uint32_t party) const;

  std::int32_t as_of() const { return as_of_; }
  std::uint32_t party_count() const { return static_cast<std::uint32_t>(parties_.size()); }

 private:
  std::shared_ptr<const CompanyFit> company_;
  std::vector<std::shared_ptr<const PartyFit>> parties_;  // by code; null: no history
  std::int32_t as_of_ = 0;
};

// "Pays 9 days late, 80 % between 3 and 17." Days before the due day are called early.
std::string payment_sentence(std::int32_t p10, std::int32_t p50, std::int32_t p90);

}  // namespace millrace::planning
