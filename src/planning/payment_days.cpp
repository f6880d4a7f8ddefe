#include "planning/payment_days.h"

#include <array>
#include <chrono>
#include <vector>

#include "base/time.h"

namespace millrace::planning {
namespace {

struct MonthAndDay {
  std::uint8_t month, day;
};

MonthAndDay computed(std::int32_t number) {
  const Day day = day_from_number(number);
  return {static_cast<std::uint8_t>(static_cast<unsigned>(day.month()) - 1),
          static_cast<std::uint8_t>(static_cast<unsigned>(day.day()) - 1)};
}

// Working a date out costs more than all else that is done with it; business happens within these years.
constexpr std::int32_t table_from = 7305, table_to = 32872;  // 1990 to 2059

MonthAndDay looked_up(std::int32_t number) {
  static const std::vector<MonthAndDay> table = [] {
    std::vector<MonthAndDay> days;
    days.reserve(static_cast<std::size_t>(table_to - table_from));
    for (std::int32_t day = table_from; day < table_to; ++day) days.push_back(computed(day));
    return days;
  }();
  if (number < table_from || number >= table_to) return computed(number);
  return table[static_cast<std::size_t>(number - table_from)];
}

}  // namespace

std::size_t month_of(std::int32_t day) { return looked_up(day).month; }
std::size_t month_day_of(std::int32_t day) { return looked_up(day).day; }
std::size_t year_day_of(std::int32_t day) {
  constexpr std::array<std::size_t, 12> before = {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335};
  const MonthAndDay date = looked_up(day);
  return before[date.month] + date.day;
}

DayWalk::DayWalk(std::int32_t day) : day_(day), weekday_(weekday_of(day)), month_day_(month_day_of(day)) {}

}  // namespace millrace::planning
