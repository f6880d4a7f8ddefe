// Changes of orders that everybody who follows the ERP must see: each differs from what was, in a field we keep.
//
// Invariants
//   * Same seed, company and calls: the same changes.
//   * No order is changed twice before every order was changed once.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

#include "simulator/company.h"

namespace millrace::testing {

enum class WhichOrders : std::uint8_t { all, open };

class OrderChanges {
 public:
  explicit OrderChanges(std::uint64_t seed) : dice_(seed) {}

  // Changes one order, which stays open if it was; nothing when there is none. The answer stays good until it is removed.
  const simulator::Document* change(simulator::Company& company, simulator::Stamp now, simulator::Trace trace, WhichOrders which);
  // The same of this order.
  const simulator::Document* change_one(simulator::Company& company, std::int32_t key, simulator::Stamp now, simulator::Trace trace);

 private:
  void alter(simulator::Company& company, simulator::Document& order, simulator::Stamp now, simulator::Trace trace);
  simulator::Document* next(simulator::Company& company, WhichOrders which);
  void shuffle(const simulator::Company& company);

  std::mt19937_64 dice_;
  std::vector<std::int32_t> waiting_;  // keys, the last is next
  std::uint64_t references_ = 0;
};

}  // namespace millrace::testing
