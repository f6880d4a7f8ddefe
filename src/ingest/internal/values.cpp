#include "ingest/internal/values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace millrace::ingest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

Failure not_a_number(std::string_view text) {
  return fail(ErrorCode::invalid_input, "'" + printable(shortened(text)) + "' is not a number");
}

// Blanks and apostrophes between digits are grouping; currency signs and the percent sign say nothing about the
// value. Answers the bytes to skip at `at`, 0 when the byte belongs to the number.
std::size_t skippable(std::string_view text, std::size_t at) {
  static constexpr std::array<std::string_view, 13> marks{" ",        "\t",       "'",        "\xC2\xA0",     "\xE2\x80\x89", "\xE2\x80\xAF", "\xE2\x80\x99",
                                                          "\xE2\x82\xAC", "\xC2\xA3", "$", "%", "\xC2\xA5", "\xEF\xBB\xBF"};
  for (const std::string_view mark : marks) {
    if (text.substr(at, mark.size()) == mark) return mark.size();
  }
  return 0;
}

// "EUR 12.50", "12.50 EUR", "R$ 3": up to three letters at one end.
std::string_view without_currency_letters(std::string_view text) {
  std::size_t front = 0;
  while (front < text.size() && is_letter(text[front])) ++front;
  if (front > 0 && front <= 3) return trim(text.substr(front));
  std::size_t back = text.size();
  while (back > 0 && is_letter(text[back - 1])) --back;
  if (back < text.size() && text.size() - back <= 3 && back > 0) return trim(text.substr(0, back));
  return text;
}

bool groups_of_three(std::string_view whole, char group) {
  const std::size_t first = whole.find(group);
  if (first == std::string_view::npos) return true;
  if (first == 0 || first > 3) return false;
  std::size_t at = first;
  while (at < whole.size()) {
    if (whole[at] != group || whole.size() - at < 4) return false;
    for (std::size_t i = 1; i <= 3; ++i) {
      if (!is_digit(whole[at + i])) return false;
    }
    at += 4;
  }
  return true;
}

bool is_plain(std::string_view text) {
  const std::size_t start = !text.empty() && text.front() == '-' ? 1 : 0;
  if (start == text.size()) return false;
  bool point = false;
  for (std::size_t i = start; i < text.size(); ++i) {
    if (text[i] == '.' && !point) {
      point = true;
    } else if (!is_digit(text[i])) {
      return false;
    }
  }
  return is_digit(text.back());
}

std::optional<int> take_number(std::string_view& text, std::size_t digits_max) {
  std::size_t n = 0;
  while (n < text.size() && n <= digits_max && is_digit(text[n])) ++n;
  if (n == 0 || n > digits_max) return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + n, value);
  text.remove_prefix(n);
  return value;
}

}  // namespace

FieldValue FieldValue::of_text(std::string_view text) {
  FieldValue value;
  value.text = trim(text);
  value.kind = value.text.empty() ? Kind::empty : Kind::text;
  return value;
}
FieldValue FieldValue::of_number(Decimal number, std::string_view text) {
  FieldValue value;
  value.kind = Kind::number;
  value.number = number;
  value.text = text;
  return value;
}
FieldValue FieldValue::of_moment(Instant moment) {
  FieldValue value;
  value.kind = Kind::moment;
  value.moment = moment;
  return value;
}

std::string text_of(const FieldValue& value) {
  switch (value.kind) {
    case FieldValue::Kind::empty: return {};
    case FieldValue::Kind::text: return std::string(value.text);
    case FieldValue::Kind::number: return value.text.empty() ? shortest_text(value.number) : std::string(value.text);
    case FieldValue::Kind::moment: {
      const bool midnight = value.moment == std::chrono::floor<std::chrono::days>(value.moment);
      return midnight ? iso(utc_day(value.moment)) : utc_seconds(value.moment);
    }
  }
  return {};
}

std::string shortened(std::string_view text) {
  constexpr std::size_t bytes_max = 120;
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t end = bytes_max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

Result<Decimal> decimal_from_text(std::string_view written, char decimal_mark) {
  std::string_view text = trim(written);
  if (decimal_mark == '.' && is_plain(text)) return parse_decimal(text);
  if (text.size() > 64) return not_a_number(written);
  text = without_currency_letters(text);
  bool negative = false;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    negative = true;
    text = trim(text.substr(1, text.size() - 2));
  }
  std::string digits;
  bool blank_groups = false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_digit(text[i])) {
      digits.push_back(text[i++]);
      continue;
    }
    if (const std::size_t skip = skippable(text, i); skip != 0) {
      blank_groups = blank_groups || !digits.empty();
      i += skip;
      continue;
    }
    digits.push_back(text[i++]);
  }
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) {
    negative = negative != (digits.front() == '-');
    digits.erase(0, 1);
  } else if (!digits.empty() && digits.back() == '-') {
    negative = !negative;
    digits.pop_back();
  }
  const std::size_t mark = digits.find(decimal_mark);
  std::string whole = digits.substr(0, mark);
  const std::string fraction = mark == std::string::npos ? "" : digits.substr(mark + 1);
  const char group = decimal_mark == '.' ? ',' : '.';
  if (!groups_of_three(whole, group)) return not_a_number(written);
  std::erase(whole, group);
  const auto all_digits = [](std::string_view s) { return std::all_of(s.begin(), s.end(), is_digit); };
  if ((whole.empty() && fraction.empty()) || !all_digits(whole) || !all_digits(fraction)) return not_a_number(written);
  if (mark != std::string::npos && fraction.empty()) return not_a_number(written);
  return parse_decimal((negative ? "-" : "") + (whole.empty() ? "0" : whole) + (fraction.empty() ? "" : "." + fraction));
}

