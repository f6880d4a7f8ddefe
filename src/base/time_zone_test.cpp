#include "base/time_zone.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <filesystem>

using namespace millrace;
using namespace std::chrono_literals;

namespace {

TimeZone zone(std::string_view name) {
  auto loaded = TimeZone::load(name);
  REQUIRE(loaded);
  return *loaded;
}

std::string utc_of(const TimeZone& zone, std::string_view local) {
  const Instant as_utc = *parse_instant(local);
  return utc_seconds(zone.utc(std::chrono::local_seconds(std::chrono::floor<std::chrono::seconds>(as_utc).time_since_epoch())));
}

// 64-bit body without changes and with the rule of today, as slim zone files have it.
std::string slim(std::string_view rule) {
  const auto part = [](std::size_t types) {
    std::string bytes = "TZif2" + std::string(15, '\0') + std::string(16, '\0');
    bytes += std::string{'\0', '\0', '\0', static_cast<char>(types)} + std::string{'\0', '\0', '\0', static_cast<char>(types * 4)};
    for (std::size_t i = 0; i < types; ++i) bytes += std::string(6, '\0') + "";
    for (std::size_t i = 0; i < types; ++i) bytes += std::string("UTC\0", 4);
    return bytes;
  };
  return part(1) + part(1) + "\n" + std::string(rule) + "\n";
}

}  // namespace

TEST_CASE("a local time is UTC in winter and in summer of its zone") {
  if (!std::filesystem::exists(std::string(TimeZone::files) + "/Europe/Berlin")) return;
  const TimeZone berlin = zone("Europe/Berlin");
  CHECK(utc_of(berlin, "2026-01-15 14:05:33") == "2026-01-15 13:05:33");
  CHECK(utc_of(berlin, "2026-07-15 14:05:33") == "2026-07-15 12:05:33");
  CHECK(utc_of(berlin, "2060-07-15 14:05:33") == "2060-07-15 12:05:33");  // behind every table
  CHECK(utc_of(zone("America/Sao_Paulo"), "2026-01-15 14:00:00") == "2026-01-15 17:00:00");
  CHECK(utc_of(zone("Asia/Kolkata"), "2026-01-15 14:00:00") == "2026-01-15 08:30:00");
  CHECK(utc_of(zone("UTC"), "2026-07-15 14:05:33") == "2026-07-15 14:05:33");
}

TEST_CASE("an hour that comes twice is the first, one that never comes counts as before the change") {
  const auto berlin = TimeZone::parse(slim("CET-1CEST,M3.5.0,M10.5.0/3"));
  REQUIRE(berlin);
  CHECK(utc_of(*berlin, "2026-10-25 01:59:59") == "2026-10-24 23:59:59");
  CHECK(utc_of(*berlin, "2026-10-25 02:30:00") == "2026-10-25 00:30:00");
  CHECK(utc_of(*berlin, "2026-10-25 03:00:00") == "2026-10-25 02:00:00");
  CHECK(utc_of(*berlin, "2026-03-29 01:59:59") == "2026-03-29 00:59:59");
  CHECK(utc_of(*berlin, "2026-03-29 02:30:00") == "2026-03-29 01:30:00");
  CHECK(utc_of(*berlin, "2026-03-29 03:00:00") == "2026-03-29 01:00:00");
}

TEST_CASE("the rule of a zone file reads the spellings there are") {
  CHECK(utc_of(*TimeZone::parse(slim("<-03>3")), "2026-05-01 12:00:00") == "2026-05-01 15:00:00");
  CHECK(utc_of(*TimeZone::parse(slim("<+0530>-5:30")), "2026-05-01 12:00:00") == "2026-05-01 06:30:00");
  CHECK(utc_of(*TimeZone::parse(slim("AEST-10AEDT,M10.1.0,M4.1.0/3")), "2026-01-01 12:00:00") == "2026-01-01 01:00:00");
  CHECK(utc_of(*TimeZone::parse(slim("AEST-10AEDT,M10.1.0,M4.1.0/3")), "2026-07-01 12:00:00") == "2026-07-01 02:00:00");
  CHECK(utc_of(*TimeZone::parse(slim("EST5EDT,J60/2,300/2")), "2026-06-01 12:00:00") == "2026-06-01 16:00:00");
}

TEST_CASE("a zone that is not there is refused with what to do, a machine without a zone is at UTC") {
  const auto refused = TimeZone::load("Europe/Berlim");
  REQUIRE(!refused);
  CHECK(refused.error().text().find("Europe/Berlin") != std::string::npos);
  CHECK(TimeZone::load("../../etc/passwd").error().code() == ErrorCode::invalid_input);
  CHECK(TimeZone::load("/etc/localtime").error().code() == ErrorCode::invalid_input);
  CHECK(TimeZone::load("").has_value());
}

TEST_CASE("a damaged zone file is refused, whatever it says") {
  CHECK(TimeZone::parse("").error().code() == ErrorCode::corrupt);
  CHECK(TimeZone::parse(slim("CET-1CEST,M3.5.0")).error().code() == ErrorCode::corrupt);
  CHECK(rc::check("bytes are a zone or are refused", [] {
    std::string bytes = slim("CET-1CEST,M3.5.0,M10.5.0/3");
    const auto edits = *rc::gen::inRange(1, 6);
    for (int i = 0; i < edits; ++i) bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    const auto read = TimeZone::parse(bytes);
    if (read) static_cast<void>(utc_of(*read, "2026-10-25 02:30:00"));
  }));
}

TEST_CASE("what a zone shows of an instant leads back to it, but for the hour that comes twice") {
  const auto berlin = TimeZone::parse(slim("CET-1CEST,M3.5.0,M10.5.0/3"));
  CHECK(rc::check("there and back", [&] {
    const std::chrono::sys_seconds at{std::chrono::seconds(*rc::gen::inRange<std::int64_t>(1'600'000'000, 2'600'000'000))};
    const auto back = berlin->utc(std::chrono::local_seconds(at.time_since_epoch() + berlin->offset(at)));
    RC_ASSERT(back == at || back == at - 1h);
  }));
}
