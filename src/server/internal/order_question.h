// Filters of the order list as somebody may ask them: the one place where a View narrows lists, exports, totals and topics.
//
// Invariants
//   * Whose view is one salesperson's gets that filter beside his own, also in counts and sums.
//   * Whoever may not see amounts gets the columns without them, whatever columns are asked for, and can neither filter nor
//     sort by them: the order of rows would tell.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "query/orders.h"
#include "server/internal/access.h"
#include "server/internal/message.h"

namespace millrace::server {

struct OrderQuestion {
  query::OrderQuery query;
  std::optional<Problem> problem;
};
OrderQuestion read_order_question(const query::Parameters& parameters, const View& view, Day today,
                                  std::span<const std::string_view> also_known = {});

}  // namespace millrace::server
