#include "base/time.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace millrace;
using namespace std::chrono;

TEST_CASE("Days are written and read as ISO dates") {
  CHECK(iso(2026y / November / 21) == "2026-11-21");
  CHECK(iso(999y / January / 1) == "0999-01-01");
  CHECK(parse_iso_day("2026-11-21") == 2026y / November / 21);
  CHECK(parse_iso_day("2024-02-29") == 2024y / February / 29);
}

TEST_CASE("A day that the calendar does not know is refused, not bent") {
  for (const char* bad :
       {"2026-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31", "26-01-01", "2026/01/01", "2026-1-1",
        "2026-01-01 ", " 2026-01-01", "2026-01-0a", "-026-01-01", "", "20260101"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_iso_day(bad).has_value());
  }
}

TEST_CASE("Stamps are read with blank or T, with and without seconds, fraction and zone") {
  const Instant at = sys_days{2026y / November / 21} + 8h + 14min + 2s;
  CHECK(parse_instant("2026-11-21 08:14:02") == at);
  CHECK(parse_instant("2026-11-21T08:14:02Z") == at);
  CHECK(parse_instant("2026-11-21T08:14:02.125Z") == at + 125ms);
  CHECK(parse_instant("2026-11-21T08:14:02.1259999Z") == at + 125ms);
  CHECK(parse_instant("2026-11-21T08:14:02.1") == at + 100ms);
  CHECK(parse_instant("2026-11-21T10:14:02+02:00") == at);
  CHECK(parse_instant("2026-11-20T23:44:02-08:30") == at);
  CHECK(parse_instant("2026-11-21 08:14") == at - 2s);
}

TEST_CASE("A stamp that is not one is refused") {
  for (const char* bad :
       {"2026-11-21", "2026-11-21 24:00:00", "2026-11-21 08:60:00", "2026-11-21 08:14:61", "2026-11-21 08:14:02.",
        "2026-11-21 08:14:02X", "2026-11-21 08:14:02+2:00", "2026-11-21 08:14:02+02:60", "2026-11-21 08:14:02+16:00",
        "2026-02-30 08:14:02", "2026-11-21_08:14:02", "2026-11-21 08-14-02", "2026-11-21 08:14:0", "2026-11-21 08:1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_instant(bad).has_value());
  }
}

TEST_CASE("What is written is read back as the same instant") {
  CHECK(rc::check("rfc3339", [] {
    // years 0 .. 9999: what four digits can say
    const auto ms = *rc::gen::inRange<std::int64_t>(-62'167'219'200'000, 253'402'300'799'999);
    const Instant instant{milliseconds{ms}};
    RC_ASSERT(parse_instant(rfc3339(instant)) == instant);
    RC_ASSERT(parse_instant(millrace::utc_seconds(instant)) == floor<seconds>(instant));
    RC_ASSERT(iso(utc_day(instant)) == rfc3339(instant).substr(0, 10));
  }));
}

TEST_CASE("Day numbers count days since 1970 and read back") {
  CHECK(day_number(1970y / January / 1) == 0);
  CHECK(day_number(1969y / December / 31) == -1);
  CHECK(day_number(2000y / March / 1) == 11'017);
  CHECK(rc::check("day number", [] {
    const auto number = *rc::gen::inRange<std::int32_t>(-719'528, 2'932'896);
    RC_ASSERT(day_number(day_from_number(number)) == number);
    RC_ASSERT(parse_iso_day(iso(day_from_number(number))) == day_from_number(number));
  }));
}

TEST_CASE("An instant before 1970 belongs to the day it is in") {
  CHECK(utc_day(Instant{-1ms}) == 1969y / December / 31);
  CHECK(rfc3339(Instant{-1ms}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("The system clock gives an instant of this age of the world") {
  CHECK(SystemClock{}.now() > sys_days{2024y / January / 1});
}
