// Which lines of several documents are one and the same line of an order.
#pragma once
#include <span>
#include <vector>

#include "ingest/order_join.h"

namespace millrace::ingest::internal {

struct LineRow {
  std::vector<const OrderLine*> of;   // by side; null where it has no such line
  const OrderLine* first = nullptr;  // of the side that `order` names first
};

// Lines with the same number and item are one line; of what is left, those with the same item, in their order; of what
// is then left, those with the same number. Rows stand as in the document of `order`'s first side, others behind.
std::vector<LineRow> match_lines(std::span<const JoinSide> sides, std::span<const std::size_t> order);

}  // namespace millrace::ingest::internal
