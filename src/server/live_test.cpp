// Live deltas: what a screen is told after each commit, and what a client that does not keep up is told.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "server/test_plant.h"

namespace millrace::server {

namespace {

boost::json::value parsed(const std::string& text) {
  boost::system::error_code error;
  auto value = boost::json::parse(text, error);
  REQUIRE_MESSAGE(!error, text);
  return value;
}

}  // namespace

TEST_CASE("a screen of open orders hears what matches now and what does not any more") {
  TestPlant plant;
  TestConnection screen(plant.address);
  const auto agreed = screen.upgrade("Origin: http://" + plant.address + "\r\n");
  REQUIRE(agreed.status == 101);
  CHECK(agreed.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto hello = parsed(screen.read_text_with("hello"));
  CHECK(hello.at("as_of").as_int64() == 4);
  CHECK(hello.at("company").as_string() == "Plant Nord");
  screen.send_text(R"({"op":"sub","id":"o","topic":"orders?status=Open&sort=-due"})");
  CHECK(parsed(screen.read_text_with("subscribed")).at("as_of").as_int64() == 4);

  plant.world.sales_order("43660").status("Shipped");
  plant.world.sales_order("43659").customer("C1", "ACME GmbH");
  plant.commit();
  const auto delta = parsed(screen.read_text_with("delta"));
  CHECK(delta.at("id").as_string() == "o");
  CHECK(delta.at("from").as_int64() == 4);
  CHECK(delta.at("as_of").as_int64() == 6);
  CHECK(delta.at("total").as_int64() == 1);
  REQUIRE(delta.at("rows").as_array().size() == 1);
  CHECK(delta.at("rows").at(0).at("customer_name").as_string() == "ACME GmbH");
  CHECK(delta.at("gone").at(0).as_string() == "43660");

  plant.world.remove("43659");
  plant.commit();
  const auto removed = parsed(screen.read_text_with("delta"));
  CHECK(removed.at("gone").at(0).as_string() == "43659");
  CHECK(removed.at("total").as_int64() == 0);
}

TEST_CASE("each topic tells its own part of a commit") {
  TestPlant plant;
  TestConnection screen(plant.address);
  REQUIRE(screen.upgrade().status == 101);
  for (const char* topic : {"changes", "rejections", "totals", "sources"})
    screen.send_text(std::string(R"({"op":"sub","id":")") + topic + R"(","topic":")" + topic + "\"}");
  CHECK(parsed(screen.read_text_with("\"sources\":[")).at("sources").at(0).at("id").as_string() == "orders");
  plant.world.sales_order("43660").status("In Production");
  plant.world.solve_rejection(7);
  plant.commit();
  const auto changes = parsed(screen.read_text_with("\"changes\":["));
  CHECK(changes.at("changes").at(0).at("kind").as_string() == "status_changed");
  CHECK(changes.at("changes").at(0).at("fields").at(0).at("before").as_string() == "Open");
  CHECK(changes.at("changes").at(1).at("kind").as_string() == "rejection_solved");
}

TEST_CASE("the removed rejection and the new sums are told by number") {
  TestPlant plant;
  TestConnection screen(plant.address);
  REQUIRE(screen.upgrade().status == 101);
  screen.send_text(R"({"op":"sub","id":"r","topic":"rejections"})");
  screen.read_text_with("subscribed");
  screen.send_text(R"({"op":"sub","id":"t","topic":"totals"})");
  screen.read_text_with("subscribed");
  plant.world.solve_rejection(7);
  plant.commit();
  CHECK(parsed(screen.read_text_with("\"removed\":[")).at("removed").at(0).as_int64() == 7);
  CHECK(parsed(screen.read_text_with("\"sums\":[")).at("sums").as_array().size() == 2);
}

TEST_CASE("a client that was away hears exactly what it missed") {
  TestPlant plant;
  plant.world.sales_order("43660").status("In Production");
  plant.commit();
  plant.world.sales_order("43660").status("Shipped");
  plant.commit();
  TestConnection screen(plant.address);
  REQUIRE(screen.upgrade().status == 101);
  screen.read_text_with("\"as_of\":6");
  screen.send_text(R"({"op":"sub","id":"c","topic":"changes","since":4})");
  const auto delta = parsed(screen.read_text_with("delta"));
  CHECK(delta.at("changes").as_array().size() == 2);
  screen.send_text(R"({"op":"sub","id":"o","topic":"orders","since":5})");
  CHECK(parsed(screen.read_text_with("\"rows\"")).at("rows").as_array().size() == 1);
}

TEST_CASE("what is older than what is kept, or from a future, asks for a fresh page") {
  TestPlant plant;
  TestConnection screen(plant.address);
  REQUIRE(screen.upgrade().status == 101);
  screen.send_text(R"({"op":"sub","id":"old","topic":"orders","since":1})");
  CHECK(parsed(screen.read_text_with("resync")).at("id").as_string() == "old");
  screen.send_text(R"({"op":"sub","id":"future","topic":"orders","since":4000})");
  CHECK(parsed(screen.read_text_with("resync")).at("id").as_string() == "future");
}

TEST_CASE("a commit of thousands of orders asks for a fresh page instead of telling each") {
  TestPlant plant;
  TestConnection screen(plant.address);
  REQUIRE(screen.upgrade().status == 101);
  screen.send_text(R"({"op":"sub","id":"o","topic":"orders"})");
  screen.read_text_with("subscribed");
  for (int i = 0; i < 1500; ++i)
    plant.world.sales_order("9" + std::to_string(i)).status("Open").customer("C1", "ACME").line("1", "EUR 1.00");
  plant.commit();
  CHECK(parsed(screen.read_text_with("resync")).at("as_of").as_int64() == 1504);
}

TEST_CASE("a slow client gets merged deltas that leave nothing out, and others are not held up") {
  TestPlant plant;
  TestConnection slow(plant.address, 4096);
  REQUIRE(slow.upgrade().status == 101);
  slow.send_text(R"({"op":"sub","id":"c","topic":"changes"})");
  slow.read_text_with("subscribed");
  TestConnection fast(plant.address);
  REQUIRE(fast.upgrade().status == 101);
  fast.send_text(R"({"op":"sub","id":"t","topic":"totals"})");
  fast.read_text_with("subscribed");
  // Each change carries a long name, so that what the slow one does not read fills every buffer between.
  const int commits = 120;
  for (int i = 0; i < commits; ++i) {
    for (int k = 0; k < 8; ++k)
      plant.world.sales_order("A" + std::to_string(i) + "-" + std::to_string(k))
          .status("Open")
          .customer("C1", std::string(12'000, 'x'))
          .line("1", "EUR 1.00");
    plant.commit();
    fast.read_text_with("\"as_of\":" + std::to_string(4 + 8 * (i + 1)) + ",");
  }
  std::uint64_t at = 4;
  int messages = 0;
  while (at < 4 + 8 * commits) {
    const auto text = slow.read_text_with("\"id\":\"c\"");
    const auto message = parsed(text);
    ++messages;
    if (message.at("op").as_string() == "resync") {
      at = static_cast<std::uint64_t>(message.at("as_of").as_int64());
      continue;
    }
    CHECK(message.at("from").as_int64() == static_cast<std::int64_t>(at));
    at = static_cast<std::uint64_t>(message.at("as_of").as_int64());
  }
  CHECK(at == 4 + 8 * commits);
  CHECK(messages < commits);
}

TEST_CASE("a client that floods commands and reads nothing is closed, the server goes on") {
  ServerOptions options;
  options.live_queue_max = 4;
  TestPlant plant(options);
  TestConnection flood(plant.address);
  REQUIRE(flood.upgrade().status == 101);
  for (int i = 0; i < 200; ++i) flood.send_text(R"({"op":"sub","id":"x","topic":"nothing"})");
  CHECK(plant.get("/livez").status == 200);
}

TEST_CASE("wrong commands are told what is wrong and the connection lives") {
  TestPlant plant;
  TestConnection screen(plant.address);
  REQUIRE(screen.upgrade().status == 101);
  for (const char* text :
       {"not json", "[]", "{}", R"({"op":"sub"})", R"({"op":"sub","id":"a","topic":"weather"})",
        R"({"op":"sub","id":"a","topic":"orders?statsu=Open"})", R"({"op":"sub","id":"a","topic":"orders?%zz"})",
        R"({"op":"sub","id":"a","topic":"changes?x=1"})", R"({"op":"sub","id":"a","topic":"orders","since":-1})",
        R"({"op":"fly","id":"a"})", R"({"op":"sub","id":7,"topic":"orders"})"}) {
    screen.send_text(text);
    const auto refusal = parsed(screen.read_text_with("error"));
    CHECK(refusal.at("problem").at("status").as_int64() >= 400);
  }
  screen.send_text(R"({"op":"unsub","id":"a"})");
  screen.send_frame(9, "are you there");
  auto frame = screen.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == 10);
  CHECK(frame->payload == "are you there");
}

TEST_CASE("frames against the protocol end the connection with the right code") {
  struct FrameCase {
    const char* what;
    int opcode;
    std::string payload;
    bool masked;
    int code;
  };
  const std::vector<FrameCase> table = {
      {"not masked", 1, "{}", false, 1002},
      {"unknown opcode", 3, "x", true, 1002},
      {"binary", 2, "x", true, 1003},
      {"not UTF-8", 1, "\xff\xfe", true, 1007},
      {"too large", 1, std::string(20'000, ' '), true, 1009},
      {"long ping", 9, std::string(126, 'p'), true, 1002},
      {"close code out of range", 8, std::string("\x00\x01", 2), true, 1002},
      {"orderly close", 8, std::string("\x03\xe8", 2), true, 1000},
  };
  TestPlant plant;
  for (const FrameCase& bad : table) {
    CAPTURE(bad.what);
    TestConnection screen(plant.address);
    REQUIRE(screen.upgrade().status == 101);
    screen.read_text_with("hello");
    screen.send_frame(bad.opcode, bad.payload, bad.masked);
    const auto frame = screen.read_frame();
    REQUIRE(frame);
    CHECK(frame->opcode == 8);
    REQUIRE(frame->payload.size() >= 2);
    const int code =
        static_cast<unsigned char>(frame->payload[0]) * 256 + static_cast<unsigned char>(frame->payload[1]);
    CHECK(code == bad.code);
  }
}

TEST_CASE("a handshake that is not one, or from another site, is refused") {
  TestPlant plant;
  TestConnection foreign(plant.address);
  CHECK(foreign.upgrade("Origin: http://evil.example\r\n").status == 403);
  CHECK(plant.get("/api/v1/live").status == 426);
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  CHECK(plant.get("/api/v1/live", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n" + key)
            .status == 426);
  CHECK(
      plant.get("/api/v1/live", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n").status ==
      400);
  CHECK(plant.get("/api/v1/live", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" + key).status == 400);
}

TEST_CASE("server-sent events tell the changes and resume by the last event id") {
  TestPlant plant;
  plant.world.sales_order("43660").status("In Production");
  plant.commit();
  TestConnection events(plant.address);
  events.send("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nLast-Event-ID: 4\r\n\r\n");
  while (events.buffer.find("\"kind\":\"status_changed\"") == std::string::npos) REQUIRE(events.read_more());
  CHECK(events.buffer.find("Content-Type: text/event-stream") != std::string::npos);
  CHECK(events.buffer.find("id: 5\n") != std::string::npos);
  events.buffer.clear();
  plant.world.sales_order("43660").status("Shipped");
  plant.commit();
  while (events.buffer.find("id: 6\n") == std::string::npos) REQUIRE(events.read_more());
  CHECK(plant.get("/api/v1/live?since=x", "Accept: text/event-stream\r\n").status == 400);
}

}  // namespace millrace::server
