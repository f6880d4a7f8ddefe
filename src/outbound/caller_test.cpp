#include "outbound/caller.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "outbound/internal/care.h"
#include "outbound/pace.h"

namespace millrace::outbound {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Time that passes only by waiting, and by what calls take.
class FakePace final : public Pace {
 public:
  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point{1h} + passed;
  }
  bool wait_until(std::chrono::steady_clock::time_point until) override {
    if (stopped) return false;
    waits.push_back(std::chrono::ceil<milliseconds>(until - now()));
    passed += std::max(waits.back(), milliseconds{0});
    return true;
  }

  milliseconds passed{0};
  std::vector<milliseconds> waits;
  bool stopped = false;
};

class FakeClock final : public Clock {
 public:
  FakeClock(std::string_view start, const FakePace& pace) : start_(*parse_instant(start)), pace_(pace) {}
  Instant now() const override { return start_ + pace_.passed; }

 private:
  Instant start_;
  const FakePace& pace_;
};

// An other side that answers by a rule, and everything it was asked.
class ScriptedPeer final : public Transport {
 public:
  explicit ScriptedPeer(FakePace& pace) : pace_(pace) {}
  Reply send(const Call& call) override {
    calls.push_back(call);
    times.push_back(pace_.passed);
    Reply reply = answer(call);
    pace_.passed += std::chrono::duration_cast<milliseconds>(reply.took);
    return reply;
  }
  void cancel() override {}

  std::function<Reply(const Call&)> answer;
  std::vector<Call> calls;
  std::vector<milliseconds> times;  // when each was sent

 private:
  FakePace& pace_;
};

Reply status(int code, std::string_view header = "", std::string_view value = "") {
  Reply reply;
  reply.status = code;
  reply.bytes_received = 100;
  reply.took = 10ms;
  if (!header.empty()) reply.headers.emplace_back(header, value);
  return reply;
}

Reply failure(Failure kind) {
  Reply reply;
  reply.failure = kind;
  reply.text = "it went wrong";
  reply.took = 10ms;
  return reply;
}

Call get(std::string_view path) {
  Call call;
  call.url = "https://sap:50000" + std::string(path);
  return call;
}

struct Desk {
  explicit Desk(CareOptions options = {}, std::uint64_t seed = 7, Call probe = {},
                std::string_view start = "2026-03-02T08:00:00Z")
      : clock(start, pace), peer(pace), caller(options, peer, pace, clock, seed, std::move(probe)) {
    peer.answer = [](const Call&) { return status(200); };
    set_log_level(LogLevel::error);  // thousands of breakers open here
  }
  FakePace pace;
  FakeClock clock;
  ScriptedPeer peer;
  Caller caller;
};

Call ping() { return get("/ping"); }

}  // namespace

TEST_CASE("A good answer is passed on and counted by what the call was for") {
  Desk desk;
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK(desk.caller.send(get("/Orders"), CallKind::scan).reply.status == 200);
  CHECK(desk.caller.send(get("/Orders"), CallKind::scan).reply.status == 200);
  const CallCounts counts = desk.caller.status().counts;
  CHECK(counts.of[static_cast<std::size_t>(CallKind::page)].calls == 1);
  CHECK(counts.of[static_cast<std::size_t>(CallKind::scan)].calls == 2);
  CHECK(counts.all().calls == 3);
  CHECK(counts.all().bytes == 300);
  CHECK(counts.all().time == 30ms);
  CHECK(counts.all().retries == 0);
  CHECK((counts - counts).all().calls == 0);
  CHECK(desk.pace.waits.empty());
}

