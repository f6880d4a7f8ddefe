// Where jobs lie in the record, and how they are named there.
#pragma once
#include <charconv>
#include <cstdint>
#include <string_view>

namespace millrace::jobs {

inline constexpr std::string_view live_space = "jobs/live";
inline constexpr std::string_view ended_space = "jobs/ended";
inline constexpr std::string_view schedule_space = "jobs/schedules";
inline constexpr std::string_view paused_space = "jobs/paused";
inline constexpr std::string_view all_kinds = "*";  // the key of a queue that is paused as a whole

// The number behind an id: 15 hexadecimal digits, milliseconds of birth and a count below them. 0: not one of ours.
inline std::uint64_t id_number(std::string_view id) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(id.data(), id.data() + id.size(), number, 16);
  return code == std::errc() && end == id.data() + id.size() ? number : 0;
}

}  // namespace millrace::jobs
