// Sums per group key and currency, kept up to date change by change: what an order contributed is subtracted,
// what it contributes now is added, so that totals cost nothing to ask.
//
// Invariants
//   * At every Snapshot the kept sums equal a recomputation from its orders (property test).
//   * An entry whose last order left is gone. Sums wrap modulo 2^64 and so come back exactly.
#pragma once
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "readmodel/blocks.h"
#include "readmodel/dictionary.h"

namespace millrace::readmodel {

// `due_day` gives the months, and the lateness on any day; `status` gives the currencies.
enum class KeptGroup : std::uint8_t { customer, item, manufacturer, salesman, status, due_day };
inline constexpr std::size_t kept_group_count = 6;

struct Sum {
  std::uint64_t orders = 0;
  std::uint64_t lines = 0;
  std::uint64_t open_orders = 0;  // with an open amount
  std::int64_t net = 0;
  std::int64_t total = 0;
  std::int64_t open_amount = 0;
  std::int64_t open_orders_amount = 0;  // of open_orders only: credits may leave an order below zero

  void add(const Sum& other);
  void subtract(const Sum& other);
  bool operator==(const Sum&) const = default;
};

struct KeptEntry {
  std::uint32_t key = 0;  // code, or day number cast to unsigned (no_day for none)
  std::uint32_t currency = 0;  // packed
  Sum sum;
};

inline constexpr std::size_t kept_block_keys = 64;
struct KeptBlock {
  std::uint64_t epoch = 0;
  std::vector<KeptEntry> entries;  // sorted by (key, currency)
  std::array<Code, kept_block_keys> names{};  // customer and item: the name the last order with this code gave
};
using KeptSpine = Blocks<KeptBlock>::Spine;

// The writer's side of one group.
class KeptSums {
 public:
  // `slot` is the key itself for codes.
  void add(std::uint32_t slot, std::uint32_t key, std::uint32_t currency, const Sum& sum, std::uint64_t epoch);
  void subtract(std::uint32_t slot, std::uint32_t key, std::uint32_t currency, const Sum& sum, std::uint64_t epoch);
  void set_name(std::uint32_t slot, Code name, std::uint64_t epoch);
  // Days are far apart and may be negative: each gets the next slot when first seen.
  std::uint32_t slot_of_day(std::int32_t day);
  std::shared_ptr<const KeptSpine> share() const { return blocks_.share(); }

 private:
  KeptEntry& entry(KeptBlock& block, std::uint32_t key, std::uint32_t currency);

  Blocks<KeptBlock> blocks_;
  std::unordered_map<std::int32_t, std::uint32_t> day_slots_;
};

}  // namespace millrace::readmodel
