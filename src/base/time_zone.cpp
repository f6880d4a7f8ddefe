#include "base/time_zone.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/text.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr std::size_t header_size = 44;
constexpr std::size_t file_max = 1 << 20;  // the largest zone file has some kilobytes
constexpr seconds offset_max = 26h;        // of any zone that ever was

Failure damaged(std::string_view what) { return fail(ErrorCode::corrupt, "the zone file is damaged: " + std::string(what) + "; install tzdata anew"); }

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80) ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

//   magic 4 | version 1 | reserved 15 | six counts of 4: UT marks, standard marks, leap seconds, changes, types, letters
struct Header {
  char version = 0;
  std::size_t utc_marks = 0, standard_marks = 0, leaps = 0, changes = 0, types = 0, letters = 0;
  std::size_t body(std::size_t time_size) const {
    return changes * (time_size + 1) + types * 6 + letters + leaps * (time_size + 4) + standard_marks + utc_marks;
  }
};

std::optional<Header> read_header(std::string_view bytes) {
  if (bytes.size() < header_size || !bytes.starts_with("TZif")) return std::nullopt;
  Header header;
  header.version = bytes[4];
  std::size_t at = 20;
  for (std::size_t* count : {&header.utc_marks, &header.standard_marks, &header.leaps, &header.changes, &header.types, &header.letters}) {
    const std::int64_t value = big_endian(bytes.substr(at, 4));
    if (value < 0 || value > static_cast<std::int64_t>(file_max)) return std::nullopt;
    *count = static_cast<std::size_t>(value);
    at += 4;
  }
  return header;
}

std::string local_zone_file() { return "/etc/localtime"; }

bool is_zone_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' || c == '+';
  };
  return !name.starts_with('/') && std::ranges::all_of(name, plain);
}

}  // namespace