TEST_CASE("A call that met a passing failure is sent again after a wait, others are not") {
  struct Row {
    Reply first;
    bool again;
  };
  const std::vector<Row> rows{
      {status(408), true},
      {status(429), true},
      {status(500), true},
      {status(502), true},
      {status(503), true},
      {status(504), true},
      {status(400), false},
      {status(401), false},
      {status(403), false},
      {status(404), false},
      {status(501), false},
      {status(302), false},
      {failure(Failure::resolve), true},
      {failure(Failure::connect), true},
      {failure(Failure::timeout), true},
      {failure(Failure::reset), true},
      {failure(Failure::tls), false},
      {failure(Failure::too_large), false},
      {failure(Failure::address_denied), false},
      {failure(Failure::protocol), false},
      {failure(Failure::cancelled), false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first.status);
    CAPTURE(word(row.first.failure));
    Desk desk;
    desk.peer.answer = [&](const Call&) { return desk.peer.calls.size() == 1 ? row.first : status(200); };
    const auto outcome = desk.caller.send(get("/Orders"), CallKind::page);
    CHECK(desk.peer.calls.size() == (row.again ? 2 : 1));
    CHECK(outcome.reply.status == (row.again ? 200 : row.first.status));
    CHECK(desk.caller.status().counts.all().retries == (row.again ? 1 : 0));
    CHECK(desk.caller.status().failures_in_a_row ==
          (outcome.reply.status == 501 || row.first.failure == Failure::tls || row.first.failure == Failure::protocol
               ? 1
               : 0));
  }
}

TEST_CASE("A call that must not be sent twice is sent once, on a connection of its own") {
  Desk desk;
  desk.peer.answer = [](const Call&) { return status(503); };
  CHECK(desk.caller.send(get("/Login"), CallKind::login, false).reply.status == 503);
  REQUIRE(desk.peer.calls.size() == 1);
  CHECK(desk.peer.calls[0].fresh_connection);
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 503);
  CHECK_FALSE(desk.peer.calls[1].fresh_connection);
}

