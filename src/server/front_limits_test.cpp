// Who may ask how often, who counts as whom, and what happens when there is more to do than can be done.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <deque>
#include <thread>

#include "server/internal/admission.h"
#include "server/internal/client_address.h"
#include "server/internal/rate_limit.h"
#include "server/internal/router.h"
#include "server/test_plant.h"

namespace millrace::server {

namespace {

using namespace std::chrono_literals;

IpAddress address(const char* text) { return boost::asio::ip::make_address(text); }

const RateRow small{RateClass::sensitive, "small", 10, true};

}  // namespace

TEST_CASE("a hundred are allowed, the next is not, and a minute later it is") {
  RateLimiter limiter;
  const RateRow& row = rate_row(RateClass::sensitive);
  const auto start = Stopwatch::now();
  for (int i = 0; i < 100; ++i) {
    const RateDecision decision = limiter.take(row, "user anna", start);
    REQUIRE(decision.allowed);
    CHECK(decision.left == 99U - static_cast<unsigned>(i));
  }
  const RateDecision refused = limiter.take(row, "user anna", start);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.until == 61s);
  CHECK_FALSE(limiter.take(row, "user anna", start + 59s).allowed);
  CHECK(limiter.take(row, "user ben", start).allowed);
  CHECK(limiter.take(row, "user anna", start + 61s).allowed);
}

TEST_CASE("in no sixty seconds more than the limit is allowed, and what is refused could not have been allowed") {
  CHECK(rc::check("sliding window", [](const std::vector<std::uint16_t>& steps) {
    RateLimiter limiter;
    auto now = Stopwatch::now();
    std::deque<Stopwatch::time_point> allowed;
    for (const std::uint16_t step : steps) {
      now += std::chrono::milliseconds(step % 9000);
      while (!allowed.empty() && now - allowed.front() > 61s) allowed.pop_front();
      const RateDecision decision = limiter.take(small, "a", now);
      if (decision.allowed) {
        RC_ASSERT(static_cast<std::size_t>(std::count_if(allowed.begin(), allowed.end(), [&](auto at) { return now - at < 60s; })) < small.limit);
        allowed.push_back(now);
      } else {
        RC_ASSERT(allowed.size() >= small.limit);  // of the last 61 seconds: seconds are counted whole
        RC_ASSERT(decision.until >= 1s);
      }
    }
  }));
}

TEST_CASE("many threads at once get exactly the limit between them") {
  RateLimiter limiter;
  std::atomic<int> allowed{0};
  const auto now = Stopwatch::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k)
        if (limiter.take(rate_row(RateClass::sensitive), "one", now).allowed) allowed.fetch_add(1);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(allowed.load() == 100);
}

