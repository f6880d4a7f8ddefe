// The filters of a query, prepared for one Snapshot: every condition looks at one column of one chunk at a time.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "query/orders.h"
#include "readmodel/snapshot.h"

namespace millrace::query::internal {

using Mask = std::array<std::uint8_t, readmodel::chunk_rows>;  // 1 where the row still counts
using Condition = std::function<void(const readmodel::OrderChunk&, Mask&)>;

class OrderFilter {
 public:
  // The Snapshot outlives the filter.
  // Errors   invalid_input  a value that `parse_order_query` would have refused
  static Result<OrderFilter> prepare(const readmodel::Snapshot& snapshot, std::span<const Filter> filters, Day today);

  bool empty() const { return conditions_.empty(); }
  // The rows of the chunk that are live and pass, ascending; answers how many were written to `rows`.
  std::size_t select(const readmodel::OrderChunk& chunk, std::array<std::uint16_t, readmodel::chunk_rows>& rows) const;
  bool passes(const readmodel::OrderChunk& chunk, std::size_t row) const;

 private:
  std::vector<Condition> conditions_;
};

// Something is open and its due date has passed.
inline bool is_late(const readmodel::OrderChunk& chunk, std::size_t row, std::int32_t today) {
  return chunk.open_amount[row] > 0 && chunk.due[row] < today && chunk.due[row] != readmodel::no_day;
}

}  // namespace millrace::query::internal
