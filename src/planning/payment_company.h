// What all parties teach together: where new ones start, how far payments spread, what amount, terms and season do, on which
// days payments come, and how often predicted intervals held (private to payment behaviour).
//
// Everything that is costly is learned from a bounded, evenly spread sample, so that the time does not grow with history.
//
// Invariants
//   * The same cases give the same fit on any number of threads: every part of the work has its own place for its result,
//     and results are added in the order of parties.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "planning/payment_party.h"

namespace millrace::planning {

// The cases of each party, sorted by `case_before`, one behind the other.
class CaseTable {
 public:
  explicit CaseTable(std::span<const PaymentCase> cases);
  std::span<const PaymentCase> of(std::uint32_t party) const;
  std::uint32_t party_count() const { return static_cast<std::uint32_t>(begin_.size() - 1); }
  std::span<const PaymentCase> all() const { return cases_; }
  void sort(unsigned threads);

 private:
  std::vector<PaymentCase> cases_;
  std::vector<std::size_t> begin_;  // by party, and the end
};

CompanyFit fit_company(const CaseTable& table, std::int32_t as_of, unsigned threads);

// Calls work(0 .. count - 1), each once, on up to `threads` threads.
void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work);

}  // namespace millrace::planning
