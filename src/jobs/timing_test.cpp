// When schedules are due, also on the days when the clock is changed.
#include "jobs/timing.h"

#include <doctest/doctest.h>

#include "testing/world.h"

namespace millrace::jobs {
namespace {

// The next `count` moments after `from`, one line each.
std::string moments(std::string_view timing, std::string_view zone, std::string_view from, int count) {
  const auto parsed = Timing::parse(timing);
  REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error().text()));
  const auto place = Zone::find(zone);
  REQUIRE(place);
  std::string text;
  Instant at = *parse_instant(from);
  for (int i = 0; i < count; ++i) {
    const auto next = parsed->next_after(at, *place);
    if (!next) return text + "never\n";
    at = *next;
    text += rfc3339(at).substr(0, 16) + "Z\n";
  }
  return text;
}

std::string refusal(std::string_view timing) {
  const auto parsed = Timing::parse(timing);
  return parsed ? "taken" : parsed.error().text();
}

}  // namespace

TEST_CASE("a nightly job runs at the plant's hour, summer and winter") {
  CHECK(moments("30 2 * * *", "Europe/Berlin", "2026-10-23T12:00:00Z", 3) == "2026-10-24T00:30Z\n2026-10-25T00:30Z\n2026-10-26T01:30Z\n");
}

TEST_CASE("an hour that the clock leaves out is made up for once, at its end") {
  // On 29 March 2026 the clock in Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
  CHECK(moments("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3) == "2026-03-28T01:30Z\n2026-03-29T01:00Z\n2026-03-30T00:30Z\n");
  CHECK(moments("0,15,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2) == "2026-03-29T01:00Z\n2026-03-30T00:00Z\n");
}

TEST_CASE("an hour that comes twice is one turn for fixed hours and two for every hour") {
  // On 25 October 2026 02:00 to 03:00 comes twice in Berlin: from 00:00 UTC and from 01:00 UTC.
  CHECK(moments("30 2 25 10 *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2) == "2026-10-25T00:30Z\n2027-10-25T00:30Z\n");
  CHECK(moments("30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 3) == "2026-10-25T00:30Z\n2026-10-25T01:30Z\n2026-10-25T02:30Z\n");
  CHECK(moments("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:20:00Z", 3) == "2026-03-29T00:30Z\n2026-03-29T01:00Z\n2026-03-29T01:30Z\n");
}

TEST_CASE("a zone that changes its clock at midnight loses no turn") {
  // In Beirut the clock goes from 00:00 to 01:00 on 29 March 2026, which is 22:00 UTC the day before.
  CHECK(moments("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", 2) == "2026-03-28T22:00Z\n2026-03-29T21:00Z\n");
}

TEST_CASE("days, weekdays and months are those of every cron") {
  CHECK(moments("0 6 * * MON-FRI", "UTC", "2026-11-20T07:00:00Z", 2) == "2026-11-23T06:00Z\n2026-11-24T06:00Z\n");
  CHECK(moments("0 6 13 * 5", "UTC", "2026-11-01T00:00:00Z", 3) == "2026-11-06T06:00Z\n2026-11-13T06:00Z\n2026-11-20T06:00Z\n");
  CHECK(moments("0 0 29 2 *", "UTC", "2026-11-01T00:00:00Z", 2) == "2028-02-29T00:00Z\n2032-02-29T00:00Z\n");
  CHECK(moments("0 12 * * 7", "UTC", "2026-11-20T00:00:00Z", 1) == "2026-11-22T12:00Z\n");
  CHECK(moments("10-40/15 8 1 jan,jul *", "UTC", "2026-11-20T00:00:00Z", 4) == "2027-01-01T08:10Z\n2027-01-01T08:25Z\n2027-01-01T08:40Z\n2027-07-01T08:10Z\n");
}

TEST_CASE("an interval keeps its beat, and turns that were missed are one") {
  const auto timing = Timing::parse("every 15m");
  REQUIRE(timing);
  const auto due = testing::instant("2026-11-22T08:00:00Z");
  CHECK(timing->next_after(due, *Zone::find("UTC")) == testing::instant("2026-11-22T08:15:00Z"));
  CHECK(timing->taken(due, testing::instant("2026-11-22T08:00:02Z")) == due);
  CHECK(timing->taken(due, testing::instant("2026-11-22T10:20:00Z")) == testing::instant("2026-11-22T10:15:00Z"));
}

TEST_CASE("what is no schedule is refused with what would be right") {
  CHECK(refusal("0 2 * *").find("five fields") != std::string::npos);
  CHECK(refusal("60 2 * * *").find("\"60\" is no minute: write numbers from 0 to 59") != std::string::npos);
  CHECK(refusal("0 2 30 2 *").find("no month has") != std::string::npos);
  CHECK(refusal("0 2 5-1 * *").find("day of the month") != std::string::npos);
  CHECK(refusal("*/0 * * * *").find("minute") != std::string::npos);
  CHECK(refusal("every 5s").find("from 10 s") != std::string::npos);
  CHECK(refusal("every day").find("interval") != std::string::npos);
  CHECK(refusal("").find("five fields") != std::string::npos);
  CHECK(Zone::find("Europe/Bielefeld").error().code() == ErrorCode::invalid_input);
}

}  // namespace millrace::jobs
