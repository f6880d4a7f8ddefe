#include "planning/payment_behaviour.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "planning/payment_company.h"
#include "planning/payment_party.h"

namespace millrace::planning {
namespace {

constexpr double trend_told_from = 0.2;  // days a month: less is noise

std::shared_ptr<const CompanyFit> nothing_known() {
  static const auto company = [] {
    CompanyFit fit;
    fit.usual = calibrated(fit, 0, fit_party(fit, {}, 0).delays);
    return std::make_shared<const CompanyFit>(std::move(fit));
  }();
  return company;
}

void count_cases(PartyFit& fit, std::span<const PaymentCase> cases, std::int32_t as_of) {
  for (const PaymentCase& one : cases) {
    if (one.posted > as_of) continue;
    if (one.paid > as_of) {
      ++fit.open;
    } else {
      ++fit.invoices;
      fit.late += one.paid > one.due ? 1 : 0;
    }
  }
}

std::shared_ptr<const PartyFit> fit_of(const CompanyFit& company, std::span<const PaymentCase> cases, std::int32_t as_of) {
  PartyFit fit = fit_party(company, cases, as_of);
  count_cases(fit, cases, as_of);
  if (fit.invoices + fit.open == 0) return nullptr;
  fit.usual = calibrated(company, fit.known, fit.delays);
  return std::make_shared<const PartyFit>(std::move(fit));
}

std::string days_words(std::int32_t days) { return std::to_string(std::abs(days)) + (std::abs(days) == 1 ? " day" : " days"); }

}  // namespace

PaymentBehaviour::PaymentBehaviour() : company_(nothing_known()) {}

PaymentBehaviour PaymentBehaviour::learn(std::span<const PaymentCase> cases, std::int32_t as_of, const LearnOptions& options) {
  PaymentBehaviour behaviour;
  behaviour.as_of_ = as_of;
  if (cases.empty()) return behaviour;
  CaseTable table(cases);
  table.sort(options.threads);
  behaviour.company_ = std::make_shared<const CompanyFit>(fit_company(table, as_of, options.threads));
  behaviour.parties_.resize(table.party_count());
  in_parallel(table.party_count(), options.threads, [&](std::size_t party) {
    behaviour.parties_[party] = fit_of(*behaviour.company_, table.of(static_cast<std::uint32_t>(party)), as_of);
  });
  return behaviour;
}

PaymentBehaviour PaymentBehaviour::with_party(std::uint32_t party, std::span<const PaymentCase> cases,
                                              std::int32_t as_of) const {
  PaymentBehaviour changed = *this;
  std::vector<PaymentCase> sorted(cases.begin(), cases.end());
  std::sort(sorted.begin(), sorted.end(), case_before);
  if (changed.parties_.size() <= party) changed.parties_.resize(party + 1);
  changed.parties_[party] = fit_of(*company_, sorted, as_of);
  return changed;
}

const DelayDistribution& PaymentBehaviour::company() const { return company_->usual; }

const DelayDistribution& PaymentBehaviour::usual(std::uint32_t party) const {
  return party < parties_.size() && parties_[party] ? parties_[party]->usual : company();
}

DelayDistribution PaymentBehaviour::expected(std::uint32_t party, const PaymentQuestion& question) const {
  if (party < parties_.size() && parties_[party]) {
    const PartyFit& fit = *parties_[party];
    return calibrated(*company_, fit.known, raw_delays(*company_, fit, question));
  }
  return calibrated(*company_, 0, raw_delays(*company_, fit_party(*company_, {}, as_of_), question));
}

PaymentProfile PaymentBehaviour::profile(std::uint32_t party) const {
  const DelayDistribution& delays = usual(party);
  PaymentProfile profile;
  profile.p10 = delays.p10();
  profile.p50 = delays.p50();
  profile.p90 = delays.p90();
  profile.sentence = payment_sentence(profile.p10, profile.p50, profile.p90);
  if (party < parties_.size() && parties_[party]) {
    const PartyFit& fit = *parties_[party];
    profile.invoices = fit.invoices;
    profile.open = fit.open;
    profile.late_share = fit.invoices > 0 ? static_cast<double>(fit.late) / fit.invoices : 0;
    profile.trend_days_per_month = std::abs(fit.trend) < trend_told_from ? 0 : fit.trend;
    profile.outliers = fit.outliers;
  }
  if (profile.invoices == 0) profile.sentence = "No payments known yet; taken as others pay: " + payment_sentence(profile.p10, profile.p50, profile.p90);
  return profile;
}

// "between 3 and 17" when both are late; otherwise each says which side it is on.
std::string payment_sentence(std::int32_t p10, std::int32_t p50, std::int32_t p90) {
  std::string text = "Pays ";
  if (p50 == 0) text += "on the due day";
  if (p50 != 0) text += days_words(p50) + (p50 > 0 ? " late" : " early");
  if (p10 == p90) return text + ", nearly always.";
  const auto side = [](std::int32_t days) {
    if (days == 0) return std::string("the due day");
    return days_words(days) + (days > 0 ? " late" : " early");
  };
  const bool both_late = p10 >= 0 && p90 >= 0 && p50 > 0;
  return text + ", 80 % between " +
         (both_late ? std::to_string(p10) + " and " + std::to_string(p90) : side(p10) + " and " + side(p90)) + ".";
}

}  // namespace millrace::planning