TEST_CASE("a flood of identities shares one count instead of memory") {
  RateLimiter limiter(160);
  const auto now = Stopwatch::now();
  int allowed = 0;
  for (int i = 0; i < 20'000; ++i) allowed += limiter.take(small, "address " + std::to_string(i), now).allowed ? 1 : 0;
  CHECK(allowed < 160 + 17 * 10);
  CHECK(limiter.take(small, "later", now + 70s).allowed);
}

TEST_CASE("a route of the sensitive class is asked a hundred times a minute, however it is spelled") {
  TestPlant plant;
  const char* spellings[] = {"/api/sensitive-endpoint", "/api/sensitive%2Dendpoint", "/%61pi/sensitive-endpoint", "/api/sensitive-endpoint?"};
  int allowed = 0, refused = 0, other = 0;
  for (int i = 0; i < 200; ++i) {
    const auto answer = ask(plant.address, i % 5 == 4 ? "HEAD" : "GET", spellings[i % 4], "X-Forwarded-For: 10.0.0." + std::to_string(i) + "\r\n");
    if (answer.status == 200) ++allowed;
    else if (answer.status == 429) ++refused;
    else ++other;
  }
  CHECK(allowed == 100);
  CHECK(refused == 100);
  CHECK(other == 0);
  for (const char* spelling : {"/API/sensitive-endpoint", "/api/sensitive-endpoint/", "//api/sensitive-endpoint", "/api%2fsensitive-endpoint"})
    CHECK(plant.get(spelling).status == 404);
  const auto told = plant.get("/api/sensitive-endpoint");
  CHECK(told.status == 429);
  CHECK(told.header("ratelimit-policy") == "\"sensitive\";q=100;w=60");
  CHECK(told.header("ratelimit").starts_with("\"sensitive\";r=0;t="));
  CHECK(std::stoi(told.header("retry-after")) >= 50);
  CHECK(plant.get("/livez").status == 200);
  CHECK(plant.get("/api/v1/orders").status == 200);
}

TEST_CASE("two hundred pipelined and parallel requests are counted like any others") {
  TestPlant plant;
  std::vector<std::unique_ptr<TestConnection>> connections;
  for (int i = 0; i < 20; ++i) {
    connections.push_back(std::make_unique<TestConnection>(plant.address));
    std::string all;
    for (int k = 0; k < 10; ++k) all += "GET /api/sensitive-endpoint HTTP/1.1\r\nHost: localhost\r\n\r\n";
    connections.back()->send(all);
  }
  int allowed = 0;
  for (const auto& connection : connections)
    for (int k = 0; k < 10; ++k) allowed += connection->read_answer().status == 200 ? 1 : 0;
  CHECK(allowed == 100);
}

TEST_CASE("only a trusted proxy is believed about its client") {
  const auto list = ProxyList::parse("127.0.0.1, 10.1.0.0/16, fd00::/8");
  REQUIRE(list.has_value());
  const auto client = [&](const char* peer, std::vector<std::string_view> forwarded) { return list->client_of(address(peer), forwarded).to_string(); };
  CHECK(client("192.0.2.7", {"198.51.100.1"}) == "192.0.2.7");
  CHECK(client("127.0.0.1", {"198.51.100.1"}) == "198.51.100.1");
  CHECK(client("127.0.0.1", {"1.1.1.1, 198.51.100.1"}) == "198.51.100.1");
  CHECK(client("127.0.0.1", {"1.1.1.1", "198.51.100.1, 10.1.2.3"}) == "198.51.100.1");
  CHECK(client("127.0.0.1", {"10.1.2.3"}) == "10.1.2.3");
  CHECK(client("127.0.0.1", {"nonsense"}) == "127.0.0.1");
  CHECK(client("127.0.0.1", {}) == "127.0.0.1");
  CHECK(client("::ffff:127.0.0.1", {"[2001:db8::1]:443"}) == "2001:db8::1");
  for (const char* wrong : {"10.0.0", "10.0.0.0/33", "10.0.0.0/x", "proxy.example"}) CHECK_FALSE(ProxyList::parse(wrong).has_value());
}

TEST_CASE("behind a trusted proxy each of its clients has a count of its own") {
  ServerOptions options;
  options.trusted_proxies = "127.0.0.1";
  TestPlant plant(options);
  const auto status = [&](const char* client) { return plant.get("/api/sensitive-endpoint", std::string("X-Forwarded-For: ") + client + "\r\n").status; };
  for (int i = 0; i < 100; ++i) CHECK(status("198.51.100.1") == 200);
  CHECK(status("198.51.100.1") == 429);
  CHECK(status("203.0.113.9, 198.51.100.1") == 429);
  CHECK(status("198.51.100.2") == 200);
}

TEST_CASE("an address counts as itself, an IPv6 client by its network") {
  CHECK(limit_key(address("192.0.2.7")) == "192.0.2.7");
  CHECK(limit_key(address("::ffff:192.0.2.7")) == "192.0.2.7");
  CHECK(limit_key(address("2001:db8:1:2:3:4:5:6")) == limit_key(address("2001:db8:1:2:ffff::1")));
  CHECK(limit_key(address("2001:db8:1:2::1")) != limit_key(address("2001:db8:1:3::1")));
  CHECK(is_loopback(address("::ffff:127.0.0.1")));
}

TEST_CASE("one address holds so many connections and no more, and gets places back") {
  ServerOptions options;
  options.connections_per_address = 3;
  TestPlant plant(options);
  {
    std::vector<std::unique_ptr<TestConnection>> held;
    for (int i = 0; i < 3; ++i) {
      held.push_back(std::make_unique<TestConnection>(plant.address));
      held.back()->send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
      CHECK(held.back()->read_answer().status == 200);
    }
    TestConnection extra(plant.address);
    const auto answer = extra.read_answer();
    CHECK(answer.status == 429);
    CHECK(answer.header("retry-after") == "1");
    CHECK(extra.closed_by_server());
  }
  int status = 429;
  for (int tries = 0; tries < 1000 && status != 200; ++tries) status = plant.get("/livez").status;
  CHECK(status == 200);
}

namespace {

// A thread that can do one piece of work per millisecond, and gets `load` of them.
struct Simulation {
  Admission admission;
  Stopwatch::time_point now = Stopwatch::now();
  double backlog = 0;  // milliseconds
  int admitted = 0, refused = 0;
  double worst = 0;  // wait of an admitted request

  void run(std::chrono::milliseconds time, double load) {
    admitted = refused = 0;
    worst = 0;
    for (int i = 0; i < time.count(); ++i) {
      now += 1ms;
      admission.sample(std::chrono::microseconds(static_cast<int>(backlog * 1000)), now);
      for (double arriving = load; arriving > 0; arriving -= 1) {
        const double piece = std::min(arriving, 1.0);
        if (admission.admit(now)) {
          worst = std::max(worst, backlog);
          backlog += piece;
          ++admitted;
        } else {
          backlog += 0.1 * piece;  // to refuse costs something too
          ++refused;
        }
      }
      backlog = std::max(0.0, backlog - 1);
    }
  }
};

}  // namespace

TEST_CASE("below its capacity nothing is refused") {
  Simulation thread;
  thread.run(5s, 0.8);
  CHECK(thread.refused == 0);
}

TEST_CASE("at twice the capacity those who are let in wait little, and when it is over all are let in within two seconds") {
  Simulation thread;
  thread.run(2s, 2.0);
  thread.run(5s, 2.0);
  CHECK(thread.admitted > 4000);  // of 5000 that could be done beside the refusing
  CHECK(thread.refused > 3000);
  CHECK(thread.worst < 40);
  thread.run(2s, 0.5);
  thread.run(1s, 0.5);
  CHECK(thread.refused == 0);
}

TEST_CASE("one long piece of work is no overload, a quarter of a second of waiting is") {
  Admission admission;
  const auto now = Stopwatch::now();
  admission.sample(1ms, now);
  admission.sample(100ms, now + 10ms);
  CHECK(admission.admit(now + 11ms));
  admission.sample(300ms, now + 20ms);
  CHECK(admission.admit(now + 21ms));
  admission.sample(300ms, now + 5s);  // after a rest
  CHECK(admission.admit(now + 5001ms));
  admission.sample(300ms, now + 5200ms);
  admission.sample(300ms, now + 5400ms);
  CHECK_FALSE(admission.admit(now + 5401ms));
  CHECK(admission.admit(now + 8s));
}

}  // namespace millrace::server
