#include "base/time.h"

#include <cstdio>

namespace millrace {
namespace {

using namespace std::chrono;

// Reads exactly `width` digits at `at`; -1 when there are none.
int digits(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Dates stand in every answer by the hundred: digits are put one by one, not through a format.
char* put_digits(char* to, unsigned value, int width) {
  for (int i = width; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
  return to + width;
}

std::string formatted(Instant instant, bool rfc) {
  const auto day = floor<days>(instant);
  const hh_mm_ss clock{instant - day};
  char text[iso_room + 16];
  char* to = put_iso(text, year_month_day{day});
  *to++ = rfc ? 'T' : ' ';
  to = put_digits(to, static_cast<unsigned>(clock.hours().count()), 2);
  *to++ = ':';
  to = put_digits(to, static_cast<unsigned>(clock.minutes().count()), 2);
  *to++ = ':';
  to = put_digits(to, static_cast<unsigned>(clock.seconds().count()), 2);
  if (rfc) {
    *to++ = '.';
    to = put_digits(to, static_cast<unsigned>(clock.subseconds().count()), 3);
    *to++ = 'Z';
  }
  return {text, to};
}

}  // namespace

Instant SystemClock::now() const { return floor<milliseconds>(system_clock::now()); }

char* put_iso(char* to, Day day) {
  const int year = static_cast<int>(day.year());
  if (year >= 0 && year <= 9999) {
    to = put_digits(to, static_cast<unsigned>(year), 4);
  } else {  // a year has at most five digits and a sign
    to += std::snprintf(to, iso_room, "%04d", year);
  }
  *to++ = '-';
  to = put_digits(to, static_cast<unsigned>(day.month()), 2);
  *to++ = '-';
  return put_digits(to, static_cast<unsigned>(day.day()), 2);
}

std::string iso(Day day) {
  char text[iso_room];
  return {text, put_iso(text, day)};
}

std::string rfc3339(Instant instant) { return formatted(instant, true); }
std::string utc_seconds(Instant instant) { return formatted(instant, false); }

std::optional<Day> parse_iso_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int y = digits(text, 0, 4), m = digits(text, 5, 2), d = digits(text, 8, 2);
  if (y < 0 || m < 0 || d < 0) return std::nullopt;
  const Day day{year{y}, month{static_cast<unsigned>(m)}, std::chrono::day{static_cast<unsigned>(d)}};
  if (!day.ok()) return std::nullopt;
  return day;
}

std::optional<Instant> parse_instant(std::string_view text) {
  if (text.size() < 16 || (text[10] != ' ' && text[10] != 'T')) return std::nullopt;
  const auto date = parse_iso_day(text.substr(0, 10));
  const int h = digits(text, 11, 2), m = digits(text, 14, 2);
  if (!date || h < 0 || h > 23 || m < 0 || m > 59 || text[13] != ':') return std::nullopt;
  std::size_t at = 16;
  int second = 0;
  milliseconds fraction{0};
  if (at < text.size() && text[at] == ':') {
    second = digits(text, at + 1, 2);
    if (second < 0 || second > 60) return std::nullopt;
    at += 3;
    if (at < text.size() && text[at] == '.') {
      ++at;
      int scale = 100;
      const std::size_t first = at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
        fraction += milliseconds{scale * (text[at] - '0')};
      if (at == first) return std::nullopt;
    }
  }
  minutes offset{0};
  const std::string_view zone = text.substr(at);
  if (!zone.empty() && zone != "Z") {
    const int oh = digits(zone, 1, 2), om = digits(zone, 4, 2);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || oh < 0 || om < 0 || oh > 15 || om > 59)
      return std::nullopt;
    offset = minutes{(zone[0] == '-' ? -1 : 1) * (oh * 60 + om)};
  }
  return Instant{sys_days{*date}.time_since_epoch() + hours{h} + minutes{m} + seconds{second} + fraction - offset};
}

std::int32_t day_number(Day day) { return static_cast<std::int32_t>(sys_days{day}.time_since_epoch().count()); }
Day day_from_number(std::int32_t number) { return Day{sys_days{days{number}}}; }
Day utc_day(Instant instant) { return Day{floor<days>(instant)}; }

}  // namespace millrace
