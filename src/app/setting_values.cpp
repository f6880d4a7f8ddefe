#include "app/setting_values.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.h"

namespace millrace::app {
namespace {

// A number and the unit glued or spaced behind it: "30 m" -> 30, "m".
std::optional<std::pair<std::uint64_t, std::string>> number_and_unit(std::string_view text) {
  text = trim(text);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc{} || end != text.data() + digits || digits == 0) return std::nullopt;
  return std::pair{number, lower_ascii(trim(text.substr(digits)))};
}

std::optional<std::uint64_t> times(std::uint64_t number, std::uint64_t factor) {
  if (factor != 0 && number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor)
    return std::nullopt;
  return number * factor;
}

std::string percent_text(std::int64_t hundredths) {
  std::string text = std::to_string(hundredths / whole_percent);
  if (const std::int64_t rest = hundredths % whole_percent; rest != 0)
    text += "." + std::string(rest < 10 ? "0" : "") + std::to_string(rest);
  return text + "%";
}

std::string expected_of(SettingType type) {
  switch (type) {
    case SettingType::duration:
      return "a time such as 45s, 30m, 2h or 1d";
    case SettingType::bytes:
      return "a size such as 64MiB";
    case SettingType::percent:
      return "a share such as 2% or 0.5%";
    default:
      return "a whole number";
  }
}

std::optional<std::int64_t> number_of(SettingType type, const std::string& text) {
  switch (type) {
    case SettingType::duration:
      if (const auto time = parse_duration(text)) return time->count();
      return std::nullopt;
    case SettingType::bytes:
      if (const auto bytes = parse_bytes(text)) return static_cast<std::int64_t>(*bytes);
      return std::nullopt;
    case SettingType::percent:
      return parse_percent(text);
    default:
      return whole_number(trim(text));
  }
}

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  const auto parsed = number_and_unit(text);
  if (!parsed) return std::nullopt;
  std::uint64_t factor = 0;
  const std::string& unit = parsed->second;
  if (unit.empty() || unit == "s")
    factor = 1;
  else if (unit == "m" || unit == "min")
    factor = 60;
  else if (unit == "h")
    factor = 3600;
  else if (unit == "d")
    factor = 86400;
  else
    return std::nullopt;
  const auto total = times(parsed->first, factor);
  if (!total) return std::nullopt;
  return std::chrono::seconds(*total);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const auto parsed = number_and_unit(text);
  if (!parsed) return std::nullopt;
  const std::string& unit = parsed->second;
  if (unit.empty() || unit == "b") return parsed->first;
  if (unit == "kib" || unit == "k") return times(parsed->first, 1024);
  if (unit == "mib" || unit == "m") return times(parsed->first, std::uint64_t{1} << 20);
  if (unit == "gib" || unit == "g") return times(parsed->first, std::uint64_t{1} << 30);
  if (unit == "kb") return times(parsed->first, 1000);
  if (unit == "mb") return times(parsed->first, 1'000'000);
  if (unit == "gb") return times(parsed->first, 1'000'000'000);
  return std::nullopt;
}

std::optional<std::int64_t> parse_percent(std::string_view text) {
  text = trim(text);
  if (!text.ends_with('%')) return std::nullopt;
  text = trim(text.substr(0, text.size() - 1));
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string decimals(text.substr(std::min(point + 1, text.size())));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (point == 0 || point > 3 || decimals.size() > 2 || !std::ranges::all_of(text.substr(0, point), is_digit) ||
      !std::ranges::all_of(decimals, is_digit) || (point < text.size() && decimals.empty()))
    return std::nullopt;
  decimals.resize(2, '0');
  return *whole_number(text.substr(0, point)) * whole_percent + *whole_number(decimals);
}

std::string bounds_text(const SettingRow& row) {
  if (row.most <= row.least) return "";
  const auto shown = [&](std::int64_t value) {
    if (row.type == SettingType::bytes) return std::to_string(value / mebibyte) + " MiB";
    if (row.type == SettingType::percent) return percent_text(value);
    return std::to_string(value) + (row.unit.empty() ? "" : " " + std::string(row.unit));
  };
  return shown(row.least) + " to " + shown(row.most);
}

Result<std::int64_t> bounded_number(const SettingRow& row, const std::string& text) {
  const auto number = number_of(row.type, text);
  if (!number) return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is not " + expected_of(row.type));
  if (*number < row.least || *number > row.most) {
    return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is out of bounds: " + bounds_text(row));
  }
  return *number;
}

Result<void> check_choice(const SettingRow& row, const std::string& text) {
  const auto choices = split(row.choices, '|');
  if (std::ranges::find(choices, text) != choices.end()) return {};
  std::string message = "\"" + printable(text) + "\" is not one of ";
  for (std::size_t i = 0; i < choices.size(); ++i) message += (i == 0 ? "" : ", ") + std::string(choices[i]);
  if (const auto near = closest(text, choices); !near.empty()) message += "; did you mean " + std::string(near) + "?";
  return fail(ErrorCode::invalid_input, message);
}

Result<bool> parse_flag(const std::string& text) {
  const std::string lower = lower_ascii(trim(text));
  if (lower == "true" || lower == "1" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "0" || lower == "no" || lower == "off") return false;
  return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is neither true nor false");
}

Result<void> check_address(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : whole_number(std::string_view(text).substr(colon + 1));
  if (colon == std::string::npos || colon == 0 || !port || *port < 0 || *port > 65535) {
    return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is not an address with a port, such as 127.0.0.1:8080");
  }
  return {};
}

std::string unknown_name(std::string_view kind, std::string_view name, std::span<const std::string_view> known) {
  std::string text = "there is no " + std::string(kind) + " \"" + printable(name) + "\"";
  if (const auto near = closest(name, known); !near.empty()) return text + "; did you mean " + std::string(near) + "?";
  return text + "; `millrace config show` lists them all";
}

}  // namespace millrace::app
