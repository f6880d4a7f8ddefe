// What the time of an answer tells: nothing about who exists.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/log.h"
#include "people/people_test_world.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

std::chrono::nanoseconds median(std::vector<std::chrono::nanoseconds> times) {
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

TEST_CASE("The time of a refusal does not tell whether the login exists") {
  DirectoryOptions options = cheap_options();
  options.cost = {1u << 20, 1};
  options.throttle.pair_free = options.throttle.address_free = 1'000'000;
  Office office(options);
  office.add("boss", Role::admin);
  office.add("anna");
  const User bert = office.add("bert");
  REQUIRE(office.directory().create({"carl", "", "", Role::viewer, "", {}}, command_line_actor()));
  REQUIRE(office.directory().change(bert.id, {.active = false}, command_line_actor()));
  set_log_level(LogLevel::warning);
  // In turn, so that whatever else this machine does meets all of them alike.
  const std::vector<std::string> logins{"anna", "nobody", "bert", "carl"};
  double worst = 0;
  for (int round = 0; round < 3; ++round) {  // others may disturb one round, not three
    std::vector<std::vector<std::chrono::nanoseconds>> times(logins.size());
    for (int sample = 0; sample < 200; ++sample) {
      for (std::size_t i = 0; i < logins.size(); ++i) {
        const auto began = Stopwatch::now();
        const auto answer = office.sign_in(logins[i], "wrong small words");
        times[i].push_back(Stopwatch::now() - began);
        REQUIRE_FALSE(answer.entered);
      }
    }
    worst = 0;
    for (const auto& of_login : times)
      worst = std::max(worst, std::abs(static_cast<double>(median(of_login).count()) / static_cast<double>(median(times[0]).count()) - 1.0));
    if (worst < 0.10) break;
  }
  set_log_level(LogLevel::info);
  MESSAGE("medians differ by ", worst * 100, " % at most");
  CHECK(worst < 0.10);
}

TEST_CASE("A flood of sign-ins is told to come back and the person after it is in") {
  DirectoryOptions options = cheap_options();
  options.cost = {8u << 20, 2};
  options.throttle.pair_free = options.throttle.address_free = 1'000'000;
  Office office(options);
  office.add("anna");
  set_log_level(LogLevel::warning);
  constexpr int flood = 500;
  std::atomic<int> answered{0}, busy{0};
  std::promise<void> all;
  for (int i = 0; i < flood; ++i) {
    office.directory().sign_in({"anna", Secret("wrong small words"), "203.0.113." + std::to_string(i % 5), ""}, [&](Result<SignedIn> entered, std::chrono::seconds retry_after) {
      if (!entered && entered.error().code() == ErrorCode::limit_reached && retry_after > 0s) ++busy;
      if (++answered == flood) all.set_value();
    });
  }
  all.get_future().wait();
  set_log_level(LogLevel::info);
  CHECK(busy > 0);
  CHECK(office.sign_in("anna").text() == "in as anna");
}

}  // namespace
}  // namespace millrace::people
