// The number of a committed change: 1, 2, 3, ... without holes. 0 is "before everything".
#pragma once
#include <compare>
#include <cstdint>

namespace millrace::feed {

struct Sequence {
  std::uint64_t value = 0;
  auto operator<=>(const Sequence&) const = default;
  Sequence next() const { return Sequence{value + 1}; }
};

}  // namespace millrace::feed
