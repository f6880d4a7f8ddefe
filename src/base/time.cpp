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

std::string formatted(Instant instant, bool rfc) {
  const auto day = floor<days>(instant);
  const hh_mm_ss clock{instant - day};
  const year_month_day date{day};
  char text[40];
  const int hour = static_cast<int>(clock.hours().count());
  const int minute = static_cast<int>(clock.minutes().count());
  const int second = static_cast<int>(clock.seconds().count());
  std::snprintf(text, sizeof text, "%04d-%02u-%02u%c%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rfc ? 'T' : ' ', hour,
                minute, second);
  std::string out = text;
  if (rfc) {
    std::snprintf(text, sizeof text, ".%03dZ", static_cast<int>(clock.subseconds().count()));
    out += text;
  }
  return out;
}

}  // namespace

Instant SystemClock::now() const { return floor<milliseconds>(system_clock::now()); }

std::string iso(Day day) {
  char text[24];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
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
