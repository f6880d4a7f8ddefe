// How the values of settings are read: one rule per type of value, for the program's own settings and for those of sources.
//
// Errors of all: invalid_input; the text says what is wrong with the value and what would be right. The place (file and
// line, variable, flag) is put before it by whoever knows it.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"

namespace millrace::app {

inline constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
// Percent are counted in hundredths of one percent: 2.5% is 250.
inline constexpr std::int64_t whole_percent = 100;

// "10 s to 3600 s"; "" when the row has no bounds.
std::string bounds_text(const SettingRow& row);

std::optional<std::int64_t> whole_number(std::string_view text);
// The number behind count, bytes, duration and percent, within the row's bounds.
Result<std::int64_t> bounded_number(const SettingRow& row, const std::string& text);
// One of the row's `choices`.
Result<void> check_choice(const SettingRow& row, const std::string& text);
Result<bool> parse_flag(const std::string& text);
Result<void> check_address(const std::string& text);

// "there is no setting "listn"; did you mean listen?"
std::string unknown_name(std::string_view kind, std::string_view name, std::span<const std::string_view> known);

}  // namespace millrace::app
