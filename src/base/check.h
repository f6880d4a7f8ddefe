// `check` is for our own mistakes. It is always on, and outside input can never trigger it.
#pragma once
#include <source_location>
#include <string_view>

namespace millrace {

[[noreturn]] void check_failed(std::string_view what, std::source_location where);

inline void check(bool holds, std::string_view what,
                  std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] check_failed(what, where);
}

}  // namespace millrace
