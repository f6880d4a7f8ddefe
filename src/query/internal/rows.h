// Rows and sums out of columns.
#pragma once
#include <vector>

#include "query/orders.h"
#include "readmodel/kept_sums.h"
#include "readmodel/snapshot.h"

namespace millrace::query::internal {

OrderRow make_row(const readmodel::Snapshot& snapshot, readmodel::RowId row, std::int32_t today);

// One sum per currency; wraps modulo 2^64 like the kept sums.
class CurrencySums {
 public:
  // Counts a whole order.
  void add_order(const readmodel::OrderChunk& chunk, std::size_t row, std::int32_t today);
  void add(std::uint32_t currency, const readmodel::Sum& sum);
  void add_late(std::uint32_t currency, std::uint64_t orders, std::int64_t amount);
  void add(const CurrencySums& other);
  bool empty() const { return sums_.empty(); }
  // Sorted by currency code.
  std::vector<CurrencySum> sorted() const;

 private:
  struct Entry {
    std::uint32_t currency = 0;
    readmodel::Sum sum;
    std::uint64_t late_orders = 0;
    std::int64_t late_amount = 0;
  };
  Entry& of(std::uint32_t currency);
  std::vector<Entry> sums_;
  std::size_t latest_ = 0;  // where `of` found its currency last
};

// Over all orders of the snapshot, from the kept sums.
CurrencySums all_sums(const readmodel::Snapshot& snapshot, std::int32_t today);

}  // namespace millrace::query::internal
