// What columns of day numbers hold where there is no day.
#pragma once
#include <cstdint>
#include <limits>

namespace millrace::readmodel {

inline constexpr std::int32_t no_day = std::numeric_limits<std::int32_t>::min();  // a bucket of its own

}  // namespace millrace::readmodel
