#include "columns/kept_total.h"

#include <algorithm>

#include "base/check.h"
#include "columns/shape.h"

namespace millrace::columns {

std::string text_of(Sum sum) {
  const bool negative = sum < 0;
  auto magnitude = negative ? 0 - static_cast<unsigned __int128>(sum) : static_cast<unsigned __int128>(sum);
  std::string text;
  do {
    text.push_back(static_cast<char>('0' + static_cast<int>(magnitude % 10)));
    magnitude /= 10;
  } while (magnitude != 0);
  if (negative) text.push_back('-');
  std::reverse(text.begin(), text.end());
  return text;
}

std::int64_t Grouping::group(std::int64_t value) const {
  const __int128 distance = static_cast<__int128>(value) - offset;
  const __int128 down = distance < 0 ? distance - (divisor - 1) : distance;
  return static_cast<std::int64_t>(down / divisor);
}

bool KeptTotal::concerns(std::size_t column) const {
  return column == question_.amount || (question_.condition && question_.condition->column == column) ||
         (question_.grouping && question_.grouping->column == column);
}

void KeptTotal::change(const RowFacts& facts, int sign) {
  if (facts.amount == absent) return;
  if (question_.condition && !question_.condition->holds(facts.condition)) return;
  std::int64_t group = 0;
  if (question_.grouping) {
    if (facts.group == absent) return;
    group = question_.grouping->group(facts.group);
  }
  auto place = std::lower_bound(groups_.begin(), groups_.end(), group,
                                [](const GroupTotal& total, std::int64_t wanted) { return total.group < wanted; });
  if (place == groups_.end() || place->group != group) {
    check(sign > 0, "a row is taken away from a group it was added to");
    place = groups_.insert(place, GroupTotal{group, 0, 0});
  }
  place->sum += sign > 0 ? Sum{facts.amount} : -Sum{facts.amount};
  place->rows += static_cast<std::uint64_t>(std::int64_t{sign});
  if (place->rows == 0) groups_.erase(place);
}

}  // namespace millrace::columns
