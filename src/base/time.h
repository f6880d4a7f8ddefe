// Instants, days and the clock.
//
// Invariants
//   * An Instant is UTC with millisecond grain; a Day is a calendar day of the plant, without a zone.
//   * "Now" is a parameter or comes from a Clock; no rule reads the system time by itself.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using Day = std::chrono::year_month_day;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

// Stopwatch readings never go back when somebody sets the system time.
using Stopwatch = std::chrono::steady_clock;

std::string iso(Day day);                  // 2026-11-21
// The same at `to`, where `iso_room` bytes are free; answers where it ends.
inline constexpr std::size_t iso_room = 16;
char* put_iso(char* to, Day day);
std::string rfc3339(Instant instant);      // 2026-11-21T08:14:02.125Z
std::string utc_seconds(Instant instant);  // 2026-11-21 08:14:02, as order files write it

std::optional<Day> parse_iso_day(std::string_view text);
// "2026-11-21 08:14:02", "2026-11-21T08:14:02Z", with or without fraction; a missing zone means UTC.
std::optional<Instant> parse_instant(std::string_view text);

// Days since 1970-01-01: how columns and stores keep a Day.
std::int32_t day_number(Day day);
Day day_from_number(std::int32_t number);
Day utc_day(Instant instant);

}  // namespace millrace