TEST_CASE("Waits before a retry stay between nothing and base * 2^try, and below wait_max") {
  CHECK(rc::check("full jitter", [] {
    const auto base = *rc::gen::inRange(1, 2'000);
    const auto most = *rc::gen::inRange(1, 60'000);
    CareOptions options;
    options.wait_base = milliseconds(base);
    options.wait_max = milliseconds(most);
    options.tries_max = 8;
    options.failures_to_open = 0;
    Desk desk(options, *rc::gen::arbitrary<std::uint64_t>());
    desk.peer.answer = [](const Call&) { return failure(Failure::reset); };
    desk.caller.send(get("/Orders"), CallKind::page);
    RC_ASSERT(desk.pace.waits.size() == 7u);
    for (std::size_t at = 0; at < desk.pace.waits.size(); ++at) {
      RC_ASSERT(desk.pace.waits[at] >= 0ms);
      RC_ASSERT(desk.pace.waits[at] <= std::min(milliseconds(base) * (1 << at), milliseconds(most)));
    }
  }));
}

TEST_CASE("A call that met its deadline is tried once more only: then it is time to ask for less") {
  Desk desk;
  desk.peer.answer = [](const Call&) { return failure(Failure::timeout); };
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.failure == Failure::timeout);
  CHECK(desk.peer.calls.size() == 2);
}

TEST_CASE("Two callers with different seeds do not come back at the same time, the same seed repeats itself") {
  const auto waits = [](std::uint64_t seed) {
    Desk desk({}, seed);
    desk.peer.answer = [](const Call&) { return status(503); };
    desk.caller.send(get("/Orders"), CallKind::page);
    return desk.pace.waits;
  };
  CHECK(waits(1) == waits(1));
  CHECK(waits(1) != waits(2));
}

TEST_CASE("Retries never exceed their share of the calls and the allowance, whatever the other side answers") {
  CHECK(rc::check("retry budget", [] {
    CareOptions options;
    options.retry_allowance = *rc::gen::inRange(0u, 20u);
    const int share = *rc::gen::inRange(0, 60);
    options.retry_share = share / 100.0;
    options.failures_to_open = *rc::gen::element(0u, 5u, 50u);
    Desk desk(options, *rc::gen::arbitrary<std::uint64_t>());
    const auto answers =
        *rc::gen::container<std::vector<int>>(rc::gen::weightedElement<int>({{3, 200}, {2, 500}, {1, 503}, {1, 0}}));
    RC_PRE(!answers.empty());
    std::size_t next = 0;
    desk.peer.answer = [&](const Call&) {
      const int code = answers[next++ % answers.size()];
      return code == 0 ? failure(Failure::timeout) : status(code);
    };
    for (std::uint64_t call = 0; call < 200; ++call) {
      desk.caller.send(get("/Orders"), CallKind::page);
      const CallCount all = desk.caller.status().counts.all();
      const std::uint64_t first_tries = all.calls - all.retries;
      RC_ASSERT(all.retries * 100 <= first_tries * static_cast<std::uint64_t>(share) + options.retry_allowance * 100u);
      desk.pace.passed += 5s;
    }
  }));
}

TEST_CASE("A long good time pays for no storm of retries later") {
  CareOptions options;
  options.failures_to_open = 0;
  Desk desk(options);
  for (int call = 0; call < 10'000; ++call) desk.caller.send(get("/Orders"), CallKind::page);
  desk.peer.answer = [](const Call&) { return status(500); };
  for (int call = 0; call < 10; ++call) desk.caller.send(get("/Orders"), CallKind::page);
  CHECK(desk.caller.status().counts.all().retries <= options.retry_allowance + 1);
}

TEST_CASE("D1: Retry-After in seconds is obeyed before the next try") {
  Desk desk;
  desk.peer.answer = [&](const Call&) {
    return desk.peer.calls.size() == 1 ? status(429, "Retry-After", "17") : status(200);
  };
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  REQUIRE(desk.peer.times.size() == 2);
  CHECK(desk.peer.times[1] - desk.peer.times[0] >= 17s);
  CHECK(desk.peer.times[1] - desk.peer.times[0] < 18s);
}

TEST_CASE("D1: Retry-After as a date is obeyed by the clock of the other side") {
  Desk desk;
  desk.peer.answer = [&](const Call&) {
    if (desk.peer.calls.size() > 1) return status(200);
    Reply reply = status(503, "retry-after", "Mon, 02 Mar 2026 07:00:20 GMT");
    reply.headers.emplace_back("Date", "Mon, 02 Mar 2026 07:00:00 GMT");  // an hour behind ours
    return reply;
  };
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK(desk.peer.times[1] - desk.peer.times[0] >= 20s);
  CHECK(desk.peer.times[1] - desk.peer.times[0] < 21s);
}

TEST_CASE("What Retry-After says, in milliseconds") {
  const Instant now = *parse_instant("2026-03-02T08:00:00Z");
  const auto wait = [&](std::string_view text) { return internal::retry_after(status(429, "Retry-After", text), now); };
  CHECK(wait("0") == 0ms);
  CHECK(wait("120") == 120s);
  CHECK(wait("99999999999999999999") == 24h);  // nobody means that
  CHECK(wait("Mon, 02 Mar 2026 08:01:00 GMT") == 60s);
  CHECK(wait("Monday, 02-Mar-26 08:01:00 GMT") == 60s);
  CHECK(wait("Mon Mar  2 08:01:00 2026") == 60s);
  CHECK(wait("Mon, 02 Mar 2026 07:00:00 GMT") == 0ms);  // past
  CHECK_FALSE(wait("soon").has_value());
  CHECK_FALSE(wait("").has_value());
}

TEST_CASE("D1: a longer Retry-After than we wait for refuses calls until then, and says so") {
  Desk desk;
  desk.peer.answer = [](const Call&) { return status(429, "Retry-After", "3600"); };
  const auto first = desk.caller.send(get("/Orders"), CallKind::page);
  CHECK(first.reply.status == 429);
  CHECK_FALSE(first.refused_by_us);
  CHECK(desk.peer.calls.size() == 1);
  CHECK(desk.pace.waits.empty());

  const auto second = desk.caller.send(get("/Orders"), CallKind::page);
  CHECK(second.refused_by_us);
  CHECK(second.reply.failure == Failure::not_sent);
  CHECK(second.why == "sap:50000 asked us to wait: it is called again at 2026-03-02 09:00:00 UTC");
  CHECK(second.again_at == *parse_instant("2026-03-02T09:00:00.010Z"));  // the first call took 10 ms
  CHECK(desk.peer.calls.size() == 1);
  CHECK(desk.caller.status().held_until.has_value());

  desk.peer.answer = [](const Call&) { return status(200); };
  desk.pace.passed += 56min;  // now the rest is a wait we take
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK(desk.pace.passed >= 3600s);
  CHECK_FALSE(desk.caller.status().held_until.has_value());
}

TEST_CASE("D1: five failures in a row open the breaker, and nothing is sent while it is open") {
  Desk desk({}, 7, ping());
  desk.peer.answer = [](const Call&) { return status(500); };
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 500);
  CHECK(desk.peer.calls.size() == 5);
  CHECK(desk.caller.status().breaker == BreakerState::open);
  CHECK(desk.caller.status().last_failure == "sap:50000 answered 500");
  const auto refused = desk.caller.send(get("/Orders"), CallKind::page);
  CHECK(refused.refused_by_us);
  CHECK(refused.why.starts_with(
      "sap:50000 is not called for a while (sap:50000 answered 500): it is called again at 2026-03-02 08:00:"));
  REQUIRE(refused.again_at.has_value());
  CHECK(*refused.again_at == desk.caller.status().breaker_until);
  CHECK(desk.peer.calls.size() == 5);
}

TEST_CASE("D1: a half-open breaker lets exactly one probe out, and a good one closes it") {
  Desk desk({}, 7, ping());
  desk.peer.answer = [](const Call&) { return failure(Failure::connect); };
  desk.caller.send(get("/Orders"), CallKind::page);
  REQUIRE(desk.caller.status().breaker == BreakerState::open);

  desk.pace.passed += 16s;
  std::size_t before = desk.peer.calls.size();
  BreakerState during = BreakerState::closed;
  desk.peer.answer = [&](const Call&) {
    during = desk.caller.status().breaker;
    return failure(Failure::connect);
  };
  const auto outcome = desk.caller.send(get("/Orders"), CallKind::page);
  CHECK(outcome.refused_by_us);
  CHECK(during == BreakerState::half_open);
  REQUIRE(desk.peer.calls.size() == before + 1);
  CHECK(desk.peer.calls.back().url == ping().url);
  CHECK(desk.caller.status().breaker == BreakerState::open);
  CHECK(desk.caller.status().counts.of[static_cast<std::size_t>(CallKind::probe)].calls == 1);

  desk.pace.passed += 16s;
  desk.peer.answer = [](const Call&) { return status(200); };
  before = desk.peer.calls.size();
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK(desk.peer.calls.size() == before + 2);  // the probe, then the call
  CHECK(desk.caller.status().breaker == BreakerState::closed);
  CHECK(desk.caller.status().failures_in_a_row == 0);
}

TEST_CASE("Without a probe address the next call is the probe, and it is tried once") {
  Desk desk;
  desk.peer.answer = [](const Call&) { return status(503); };
  desk.caller.send(get("/Orders"), CallKind::page);
  desk.pace.passed += 16s;
  const std::size_t before = desk.peer.calls.size();
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 503);
  CHECK(desk.peer.calls.size() == before + 1);
  CHECK(desk.caller.status().breaker == BreakerState::open);
}

