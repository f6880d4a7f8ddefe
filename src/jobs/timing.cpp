#include "jobs/timing.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <span>
#include <vector>

#include "base/text.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int days_searched = 8 * 366 + 1;  // 29 February may be eight years away

struct Field {
  std::string_view name;
  unsigned least, most;
  std::span<const std::string_view> names;  // of least, least + 1, ...
};

Failure wrong(const Field& field, std::string_view text) {
  return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is no " + std::string(field.name) + ": write numbers from " + std::to_string(field.least) + " to " +
                                            std::to_string(field.most) + ", lists 1,2, ranges 1-5, steps */15 or *");
}

std::optional<unsigned> number_of(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.names.size(); ++i)
    if (equal_ignoring_case(text, field.names[i])) return field.least + static_cast<unsigned>(i);
  unsigned number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number < field.least || number > field.most) return std::nullopt;
  return number;
}

// One part of a list: "*", "5", "1-5", "*/15", "8-18/2".
template <class Set>
Result<void> add_part(const Field& field, std::string_view part, Set& set) {
  unsigned step = 1;
  const std::size_t slash = part.find('/');
  if (slash != std::string_view::npos) {
    const auto given = number_of({field.name, 1, field.most, {}}, part.substr(slash + 1));
    if (!given) return wrong(field, part);
    step = *given;
  }
  const std::string_view range = part.substr(0, slash);
  unsigned from = field.least, to = field.most;
  if (range != "*") {
    const std::size_t dash = range.find('-');
    const auto first = number_of(field, range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_of(field, range.substr(dash + 1));
    if (!first || !last || *last < *first) return wrong(field, part);
    from = *first;
    to = dash == std::string_view::npos && slash != std::string_view::npos ? field.most : *last;
  }
  for (unsigned i = from; i <= to; i += step) set.set(i % set.size());
  return {};
}

template <class Set>
Result<void> fill(const Field& field, std::string_view text, Set& set) {
  for (const std::string_view part : split(text, ','))
    if (auto added = add_part(field, part, set); !added) return added;
  return {};
}

Result<seconds> parse_interval(std::string_view text) {
  const auto refused = [&] {
    return fail(ErrorCode::invalid_input, "\"every " + printable(text) + "\" is no interval: write every 30s, 15m, 6h or 1d, from 10 s to 366 days");
  };
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (code != std::errc() || number <= 0 || number > 366 * 86400 || unit.size() != 1) return refused();
  const std::int64_t factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86400 : 0;
  const seconds interval(number * factor);
  if (interval < Timing::interval_min || interval > Timing::interval_max) return refused();
  return interval;
}

const date::time_zone& zone_of(const Zone& zone) { return *static_cast<const date::time_zone*>(zone.table()); }

// What a minute of the plant's clock is in real time: nothing, one moment or two.
void add_moments(std::vector<Instant>& moments, date::local_seconds local, const date::time_zone& zone, bool by_real_time) {
  const date::local_info info = zone.get_info(local);
  const auto at = [&](const date::sys_info& side) { return Instant(milliseconds(local.time_since_epoch() - side.offset)); };
  switch (info.result) {
    case date::local_info::unique:
      moments.push_back(at(info.first));
      break;
    case date::local_info::nonexistent:
      if (!by_real_time) moments.push_back(Instant(milliseconds(info.second.begin.time_since_epoch())));
      break;
    case date::local_info::ambiguous:
      moments.push_back(at(info.first));
      if (by_real_time) moments.push_back(at(info.second));
      break;
  }
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  try {
    return Zone(name.empty() ? date::current_zone() : date::locate_zone(std::string(name)));
  } catch (const std::exception& error) {
    if (name.empty()) return fail(ErrorCode::unavailable, std::string("the time zone of this machine is not known: ") + error.what() + "; name one in time_zone");
    return fail(ErrorCode::invalid_input, "there is no time zone \"" + printable(name) + "\"; write it as Europe/Berlin");
  }
}

std::string Zone::name() const { return zone_of(*this).name(); }

Result<Timing> Timing::parse(std::string_view text) {
  Timing timing;
  timing.text_ = trim(text);
  if (timing.text_.starts_with("every ")) {
    const auto interval = parse_interval(trim(std::string_view(timing.text_).substr(6)));
    if (!interval) return pass_on(interval);
    timing.interval_ = *interval;
    return timing;
  }
  auto cron = parse_cron(timing.text_);
  if (!cron) return pass_on(cron);
  timing.cron_ = *cron;
  const bool ever = cron->any_day || !cron->any_weekday || [&] {
    for (unsigned m = 1; m <= 12; ++m)
      for (unsigned d = 1; d <= 31; ++d)
        if (cron->months[m] && cron->days[d] && (year(2024) / month(m) / day(d)).ok()) return true;
    return false;
  }();
  if (!ever) return fail(ErrorCode::invalid_input, "\"" + printable(timing.text_) + "\" names a day that no month has");
  return timing;
}

Result<Timing::Cron> Timing::parse_cron(std::string_view text) {
  std::vector<std::string_view> fields;
  for (const std::string_view word : split(text, ' '))
    if (!trim(word).empty()) fields.push_back(trim(word));
  if (fields.size() != 5)
    return fail(ErrorCode::invalid_input, "\"" + printable(text) + "\" is no schedule: write five fields, minute hour day month weekday, such as 30 2 * * 1-5, or every 15m");
  Cron cron;
  std::bitset<7> weekdays;
  const Field minute{"minute", 0, 59, {}}, hour{"hour", 0, 23, {}}, day{"day of the month", 1, 31, {}}, month{"month", 1, 12, month_names};
  const Field weekday{"day of the week", 0, 7, weekday_names};
  if (auto done = fill(minute, fields[0], cron.minutes); !done) return pass_on(done);
  if (auto done = fill(hour, fields[1], cron.hours); !done) return pass_on(done);
  if (auto done = fill(day, fields[2], cron.days); !done) return pass_on(done);
  if (auto done = fill(month, fields[3], cron.months); !done) return pass_on(done);
  if (auto done = fill(weekday, fields[4], weekdays); !done) return pass_on(done);
  cron.weekdays = weekdays;
  cron.any_hour = fields[1].starts_with('*');
  cron.any_day = fields[2].starts_with('*');
  cron.any_weekday = fields[4].starts_with('*');
  return cron;
}

bool Timing::falls_on(Day date) const {
  if (!cron_.months[unsigned{date.month()}]) return false;
  const bool by_day = cron_.days[unsigned{date.day()}];
  const bool by_weekday = cron_.weekdays[weekday(sys_days(date)).c_encoding()];
  return cron_.any_day || cron_.any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<Instant> Timing::first_of_day(Day date, Instant after, const Zone& zone) const {
  std::vector<Instant> moments;
  const auto midnight = date::local_days(days(sys_days(date).time_since_epoch()));
  for (unsigned h = 0; h < 24; ++h) {
    if (!cron_.hours[h]) continue;
    for (unsigned m = 0; m < 60; ++m)
      if (cron_.minutes[m]) add_moments(moments, midnight + hours(h) + minutes(m), zone_of(zone), cron_.any_hour);
  }
  std::optional<Instant> first;
  for (const Instant moment : moments)
    if (moment > after && (!first || moment < *first)) first = moment;
  return first;
}

std::optional<Instant> Timing::next_after(Instant after, const Zone& zone) const {
  if (interval_) return after + *interval_;
  const auto local = zone_of(zone).to_local(floor<seconds>(after));
  // A day earlier too: the clock may have gone back over midnight.
  const sys_days today(duration_cast<days>(floor<days>(local.time_since_epoch())));
  for (int i = -1; i < days_searched; ++i) {
    const Day date(today + days(i));
    if (!falls_on(date)) continue;
    if (const auto found = first_of_day(date, after, zone)) return found;
  }
  return std::nullopt;
}

Instant Timing::taken(Instant due, Instant now) const {
  if (!interval_ || now < due) return std::max(due, now);
  return due + (now - due) / *interval_ * *interval_;
}

}  // namespace millrace::jobs
