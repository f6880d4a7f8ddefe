// Parts of a day number that payment behaviour asks for millions of times (private to payment behaviour).
#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace::planning {

inline std::size_t weekday_of(std::int32_t day) {  // Sunday 0
  const std::int32_t rest = (day + 4) % 7;         // 1970-01-01 was a Thursday
  return static_cast<std::size_t>(rest < 0 ? rest + 7 : rest);
}
std::size_t month_of(std::int32_t day);      // January 0
std::size_t month_day_of(std::int32_t day);  // the first 0
// Of a leap year, so that a date has the same number every year; the first of January 0.
std::size_t year_day_of(std::int32_t day);

// weekday_of and month_day_of of days in a row.
class DayWalk {
 public:
  explicit DayWalk(std::int32_t day);
  std::size_t weekday() const { return weekday_; }
  std::size_t month_day() const { return month_day_; }
  void next() {
    weekday_ = weekday_ == 6 ? 0 : weekday_ + 1;
    ++day_;
    month_day_ = month_day_ < 27 ? month_day_ + 1 : month_day_of(day_);
  }

 private:
  std::int32_t day_;
  std::size_t weekday_, month_day_;
};

}  // namespace millrace::planning