std::optional<DayParts> day_parts(std::string_view written) {
  std::string_view text = trim(written);
  DayParts parts;
  const std::size_t before = text.size();
  const auto first = take_number(text, 4);
  if (!first || text.empty()) return std::nullopt;
  parts.first = *first;
  parts.year_first = before - text.size() == 4;
  parts.separator = text.front();
  if (parts.separator != '.' && parts.separator != '/' && parts.separator != '-') return std::nullopt;
  text.remove_prefix(1);
  const auto second = take_number(text, 2);
  if (!second || text.empty() || text.front() != parts.separator) return std::nullopt;
  parts.second = *second;
  text.remove_prefix(1);
  const std::size_t left = text.size();
  const auto third = take_number(text, parts.year_first ? 2 : 4);
  if (!third) return std::nullopt;
  parts.third = *third;
  const std::size_t width = left - text.size();
  if (!parts.year_first && width != 4 && width != 2) return std::nullopt;
  parts.year_short = !parts.year_first && width == 2;
  if (!text.empty() && text.front() != ' ' && text.front() != 'T') return std::nullopt;
  parts.rest = text;
  return parts;
}

std::optional<Day> day_of(const DayParts& parts, DateOrder order) {
  int year = parts.third;
  int month = parts.second;
  int day = parts.first;
  if (parts.year_first) {
    year = parts.first;
    day = parts.third;
  } else if (order == DateOrder::mdy) {
    std::swap(month, day);
  } else if (order != DateOrder::dmy) {
    return std::nullopt;
  }
  if (parts.year_short) year += year < 70 ? 2000 : 1900;
  const Day result{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                   std::chrono::day{static_cast<unsigned>(day)}};
  if (!result.ok() || year < 1) return std::nullopt;
  return result;
}

std::optional<Day> day_from_text(std::string_view text, DateOrder order) {
  const auto parts = day_parts(text);
  if (!parts) return std::nullopt;
  if (!trim(parts->rest).empty() && !instant_from_text(text, order)) return std::nullopt;
  return day_of(*parts, order);
}

std::optional<Instant> instant_from_text(std::string_view text, DateOrder order) {
  const auto parts = day_parts(text);
  if (!parts) return std::nullopt;
  const auto day = day_of(*parts, order);
  if (!day) return std::nullopt;
  if (trim(parts->rest).empty()) return Instant(std::chrono::sys_days(*day));
  // Written as we write it ourselves: nothing to put together first.
  const std::string_view whole = trim(text);
  if (parts->year_first && parts->separator == '-' && parts->rest.data() == whole.data() + 10 && parts->rest.size() > 1 && is_digit(parts->rest[1])) {
    return parse_instant(whole);
  }
  std::string stamp = iso(*day) + " ";
  stamp += parts->rest.front() == 'T' ? parts->rest.substr(1) : trim(parts->rest);
  return parse_instant(stamp);
}

std::optional<std::chrono::seconds> time_of_day(std::string_view written) {
  std::string_view text = trim(written);
  int h = 0;
  int m = 0;
  int s = 0;
  if (text.find(':') == std::string_view::npos) {
    if (text.size() < 3 || text.size() > 6) return std::nullopt;
    const auto number = take_number(text, 6);
    if (!number || !text.empty()) return std::nullopt;
    h = *number / 10000;
    m = *number / 100 % 100;
    s = *number % 100;
    if (written.size() <= 4) {  // SAP writes hours and minutes as one number, too
      h = *number / 100;
      m = *number % 100;
      s = 0;
    }
  } else {
    const auto hour = take_number(text, 2);
    if (!hour || text.empty() || text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
    const auto minute = take_number(text, 2);
    if (!minute) return std::nullopt;
    h = *hour;
    m = *minute;
    if (!text.empty()) {
      if (text.front() != ':') return std::nullopt;
      text.remove_prefix(1);
      const auto second = take_number(text, 2);
      if (!second || !text.empty()) return std::nullopt;
      s = *second;
    }
  }
  if (h > 23 || m > 59 || s > 59) return std::nullopt;
  return std::chrono::hours(h) + std::chrono::minutes(m) + std::chrono::seconds(s);
}

Answer yes_or_no(std::string_view text) {
  static constexpr std::array<std::string_view, 10> yes{"tyes", "y", "yes", "true", "1", "ja", "j", "x", "csyes", "cscancellation"};
  static constexpr std::array<std::string_view, 7> no{"tno", "n", "no", "false", "0", "nein", "csno"};
  const std::string word = lower_ascii(trim(text));
  if (std::find(yes.begin(), yes.end(), word) != yes.end()) return Answer::yes;
  if (word.empty() || std::find(no.begin(), no.end(), word) != no.end()) return Answer::no;
  return Answer::unknown;
}

}  // namespace millrace::ingest
