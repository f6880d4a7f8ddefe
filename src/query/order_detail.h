// One order with its lines and where every value came from.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "feed/change.h"
#include "query/orders.h"

namespace millrace::query {

struct OrderDetail {
  feed::Sequence as_of;
  Instant as_of_time;
  OrderRow row;
  feed::OrderPut put;  // whole order, documents ([0] counts), flags
};

// Errors   not_found  no such order; the text says what to check
Result<OrderDetail> order_detail(const readmodel::Snapshot& snapshot, std::string_view number, Day today);
// What it says then; also of an order that is not the asker's to see.
Failure no_such_order(std::string_view number);

// What people wrote on an order of the list, found without the rest of it.
struct WrittenOn {
  std::uint64_t version = 0;  // 0: nobody ever wrote anything
  std::vector<feed::Overlaid> values;
};
WrittenOn written_on(const readmodel::Snapshot& snapshot, std::string_view number);

// Rejections of the snapshot, newest first.
std::vector<feed::Rejection> rejections(const readmodel::Snapshot& snapshot);

}  // namespace millrace::query
