// When a schedule is due: a cron line in the plant's time zone, or an interval.
//
//   "30 2 * * 1-5"   minute hour day-of-month month day-of-week (0 and 7 are Sunday); * , - / and names JAN..DEC, SUN..SAT
//   "every 15m"      s, m, h or d; counted from when the schedule was made or last due
//
// Invariants
//   * When both day-of-month and day-of-week are given, either of them is enough, as in every cron.
//   * Where the clock goes forward a line with fixed hours that fell into the gap is due once, at the end of the gap.
//   * Where the clock goes back a line with fixed hours is due once, at the first of the two; one with `*` for the hour
//     goes on by real time and is due in both.
#pragma once
#include <bitset>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace millrace::jobs {

// A zone of the system's table, such as "Europe/Berlin". Cheap to copy.
class Zone {
 public:
  // "" is the zone of this machine.
  // Errors   invalid_input  no such zone
  //          unavailable    the system has no table of zones
  static Result<Zone> find(std::string_view name);
  std::string name() const;
  const void* table() const { return zone_; }  // of the zone library; lives as long as the program

 private:
  explicit Zone(const void* zone) : zone_(zone) {}
  const void* zone_;
};

class Timing {
 public:
  // Errors   invalid_input  the text says which field, and what would be right
  static Result<Timing> parse(std::string_view text);

  const std::string& text() const { return text_; }
  // The first moment after `after`; nothing when there is none within eight years.
  std::optional<Instant> next_after(Instant after, const Zone& zone) const;
  // As a turn that was due at `due` and is taken at `now` leaves it: what was missed in between was one turn.
  Instant taken(Instant due, Instant now) const;

  static constexpr std::chrono::seconds interval_min{10};
  static constexpr std::chrono::days interval_max{366};

 private:
  struct Cron {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;      // 1..31
    std::bitset<13> months;    // 1..12
    std::bitset<7> weekdays;   // 0 is Sunday
    bool any_hour = false;     // by real time
    bool any_day = false, any_weekday = false;
  };
  static Result<Cron> parse_cron(std::string_view text);
  bool falls_on(Day day) const;
  std::optional<Instant> first_of_day(Day day, Instant after, const Zone& zone) const;

  std::string text_;
  std::optional<std::chrono::seconds> interval_;  // else cron_
  Cron cron_;
};

}  // namespace millrace::jobs
