// What strange clients send, byte by byte.
#include <doctest/doctest.h>

#include "server/test_plant.h"

namespace millrace::server {

namespace {

struct WireCase {
  const char* what;
  std::string bytes;
  int status;  // 0: closed without an answer
};

std::string line(std::string text) { return text + "\r\n"; }
const std::string host = "Host: localhost\r\n";
std::string get(const std::string& fields, const std::string& target = "/livez") {
  return "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields, const std::string& body) {
  return "POST /api/v1/sources/orders/resume HTTP/1.1\r\n" + host + fields + "\r\n" + body;
}

const std::vector<WireCase>& cases() {
  static const std::vector<WireCase> table = {
      {"plain request", get(host), 200},
      {"lower-case field name", get("host: localhost\r\n"), 200},
      {"one empty line before", "\r\n" + get(host), 200},
      {"absolute form", get(host, "http://localhost/livez"), 200},
      {"blanks around a value", get("Host:  localhost  \r\n"), 200},
      {"no Host", get(""), 400},
      {"two Hosts", get(host + host), 400},
      {"empty Host", get("Host:\r\n"), 400},
      {"Host with a path", get("Host: localhost/x\r\n"), 400},
      {"Host with a user", get("Host: a@localhost\r\n"), 400},
      {"bare LF line ends", "GET /livez HTTP/1.1\nHost: localhost\n\n", 400},
      {"bare LF in a field", "GET /livez HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400},
      {"bare CR in a value", get(host + "X: a\rb\r\n"), 400},
      {"NUL in a value", get(host + std::string("X: a\0b\r\n", 8)), 400},
      {"folded field", get(host + "X: a\r\n b\r\n"), 400},
      {"blank before the colon", get(host + "X : a\r\n"), 400},
      {"field without a colon", get(host + "nothing\r\n"), 400},
      {"field without a name", get(host + ": a\r\n"), 400},
      {"blank in a field name", get(host + "X Y: a\r\n"), 400},
      {"first line without version", "GET /livez\r\n\r\n", 400},
      {"one word", "GET\r\n\r\n", 400},
      {"HTTP/2.0", "GET /livez HTTP/2.0\r\n" + host + "\r\n", 505},
      {"HTTP/1.2", "GET /livez HTTP/1.2\r\n" + host + "\r\n", 505},
      {"HTTP/9.9", "GET /livez HTTP/9.9\r\n" + host + "\r\n", 505},
      {"lower-case protocol", "GET /livez http/1.1\r\n" + host + "\r\n", 400},
      {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
      {"two blanks before the target", "GET  /livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"tab as separator", "GET\t/livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"brackets as method", "G(T /livez HTTP/1.1\r\n" + host + "\r\n", 400},
      {"target without slash", get(host, "livez"), 400},
      {"fragment in the target", get(host, "/livez#top"), 400},
      {"raw UTF-8 in the target", get(host, "/\xc3\xbc"), 400},
      {"asterisk with GET", get(host, "*"), 400},
      {"broken percent code", get(host, "/%zz"), 400},
      {"cut percent code", get(host, "/%4"), 400},
      {"NUL in the path", get(host, "/%00"), 400},
      {"overlong UTF-8", get(host, "/%c0%ae%c0%ae/etc/passwd"), 400},
      {"dots to climb", get(host, "/assets/../../etc/passwd"), 400},
      {"encoded dots to climb", get(host, "/assets/%2e%2e/%2e%2e/etc/passwd"), 400},
      {"encoded slash to climb", get(host, "/assets/..%2f..%2fetc%2fpasswd"), 404},
      {"broken query", get(host, "/api/v1/orders?a=%G1"), 400},
      {"query without a name", get(host, "/api/v1/orders?=x"), 400},
      {"unknown method", "BREW /livez HTTP/1.1\r\n" + host + "\r\n", 405},
      {"TRACE", "TRACE /livez HTTP/1.1\r\n" + host + "\r\n", 405},
      {"body by length", post("Content-Length: 2\r\n", "{}"), 202},
      {"body in chunks", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"), 202},
      {"length and chunks", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"chunks and length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"), 400},
      {"two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), 400},
      {"two equal lengths", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400},
      {"list of lengths", post("Content-Length: 2, 2\r\n", "{}"), 400},
      {"signed length", post("Content-Length: +2\r\n", "{}"), 400},
      {"negative length", post("Content-Length: -2\r\n", "{}"), 400},
      {"hexadecimal length", post("Content-Length: 0x2\r\n", "{}"), 400},
      {"huge length", post("Content-Length: 99999999999999999999999\r\n", ""), 400},
      {"empty length", post("Content-Length:\r\n", ""), 400},
      {"unknown coding", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400},
      {"coding identity", post("Transfer-Encoding: identity\r\n", ""), 400},
      {"coding with a tail", post("Transfer-Encoding: chunkedx\r\n", "0\r\n\r\n"), 400},
      {"two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"chunk size with a sign", post("Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk size no number", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk size too large", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk without its end", post("Transfer-Encoding: chunked\r\n", "2\r\n{}XX0\r\n\r\n"), 400},
      {"chunks in HTTP/1.0",
       "POST /api/v1/sources/orders/resume HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"body over the limit", post("Content-Length: 1048577\r\n", ""), 413},
      {"chunks over the limit", post("Transfer-Encoding: chunked\r\n", "200000\r\n" + std::string(1'100'000, 'x')),
       413},
      {"packed body", post("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"), 415},
      {"unknown expectation", post("Expect: tea\r\nContent-Length: 2\r\n", "{}"), 417},
      {"long target", get(host, "/" + std::string(9000, 'a')), 414},
      {"endless first line", "GET /" + std::string(12'000, 'a'), 414},
      {"large head", get(host + "X: " + std::string(17'000, 'a') + "\r\n"), 431},
      {"endless head", "GET /livez HTTP/1.1\r\n" + host + "X: " + std::string(20'000, 'a'), 431},
      {"101 fields",
       [] {
         std::string fields = host;
         for (int i = 0; i < 101; ++i) fields += line("X-" + std::to_string(i) + ": 1");
         return get(fields);
       }(),
       431},
      {"cut in the head", "GET /livez HTTP/1.1\r\nHost: lo", 400},
      {"cut in the body", post("Content-Length: 10\r\n", "{}"), 400},
      {"nothing at all", "", 0},
  };
  return table;
}

}  // namespace

TEST_CASE("malformed requests get the right refusal and the connection ends") {
  TestPlant plant;
  for (const WireCase& wire : cases()) {
    CAPTURE(wire.what);
    TestConnection connection(plant.address);
    connection.send(wire.bytes);
    connection.finish_sending();
    const TestAnswer answer = connection.read_answer();
    CHECK_MESSAGE(answer.status == wire.status, wire.what << ": " << answer.body);
    if (answer.status >= 400) CHECK(answer.header("content-type") == "application/problem+json");
    CHECK(connection.closed_by_server());
  }
  CHECK(plant.get("/livez").status == 200);
}

TEST_CASE("twenty requests sent at once are answered in order") {
  TestPlant plant;
  TestConnection connection(plant.address);
  std::string all;
  for (int i = 0; i < 20; ++i)
    all += get(host + "X-Request-Id: r" + std::to_string(i) + "\r\n", i % 2 ? "/livez" : "/api/v1/orders");
  connection.send(all);
  for (int i = 0; i < 20; ++i) {
    const auto answer = connection.read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.header("x-request-id") == "r" + std::to_string(i));
  }
}

TEST_CASE("a request that comes byte by byte is a request") {
  TestPlant plant;
  TestConnection connection(plant.address);
  for (const char c : post("Content-Length: 2\r\n", "{}")) connection.send(std::string_view(&c, 1));
  CHECK(connection.read_answer().status == 202);
}

TEST_CASE("a client that waits for 100 Continue is told to go on") {
  TestPlant plant;
  TestConnection connection(plant.address);
  connection.send(post("Expect: 100-continue\r\nContent-Length: 2\r\n", ""));
  while (connection.buffer.find("100 Continue\r\n\r\n") == std::string::npos) REQUIRE(connection.read_more());
  connection.buffer.clear();
  connection.send("{}");
  CHECK(connection.read_answer().status == 202);
}

TEST_CASE("a request id from outside is kept when harmless and replaced when not") {
  TestPlant plant;
  CHECK(plant.get("/livez", "X-Request-Id: abc-1\r\n").header("x-request-id") == "abc-1");
  CHECK(plant.get("/livez", "X-Request-Id: <script>\r\n").header("x-request-id").size() == 16);
}

TEST_CASE("too many connections are told so, and later ones are served again") {
  ServerOptions options;
  options.connections_max = 4;
  TestPlant plant(options);
  {
    std::vector<std::unique_ptr<TestConnection>> held;
    for (int i = 0; i < 4; ++i) {
      held.push_back(std::make_unique<TestConnection>(plant.address));
      held.back()->send(get(host));
      CHECK(held.back()->read_answer().status == 200);
    }
    TestConnection extra(plant.address);
    const auto answer = extra.read_answer();
    CHECK(answer.status == 503);
    CHECK(answer.header("retry-after") == "1");
  }
  int status = 503;
  for (int tries = 0; tries < 1000 && status != 200; ++tries) status = plant.get("/livez").status;
  CHECK(status == 200);
}

TEST_CASE("stopping answers what runs and closes the rest") {
  TestPlant plant;
  TestConnection idle(plant.address);
  idle.send(get(host));
  CHECK(idle.read_answer().status == 200);
  TestConnection live(plant.address);
  CHECK(live.upgrade().status == 101);
  live.read_text_with("hello");
  plant.server->stop(std::chrono::seconds(2));
  CHECK(idle.closed_by_server());
  const auto frame = live.read_frame();
  REQUIRE(frame);
  CHECK(frame->opcode == 8);
  CHECK(static_cast<unsigned char>(frame->payload.at(1)) == (1001 & 0xFF));
}

}  // namespace millrace::server
