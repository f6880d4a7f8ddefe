#include "people/throttle.h"

#include <doctest/doctest.h>

#include "people/hash_desk.h"
#include "people/people_test_world.h"

namespace millrace::people {
namespace {

using namespace std::chrono_literals;

// "0 0 0 0 0 1": seconds each of so many wrong tries had to wait, the clock standing still but for the waits themselves.
std::string waits(Throttle& throttle, TurnedClock& clock, const std::string& name, const std::string& address, int tries) {
  std::string text;
  for (int i = 0; i < tries; ++i) {
    const auto wait = throttle.admit(name, address, clock.now());
    text += (text.empty() ? "" : " ") + std::to_string(wait.count() / 1000);
    if (wait.count() == 0) continue;
    clock.turn(wait);
    CHECK(throttle.admit(name, address, clock.now()).count() == 0);
  }
  return text;
}

TEST_CASE("After five wrong tries a name waits twice as long each time from that address") {
  Throttle throttle({});
  TurnedClock clock;
  CHECK(waits(throttle, clock, "anna", "192.0.2.1", 10) == "0 0 0 0 0 1 2 4 8 16");
  CHECK(waits(throttle, clock, "anna", "192.0.2.1", 8) == "32 64 128 256 512 900 900 900");
}

TEST_CASE("A name that is guessed from one address signs in from another as ever") {
  Throttle throttle({});
  TurnedClock clock;
  waits(throttle, clock, "anna", "192.0.2.1", 12);
  CHECK(throttle.admit("anna", "192.0.2.1", clock.now()) > 0ms);
  CHECK(throttle.admit("anna", "198.51.100.7", clock.now()) == 0ms);
}

TEST_CASE("An address that tries many names waits and those who signed in from there before do not") {
  Throttle throttle({});
  TurnedClock clock;
  throttle.right("bert", "192.0.2.1", clock.now());
  for (int i = 0; i < 20; ++i) CHECK(throttle.admit("name" + std::to_string(i), "192.0.2.1", clock.now()) == 0ms);
  CHECK(throttle.admit("another", "192.0.2.1", clock.now()) == 1s);
  CHECK(throttle.admit("bert", "192.0.2.1", clock.now()) == 0ms);
  clock.turn(1s);
  CHECK(throttle.admit("another", "192.0.2.1", clock.now()) == 0ms);
  CHECK(throttle.admit("another", "192.0.2.1", clock.now()) == 2s);
  clock.turn(1h);
  CHECK(throttle.admit("another", "192.0.2.1", clock.now()) == 0ms);
}

TEST_CASE("The right password ends the waiting and a refused try does not lengthen it") {
  Throttle throttle({});
  TurnedClock clock;
  for (int i = 0; i < 5; ++i) throttle.admit("anna", "192.0.2.1", clock.now());
  for (int i = 0; i < 50; ++i) CHECK(throttle.admit("anna", "192.0.2.1", clock.now()) == 1s);
  clock.turn(1s);
  CHECK(throttle.admit("anna", "192.0.2.1", clock.now()) == 0ms);
  throttle.right("anna", "192.0.2.1", clock.now());
  CHECK(waits(throttle, clock, "anna", "192.0.2.1", 6) == "0 0 0 0 0 1");
}

TEST_CASE("Tries at the same moment count before any of them is answered") {
  Throttle throttle({});
  TurnedClock clock;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += throttle.admit("anna", "192.0.2.1", clock.now()) == 0ms ? 1 : 0;
  CHECK(admitted == 5);
  throttle.withdraw("anna", "192.0.2.1");  // one of them was never looked at
  CHECK(throttle.admit("anna", "192.0.2.1", clock.now()) == 0ms);
  CHECK(throttle.admit("anna", "192.0.2.1", clock.now()) > 0ms);
}

TEST_CASE("The memory of the throttle is bounded") {
  ThrottleOptions options;
  options.entries_max = 100;
  Throttle throttle(options);
  TurnedClock clock;
  for (int i = 0; i < 5000; ++i) {
    throttle.admit("name" + std::to_string(i), "192.0.2." + std::to_string(i % 250), clock.now());
    throttle.right("right" + std::to_string(i), "192.0.2.1", clock.now());
  }
  CHECK(throttle.entries() <= 300);
}

TEST_CASE("An IPv6 guest is one address however many numbers it has") {
  CHECK(throttle_address("2001:db8:1:2::5") == throttle_address("2001:db8:1:2:aaaa:bbbb:cccc:dddd"));
  CHECK(throttle_address("2001:db8:1:2::5") != throttle_address("2001:db8:1:3::5"));
  CHECK(throttle_address("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(throttle_address("[fe80::1%eth0]") == "fe80::/64");
  CHECK(throttle_address("192.0.2.1") == "192.0.2.1");
}

TEST_CASE("A flood waits in a short queue and leaves room for other addresses") {
  HashDesk desk({1, 6, 3});
  std::promise<void> go;
  std::shared_future<void> may_go = go.get_future().share();
  std::promise<void> began;
  std::atomic<int> ran{0}, stopped{0};
  REQUIRE(desk.take("a", [&](bool) {
    began.set_value();
    may_go.wait();
    ++ran;
  }));
  began.get_future().wait();
  const auto task = [&](bool stopping) { ++(stopping ? stopped : ran); };
  std::string text;
  for (int i = 0; i < 5; ++i) text += desk.take("a", task) ? "a" : "-";
  for (int i = 0; i < 5; ++i) text += desk.take("b", task) ? "b" : "-";
  CHECK(text == "aaa--bbb--");
  const auto full = desk.take("c", task);
  REQUIRE_FALSE(full);
  CHECK(full.error().code() == ErrorCode::limit_reached);
  CHECK(desk.waiting() == 6);
  go.set_value();
  desk.stop();
  CHECK(ran + stopped == 7);  // each exactly once
  CHECK(desk.take("d", task).error().code() == ErrorCode::cancelled);
}

}  // namespace
}  // namespace millrace::people
