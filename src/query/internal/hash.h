// What makes two questions the same list: their filters in any order and their sort.
#pragma once
#include <cstdint>

#include "query/orders.h"

namespace millrace::query::internal {
std::uint64_t filter_hash(const OrderQuery& query);
}
