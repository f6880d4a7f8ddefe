// A sales order as a compact, versioned binary record: how the store keeps versions and workers answer.
//
// Invariants
//   * decode(encode(order)) == order.
//   * decode accepts any bytes: damaged or foreign ones are `corrupt`, never a crash or a huge allocation.
//   * The first byte is the format version; old versions stay readable for ever.
#pragma once
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "domain/order.h"

namespace millrace {

std::string encode(const SalesOrder& order);
// As `encode` of a copy that is filed under `status`, without the copy.
std::string encode_with_status(const SalesOrder& order, std::string_view status);
Result<SalesOrder> decode_order(std::string_view bytes);

}  // namespace millrace