TEST_CASE("D1: a storm of 500s costs the other side a bounded number of calls") {
  Desk desk({}, 7, ping());
  desk.peer.answer = [](const Call&) { return status(500); };
  for (int second = 0; second < 3600; ++second) {
    desk.caller.send(get("/Orders"), CallKind::page);
    desk.pace.passed += 1s;
  }
  // Five to open the breaker, then one probe each open_for.
  CHECK(desk.peer.calls.size() <= 5 + 3700 / 15 + 1);
  CHECK(desk.caller.status().counts.all().retries == 4);
}

TEST_CASE("While the breaker is open no call leaves before open_for, whatever the failures were") {
  CHECK(rc::check("breaker", [] {
    Desk desk({}, *rc::gen::arbitrary<std::uint64_t>(), ping());
    const auto bad = *rc::gen::container<std::vector<bool>>(300, rc::gen::arbitrary<bool>());
    std::size_t next = 0;
    bool opened = false;
    milliseconds open_since{0};
    desk.peer.answer = [&](const Call&) {
      if (opened) RC_ASSERT(desk.peer.times.back() - open_since >= 15s);
      return bad[next++ % bad.size()] ? failure(Failure::reset) : status(200);
    };
    for (int call = 0; call < 100; ++call) {
      const auto outcome = desk.caller.send(get("/Orders"), CallKind::page);
      const CallerStatus now = desk.caller.status();
      RC_ASSERT(now.breaker != BreakerState::half_open);
      RC_ASSERT(outcome.refused_by_us == (outcome.reply.failure == Failure::not_sent));
      opened = now.breaker == BreakerState::open;
      if (opened)
        open_since =
            std::chrono::duration_cast<milliseconds>(*now.breaker_until - *parse_instant("2026-03-02T08:00:00Z")) - 15s;
      desk.pace.passed += milliseconds(*rc::gen::inRange(0, 8'000));
    }
  }));
}

TEST_CASE("The hour's calls are a bound; the next hour has room again") {
  CareOptions options;
  options.calls_per_hour = 3;
  Desk desk(options, 7, {}, "2026-03-02T08:59:00Z");
  for (int call = 0; call < 3; ++call) CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  const auto refused = desk.caller.send(get("/Orders"), CallKind::page);
  CHECK(refused.refused_by_us);
  CHECK(refused.why == "the 3 calls an hour are used up for sap:50000: it is called again at 2026-03-02 09:00:00 UTC");
  CHECK(refused.again_at == *parse_instant("2026-03-02T09:00:00Z"));
  CHECK(desk.caller.status().calls_this_hour == 3);
  CHECK(desk.caller.status().calls_per_hour == 3);
  CHECK(desk.peer.calls.size() == 3);
  desk.pace.passed += 1min;
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK(desk.caller.status().calls_this_hour == 1);
}

TEST_CASE("Retries count in the hour's calls") {
  CareOptions options;
  options.calls_per_hour = 2;
  Desk desk(options);
  desk.peer.answer = [](const Call&) { return status(503); };
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.status == 503);
  CHECK(desk.peer.calls.size() == 2);
}

TEST_CASE("In quiet hours their own bound holds, also over midnight, and none means none") {
  CareOptions options;
  options.quiet_from_hour = 22;
  options.quiet_until_hour = 6;
  options.quiet_calls_per_hour = 1;
  Desk late(options, 7, {}, "2026-03-02T21:59:00Z");
  for (int call = 0; call < 5; ++call) CHECK(late.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK_FALSE(late.caller.status().quiet);
  late.pace.passed += 1min;
  CHECK(late.caller.status().quiet);
  CHECK(late.caller.status().calls_per_hour == 1);
  CHECK(late.caller.send(get("/Orders"), CallKind::page).reply.status == 200);
  CHECK(late.caller.send(get("/Orders"), CallKind::page).again_at == *parse_instant("2026-03-02T23:00:00Z"));

  options.quiet_calls_per_hour = 0;
  Desk night(options, 7, {}, "2026-03-02T23:30:00Z");
  const auto refused = night.caller.send(get("/Orders"), CallKind::page);
  CHECK(refused.why == "these are the quiet hours of sap:50000: it is called again at 2026-03-03 06:00:00 UTC");
  CHECK(night.peer.calls.empty());
}

TEST_CASE("Stopping ends a wait, and the outcome says cancelled") {
  Desk desk;
  desk.peer.answer = [&](const Call&) {
    desk.pace.stopped = true;
    return status(503);
  };
  CHECK(desk.caller.send(get("/Orders"), CallKind::page).reply.failure == Failure::cancelled);
  CHECK(desk.peer.calls.size() == 1);
  CHECK(desk.caller.status().failures_in_a_row == 1);
}

TEST_CASE("A stopped wait of real time ends at once, and every later one too") {
  SteadyPace pace;
  std::thread stopper([&pace] { pace.stop(); });
  CHECK_FALSE(pace.wait_until(pace.now() + 1h));
  CHECK_FALSE(pace.wait_until(pace.now() + 1h));
  stopper.join();
  SteadyPace running;
  CHECK(running.wait_until(running.now()));
}

TEST_CASE("Calls are counted among our own metrics by kind and outcome, with the breaker's state") {
  metrics::Registry registry;
  Desk desk;
  desk.caller.count_in(registry, "sap");
  desk.caller.send(get("/Orders"), CallKind::page);
  desk.peer.answer = [](const Call&) { return failure(Failure::reset); };
  desk.caller.send(get("/Orders"), CallKind::scan);
  CHECK(registry.counter("millrace_outbound_calls_total", "page", "2xx").value() == 1);
  CHECK(registry.counter("millrace_outbound_calls_total", "scan", "reset").value() == 5);
  CHECK(registry.timing("millrace_outbound_call_seconds", "scan").count() == 5);
  CHECK(registry.gauge("millrace_outbound_breaker_state", "sap").value() == 1);
}

}  // namespace millrace::outbound
