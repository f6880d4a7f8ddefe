// A zone of the tz database: what a clock on the wall of some place shows, as UTC.
//
// Invariants
//   * Read once from the system's zone files (TZif, RFC 8536), never from the environment or the C library's own zone.
//   * Local times that come twice (clocks went back) are the first of the two; those that never come (clocks went
//     forward) count with the offset before the change.
//   * Any thread may ask.
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace millrace {

class TimeZone {
 public:
  static constexpr std::string_view files = "/usr/share/zoneinfo";

  // "Europe/Berlin"; "UTC" needs no file; "" is the zone this machine is set to, UTC when it is set to none.
  // Errors   invalid_input  no such zone, with the places that were looked at; corrupt  its file makes no sense
  static Result<TimeZone> load(std::string_view name, const std::string& folder = std::string(files));
  // The bytes of one zone file. Errors   corrupt
  static Result<TimeZone> parse(std::string_view bytes);
  TimeZone() = default;  // UTC

  std::chrono::seconds offset(std::chrono::sys_seconds at) const;  // of local time, east positive
  std::chrono::sys_seconds utc(std::chrono::local_seconds local) const;

 private:
  // A day of the year and the local time at which clocks change: "M3.5.0/2", "J60", "59".
  struct ChangeDay {
    enum class Kind : std::uint8_t { month_week_day, day_without_leap, day_with_leap };
    Kind kind = Kind::month_week_day;
    int month = 1, week = 1, weekday = 0, day = 0;
    std::chrono::seconds time{7200};
  };
  // What holds behind the last change of the table.
  struct Rule {
    std::chrono::seconds standard{0}, summer{0};
    bool has_summer = false;
    ChangeDay begins, ends;
  };
  struct Change {
    std::chrono::sys_seconds at;
    std::chrono::seconds offset;
  };
  class RuleText;

  static std::chrono::local_seconds moment(const ChangeDay& day, std::chrono::year year);
  std::chrono::seconds offset_by_rule(std::chrono::sys_seconds at) const;

  std::chrono::seconds first_{0};  // before the first change
  std::vector<Change> changes_;    // ascending
  Rule rule_;
  bool has_rule_ = false;
};

}  // namespace millrace
