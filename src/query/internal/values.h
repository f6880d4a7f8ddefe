// Values of filters: what a person writes, as an interval of what a column holds.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "query/fields.h"
#include "query/orders.h"

namespace millrace::query::internal {

inline constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

struct Interval {
  std::int64_t low = lowest;  // both ends belong to it
  std::int64_t high = highest;
};

// What `none` means is "no value": it can only be asked with eq, ne and in.
bool is_none(const FieldRow& field, std::string_view value);

// `today`, `today+7`, `today-30` become days; flags become true or false. Everything else stays as it is.
std::string canonical_value(const FieldRow& field, std::string_view value, Day today);

// Of a value that is not text: one number, one day, or all milliseconds of a day.
// Errors   invalid_input  a sentence that says what would be right
Result<Interval> interval(const FieldRow& field, std::string_view canonical);

// How the column marks "no value": days and instants differ.
std::int64_t none_value(const FieldRow& field);

std::string_view word(FilterOp op);
bool is_ordering(FilterOp op);

}  // namespace millrace::query::internal
