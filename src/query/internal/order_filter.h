// The filters of a query, prepared for one Snapshot: every condition looks at one column of one chunk at a time.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "query/orders.h"
#include "readmodel/snapshot.h"

namespace millrace::query::internal {

using Mask = std::array<std::uint8_t, readmodel::chunk_rows>;  // 1 where the row still counts

// One condition in two forms that agree: for a whole chunk at once, and for one row that an index found.
struct Condition {
  std::function<void(const readmodel::OrderChunk&, Mask&)> narrow;  // clears what fails
  std::function<bool(const readmodel::OrderChunk&, std::size_t)> holds;
};

class OrderFilter {
 public:
  // The Snapshot outlives the filter.
  // Errors   invalid_input  a value that `parse_order_query` would have refused
  static Result<OrderFilter> prepare(const readmodel::Snapshot& snapshot, std::span<const Filter> filters, Day today);

  bool empty() const { return conditions_.empty(); }
  // Rows among which all passing ones are, ascending, when an index knows them; nothing: any row may pass.
  const std::optional<std::vector<readmodel::RowId>>& candidates() const { return candidates_; }
  // The rows of the chunk that are live and pass, ascending; answers how many were written to `rows`.
  std::size_t select(const readmodel::OrderChunk& chunk, std::array<std::uint16_t, readmodel::chunk_rows>& rows) const;
  bool passes(const readmodel::OrderChunk& chunk, std::size_t row) const;

  // Calls `visit(chunk index, rows)` for every chunk with passing rows, in their order.
  template <class Visit>
  void for_passing(const readmodel::Snapshot& snapshot, Visit visit) const;

 private:
  void narrow_candidates(const readmodel::Snapshot& snapshot, const std::vector<readmodel::Code>& customers);

  std::vector<Condition> conditions_;
  std::optional<std::vector<readmodel::RowId>> candidates_;
};

template <class Visit>
void OrderFilter::for_passing(const readmodel::Snapshot& snapshot, Visit visit) const {
  using readmodel::chunk_rows;
  std::array<std::uint16_t, chunk_rows> rows;
  if (!candidates_) {
    for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
      const std::size_t count = select(snapshot.chunk(c), rows);
      if (count > 0) visit(c, std::span<const std::uint16_t>(rows.data(), count));
    }
    return;
  }
  for (std::size_t at = 0; at < candidates_->size();) {
    const std::size_t c = (*candidates_)[at] / chunk_rows;
    const readmodel::OrderChunk& chunk = snapshot.chunk(c);
    std::size_t count = 0;
    for (; at < candidates_->size() && (*candidates_)[at] / chunk_rows == c; ++at) {
      const std::size_t row = (*candidates_)[at] % chunk_rows;
      if (passes(chunk, row)) rows[count++] = static_cast<std::uint16_t>(row);
    }
    if (count > 0) visit(c, std::span<const std::uint16_t>(rows.data(), count));
  }
}

// Something is open and its due date has passed.
inline bool is_late(const readmodel::OrderChunk& chunk, std::size_t row, std::int32_t today) {
  return chunk.open_amount[row] > 0 && chunk.due[row] < today && chunk.due[row] != readmodel::no_day;
}

}  // namespace millrace::query::internal
