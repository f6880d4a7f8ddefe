// The door: health is told in time whatever the threads that answer have to do, and a connection goes through it whole.
#include <doctest/doctest.h>

#include <condition_variable>
#include <thread>

#include "server/test_plant.h"

namespace millrace::server {

namespace {

constexpr std::string_view livez = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view order = "GET /api/v1/orders/43659 HTTP/1.1\r\nHost: localhost\r\n\r\n";

// While `held`, nothing that needs the data is answered: the threads stand still.
struct BusyPlant : TestPlant {
  BusyPlant() : TestPlant({}, nullptr) { start_on({}); }
  ~BusyPlant() override { let_go(); }
  Services services() override {
    Services all = TestPlant::services();
    all.snapshot = [this] {
      std::unique_lock lock(gate_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !held_; });
      --waiting_;
      return snapshot;
    };
    return all;
  }
  void hold() {
    const std::lock_guard lock(gate_);
    held_ = true;
  }
  void let_go() {
    const std::lock_guard lock(gate_);
    held_ = false;
    changed_.notify_all();
  }
  bool wait_for_busy(int threads) {
    std::unique_lock lock(gate_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return waiting_ >= threads; });
  }

 private:
  std::mutex gate_;
  std::condition_variable changed_;
  bool held_ = false;
  int waiting_ = 0;
};

}  // namespace

TEST_CASE("health is answered while every thread that answers stands still") {
  BusyPlant plant;
  plant.hold();
  TestConnection first(plant.address), second(plant.address);
  first.send(order);
  second.send(order);
  REQUIRE(plant.wait_for_busy(2));
  for (int i = 0; i < 3; ++i) {
    CHECK(plant.get("/livez").body == "ok\n");
    CHECK(plant.get("/readyz?verbose").status == 200);
  }
  TestConnection slow(plant.address);  // half a head stands in nobody's way
  slow.send("GET /livez HT");
  CHECK(plant.get("/livez").status == 200);
  plant.let_go();
  CHECK(first.read_answer().status == 200);
  CHECK(second.read_answer().status == 200);
  slow.send("TP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(slow.read_answer().status == 200);
}

TEST_CASE("requests that came together are answered in their order on both sides of the door") {
  TestPlant plant;
  TestConnection connection(plant.address);
  std::string sent(livez);
  sent.append(livez).append(order).append(livez).append("POST /api/v1/so-export-csv?limit=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  sent.append(order);
  connection.send(sent);
  CHECK(connection.read_answer().body == "ok\n");
  CHECK(connection.read_answer().body == "ok\n");
  CHECK(connection.read_answer().body.find("43659") != std::string::npos);
  CHECK(connection.read_answer().body == "ok\n");
  CHECK(connection.read_answer().status >= 200);
  CHECK(connection.read_answer().body.find("43659") != std::string::npos);
  connection.send(livez);
  CHECK(connection.read_answer().body == "ok\n");
}

TEST_CASE("a head that comes byte by byte, with a body behind it, goes through the door whole") {
  TestPlant plant;
  TestConnection connection(plant.address);
  const std::string request =
      "POST /api/v1/ingest/shop/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: one\r\nContent-Length: 2\r\n\r\n[]";
  for (const char one : request) connection.send(std::string_view(&one, 1));
  const TestAnswer answer = connection.read_answer();
  CHECK(answer.status == 202);
}

}  // namespace millrace::server
