#include "readmodel/kept_sums.h"

#include <algorithm>
#include <tuple>

namespace millrace::readmodel {
namespace {

std::int64_t wrapping_add(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}
std::int64_t wrapping_subtract(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

}  // namespace

void Sum::add(const Sum& other) {
  orders += other.orders, lines += other.lines, open_orders += other.open_orders;
  net = wrapping_add(net, other.net);
  total = wrapping_add(total, other.total);
  open_amount = wrapping_add(open_amount, other.open_amount);
  open_orders_amount = wrapping_add(open_orders_amount, other.open_orders_amount);
}
void Sum::subtract(const Sum& other) {
  orders -= other.orders, lines -= other.lines, open_orders -= other.open_orders;
  net = wrapping_subtract(net, other.net);
  total = wrapping_subtract(total, other.total);
  open_amount = wrapping_subtract(open_amount, other.open_amount);
  open_orders_amount = wrapping_subtract(open_orders_amount, other.open_orders_amount);
}

KeptEntry& KeptSums::entry(KeptBlock& block, std::uint32_t key, std::uint32_t currency) {
  const auto at = std::lower_bound(
      block.entries.begin(), block.entries.end(), std::tuple(key, currency),
      [](const KeptEntry& entry, const auto& wanted) { return std::tuple(entry.key, entry.currency) < wanted; });
  if (at != block.entries.end() && at->key == key && at->currency == currency) return *at;
  return *block.entries.insert(at, KeptEntry{key, currency, {}});
}

void KeptSums::add(std::uint32_t slot, std::uint32_t key, std::uint32_t currency, const Sum& sum, std::uint64_t epoch) {
  entry(blocks_.own(slot / kept_block_keys, epoch), key, currency).sum.add(sum);
}

void KeptSums::subtract(std::uint32_t slot, std::uint32_t key, std::uint32_t currency, const Sum& sum,
                        std::uint64_t epoch) {
  KeptBlock& block = blocks_.own(slot / kept_block_keys, epoch);
  KeptEntry& kept = entry(block, key, currency);
  kept.sum.subtract(sum);
  if (kept.sum.orders == 0) block.entries.erase(block.entries.begin() + (&kept - block.entries.data()));
}

void KeptSums::set_name(std::uint32_t slot, Code name, std::uint64_t epoch) {
  const KeptBlock* block = blocks_.find(slot / kept_block_keys);
  if (block != nullptr && block->names[slot % kept_block_keys] == name) return;
  blocks_.own(slot / kept_block_keys, epoch).names[slot % kept_block_keys] = name;
}

std::uint32_t KeptSums::slot_of_day(std::int32_t day) {
  return day_slots_.emplace(day, static_cast<std::uint32_t>(day_slots_.size())).first->second;
}

}  // namespace millrace::readmodel