// "CET-1CEST,M3.5.0,M10.5.0/3": POSIX, where west is positive.
class TimeZone::RuleText {
 public:
  explicit RuleText(std::string_view text) : rest_(text) {}
  std::optional<Rule> read() {
    Rule rule;
    skip_name();
    rule.standard = -time();
    rule.summer = rule.standard + 1h;
    if (ok_ && !rest_.empty()) {
      rule.has_summer = true;
      skip_name();
      if (!rest_.empty() && rest_.front() != ',') rule.summer = -time();
      rule.begins = day();
      rule.ends = day();
    }
    if (!ok_ || !rest_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(char wanted) { ok_ &= take(wanted); }
  void skip_name() {
    std::size_t length = 0;
    if (rest_.starts_with('<')) {
      length = rest_.find('>') == std::string_view::npos ? 0 : rest_.find('>') + 1;
    } else {
      while (length < rest_.size() && ((rest_[length] | 0x20) >= 'a' && (rest_[length] | 0x20) <= 'z')) ++length;
    }
    ok_ &= length >= 3;
    rest_.remove_prefix(length);
  }
  int number(int max) {
    int value = 0;
    ok_ &= !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
    while (ok_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      value = value * 10 + (rest_.front() - '0');
      ok_ &= value <= max;
      rest_.remove_prefix(1);
    }
    return value;
  }
  seconds time() {
    const bool negative = take('-');
    if (!negative) take('+');
    seconds value = std::chrono::hours(number(167));
    if (take(':')) value += std::chrono::minutes(number(59));
    if (take(':')) value += seconds(number(59));
    return negative ? -value : value;
  }
  ChangeDay day() {
    ChangeDay day;
    need(',');
    if (take('M')) {
      day.month = number(12);
      need('.');
      day.week = number(5);
      need('.');
      day.weekday = number(6);
      ok_ &= day.month >= 1 && day.week >= 1;
    } else {
      day.kind = take('J') ? ChangeDay::Kind::day_without_leap : ChangeDay::Kind::day_with_leap;
      day.day = number(365);
    }
    if (take('/')) day.time = time();
    return day;
  }

  std::string_view rest_;
  bool ok_ = true;
};

Result<TimeZone> TimeZone::load(std::string_view name, const std::string& folder) {
  if (name == "UTC") return TimeZone();
  if (!is_zone_name(name))
    return fail(ErrorCode::invalid_input, "'" + printable(name) + "' is no name of a time zone; write it as Europe/Berlin");
  const std::string file = name.empty() ? local_zone_file() : folder + "/" + std::string(name);
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(file, error);
  if (name.empty() && !is_file) return TimeZone();
  std::ifstream stream;
  if (is_file) stream.open(file, std::ios::binary);
  if (!is_file || !stream)
    return fail(ErrorCode::invalid_input, "there is no time zone '" + std::string(name) + "' in " + folder + "; write it as Europe/Berlin, and see that tzdata is installed");
  std::string bytes(file_max, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  auto zone = parse(bytes);
  if (!zone) return pass_on(zone, file);
  return zone;
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  auto header = read_header(bytes);
  if (!header) return damaged("it does not begin as one");
  std::size_t time_size = 4;
  bytes.remove_prefix(header_size);
  if (header->version >= '2') {
    // The first body has 32 bits; the same follows with 64.
    if (bytes.size() < header->body(time_size)) return damaged("it is cut");
    bytes.remove_prefix(header->body(time_size));
    header = read_header(bytes);
    if (!header) return damaged("its second part is missing");
    bytes.remove_prefix(header_size);
    time_size = 8;
  }
  if (bytes.size() < header->body(time_size) || header->types == 0) return damaged("it is cut");
  const std::string_view times = bytes.substr(0, header->changes * time_size);
  const std::string_view kinds = bytes.substr(times.size(), header->changes);
  const std::string_view types = bytes.substr(times.size() + kinds.size(), header->types * 6);
  TimeZone zone;
  const auto offset_of = [&](std::size_t type) { return seconds(big_endian(types.substr(type * 6, 4))); };
  for (std::size_t type = 0; type < header->types; ++type)
    if (std::chrono::abs(offset_of(type)) > offset_max) return damaged("an offset is more than a day");
  zone.first_ = offset_of(0);
  for (std::size_t i = 0; i < header->changes; ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(kinds[i]));
    if (type >= header->types) return damaged("a change has no type");
    const std::chrono::sys_seconds at{seconds(big_endian(times.substr(i * time_size, time_size)))};
    if (!zone.changes_.empty() && at <= zone.changes_.back().at) return damaged("its changes are not in order");
    zone.changes_.push_back({at, offset_of(type)});
  }
  bytes.remove_prefix(header->body(time_size));
  if (time_size == 8 && bytes.size() > 2 && bytes.front() == '\n') {
    const auto rule = RuleText(bytes.substr(1, bytes.find('\n', 1) - 1)).read();
    if (!rule) return damaged("its rule for later years cannot be read");
    zone.rule_ = *rule;
    zone.has_rule_ = true;
  }
  return zone;
}

std::chrono::local_seconds TimeZone::moment(const ChangeDay& day, std::chrono::year year) {
  using namespace std::chrono;
  switch (day.kind) {
    case ChangeDay::Kind::day_without_leap:
      // J60 is the first of March in every year.
      return local_days{year / January / 1} + days{day.day - 1 + (year.is_leap() && day.day >= 60 ? 1 : 0)} + day.time;
    case ChangeDay::Kind::day_with_leap: return local_days{year / January / 1} + days{day.day} + day.time;
    case ChangeDay::Kind::month_week_day: break;
  }
  const weekday wanted{static_cast<unsigned>(day.weekday)};
  const std::chrono::month month{static_cast<unsigned>(day.month)};
  if (day.week == 5) return local_days{year / month / wanted[last]} + day.time;
  return local_days{year / month / wanted[static_cast<unsigned>(day.week)]} + day.time;
}

seconds TimeZone::offset_by_rule(std::chrono::sys_seconds at) const {
  if (!rule_.has_summer) return rule_.standard;
  const auto date = std::chrono::floor<std::chrono::days>(at + rule_.standard);
  const auto year = std::chrono::year_month_day(date).year();
  const std::chrono::sys_seconds begins{moment(rule_.begins, year).time_since_epoch() - rule_.standard};
  const std::chrono::sys_seconds ends{moment(rule_.ends, year).time_since_epoch() - rule_.summer};
  const bool summer = begins < ends ? begins <= at && at < ends : at < ends || begins <= at;  // in the south over the new year
  return summer ? rule_.summer : rule_.standard;
}

seconds TimeZone::offset(std::chrono::sys_seconds at) const {
  if (changes_.empty() || at < changes_.front().at) return changes_.empty() && has_rule_ ? offset_by_rule(at) : first_;
  if (has_rule_ && at >= changes_.back().at) return offset_by_rule(at);
  const auto behind = std::ranges::upper_bound(changes_, at, {}, &Change::at);
  return std::prev(behind)->offset;
}

std::chrono::sys_seconds TimeZone::utc(std::chrono::local_seconds local) const {
  const std::chrono::sys_seconds as_utc{local.time_since_epoch()};
  const seconds before = offset(as_utc - offset_max);
  const seconds after = offset(as_utc + offset_max);
  for (const seconds candidate : {before, after})
    if (offset(as_utc - candidate) == candidate) return as_utc - candidate;
  return as_utc - before;
}

}  // namespace millrace
