// "January" to "December".
#pragma once
#include <array>
#include <chrono>
#include <string_view>

namespace millrace {

inline constexpr std::array<std::string_view, 12> month_names = {"January", "February", "March",     "April",   "May",      "June",
                                                                 "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view month_name(std::chrono::month month) { return month_names[unsigned{month} - 1]; }

}  // namespace millrace
