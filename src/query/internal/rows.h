// Rows and sums out of columns.
#pragma once
#include <array>
#include <span>
#include <vector>

#include "query/orders.h"
#include "readmodel/kept_sums.h"
#include "readmodel/order_record.h"
#include "readmodel/snapshot.h"

namespace millrace::query::internal {

// Which columns of a row are asked for.
class FieldSet {
 public:
  FieldSet() = default;
  // None named: all.
  explicit FieldSet(std::span<const OrderField> fields) {
    if (fields.empty()) return;
    bits_ = bit(OrderField::order) | bit(OrderField::currency);
    for (const OrderField field : fields) bits_ |= bit(field);
  }
  template <class... Field>
  bool has(Field... fields) const { return (bits_ & (bit(fields) | ...)) != 0; }

 private:
  static constexpr std::uint64_t bit(OrderField field) { return std::uint64_t{1} << static_cast<unsigned>(field); }
  static_assert(static_cast<std::size_t>(OrderField::own_first) + own_columns_max <= 64);
  std::uint64_t bits_ = ~std::uint64_t{0};
};

// Only the columns in `wanted` are filled in, besides order, currency and sequence.
OrderRow make_row(const readmodel::Snapshot& snapshot, readmodel::RowId row, std::int32_t today, FieldSet wanted = {});

// What people wrote into a field of the list; "" nothing.
std::string_view overlay_text(const readmodel::OrderChunk& chunk, std::size_t row, OrderField field);
std::optional<int> overlay_priority(const readmodel::OrderChunk& chunk, std::size_t row);
inline bool is_overlay(OrderField field) { return field >= OrderField::priority; }

// What orders of one currency amount to; wraps modulo 2^64 like the kept sums.
struct CurrencyTotal {
  readmodel::Sum sum;
  std::uint64_t late_orders = 0;
  std::int64_t late_amount = 0;

  // Counts a whole order.
  void add_order(const readmodel::OrderChunk& chunk, std::size_t row, std::int32_t today);
  void add(const readmodel::Sum& more) { sum.add(more); }
  void add_late(std::uint64_t orders, std::int64_t amount);
};

// One total per currency.
class CurrencySums {
 public:
  void add_order(const readmodel::OrderChunk& chunk, std::size_t row, std::int32_t today) {
    of(chunk.currency[row]).add_order(chunk, row, today);
  }
  void add(std::uint32_t currency, const readmodel::Sum& sum) { of(currency).add(sum); }
  void add(std::uint32_t currency, const CurrencyTotal& total);
  void add_late(std::uint32_t currency, std::uint64_t orders, std::int64_t amount) { of(currency).add_late(orders, amount); }
  bool empty() const { return totals_.empty(); }
  // Sorted by currency code.
  std::vector<CurrencySum> sorted() const;

 private:
  CurrencyTotal& of(std::uint32_t currency);
  static constexpr std::size_t slot_count = 32;
  std::vector<std::pair<std::uint32_t, CurrencyTotal>> totals_;
  std::array<std::uint32_t, slot_count> slots_{};  // where a currency of this slot was found last; verified
};

// Over all orders of the snapshot, from the kept sums.
CurrencySums all_sums(const readmodel::Snapshot& snapshot, std::int32_t today);

}  // namespace millrace::query::internal
