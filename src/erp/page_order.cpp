#include "erp/page_order.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace millrace::erp {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string linguistic(std::string_view text) {
  std::string folded = lower_ascii(text);
  std::erase_if(folded, [](char c) { return c == '-' || c == '\'' || c == ' '; });
  return folded;
}

// SQL Server's uniqueidentifier: the last six bytes count most, the first four least.
std::string from_the_last_group(std::string_view guid) {
  constexpr std::array<std::pair<std::size_t, std::size_t>, 5> groups{{{24, 12}, {19, 4}, {14, 4}, {9, 4}, {0, 8}}};
  std::string text;
  if (guid.size() != 36) return lower_ascii(guid);
  // Of the first three groups it compares the bytes as they lie in memory, which is from their end.
  for (const auto& [from, count] : groups) {
    const std::string group = lower_ascii(guid.substr(from, count));
    if (from >= 19) {
      text += group;
    } else {
      for (std::size_t i = group.size(); i >= 2; i -= 2) text += group.substr(i - 2, 2);
    }
  }
  return text;
}

}  // namespace

bool may_follow(const StreamDescriptor& stream, const Key& before, const Key& after) {
  if (before < after) return true;
  if (before.is_number || after.is_number) return false;
  if (stream.key_is_guid) return from_the_last_group(before.text) < from_the_last_group(after.text);
  if (!is_ascii(before.text) || !is_ascii(after.text)) return before != after;
  const std::string left = lower_ascii(before.text);
  const std::string right = lower_ascii(after.text);
  return left < right || linguistic(left) < linguistic(right);
}

}  // namespace millrace::erp
