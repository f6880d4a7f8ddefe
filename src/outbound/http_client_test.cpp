#include "outbound/http_client.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "base/check.h"
#include "outbound/internal/test_server.h"

namespace millrace::outbound {
namespace {

using namespace std::chrono_literals;
using testing::always;
using testing::Connection;
using testing::http_answer;
using testing::TestServer;

Call get(std::string url, std::chrono::milliseconds deadline = 20s) {
  Call call;
  call.url = std::move(url);
  call.deadline = deadline;
  return call;
}

std::unique_ptr<Transport> client(HttpClientOptions options = {}) {
  auto made = make_http_client(std::move(options));
  REQUIRE_MESSAGE(made.has_value(), made.error().text());
  return std::move(*made);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  check(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK, "zlib starts");
  std::string packed(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  check(::deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib ends");
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

std::string port_text(const TestServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

}  // namespace

TEST_CASE("An answer arrives whole, with its headers, and the connection is kept for the next call") {
  std::string seen;
  TestServer server([&seen](Connection& connection) {
    while (connection.read_request()) {
      seen = connection.request();
      connection.send(
          "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n" +
          http_answer("hello", "Set-Cookie: B1SESSION=1;HttpOnly;\r\nSet-Cookie: ROUTEID=.node1; path=/b1s\r\n"));
    }
  });
  const auto http = client();
  Call call = get(server.url("/b1s/v2/Orders?$top=20"));
  call.headers = {{"Cookie", "B1SESSION=1; ROUTEID=.node1"}, {"B1S-PageSize", "500"}};
  for (int turn = 0; turn < 3; ++turn) {
    const Reply reply = http->send(call);
    CHECK(reply.failure == Failure::none);
    CHECK(reply.text == "");
    CHECK(reply.status == 200);
    CHECK(reply.body == "hello");
    CHECK(reply.header("content-length") == "5");
    CHECK(reply.header("X-Interim") == "");
    CHECK(reply.all("set-cookie") ==
          std::vector<std::string_view>{"B1SESSION=1;HttpOnly;", "ROUTEID=.node1; path=/b1s"});
    CHECK(reply.bytes_received > 100);
    CHECK(reply.took > 0us);
  }
  CHECK(server.connections() == 1);
  CHECK(seen.starts_with("GET /b1s/v2/Orders?$top=20 HTTP/1.1\r\n"));
  CHECK(seen.find("Cookie: B1SESSION=1; ROUTEID=.node1\r\n") != std::string::npos);
  CHECK(seen.find("Accept-Encoding: gzip, deflate\r\n") != std::string::npos);
}

TEST_CASE("What is sent is what was asked to be sent, and never Expect") {
  std::string seen;
  TestServer server([&seen](Connection& connection) {
    while (connection.read_request()) {
      seen = connection.request();
      connection.send(http_answer(""));
    }
  });
  const auto http = client();
  Call call = get(server.url("/b1s/v2/Login"));
  call.method = "POST";
  call.body = std::string(3 << 20, 'x');  // large enough for the library to wish for Expect
  call.headers = {{"Content-Type", "application/json"}, {"expect", "100-continue"}, {"X-Empty", ""}};
  CHECK(http->send(call).status == 200);
  CHECK(seen.starts_with("POST /b1s/v2/Login HTTP/1.1\r\n"));
  CHECK(seen.ends_with("xxx"));
  CHECK(seen.size() > call.body.size());
  CHECK(seen.find("xpect") == std::string::npos);
  CHECK(seen.find("X-Empty:") != std::string::npos);

  call = get(server.url("/b1s/v2/Logout"));
  call.method = "POST";
  CHECK(http->send(call).status == 200);
  CHECK(seen.starts_with("POST /b1s/v2/Logout HTTP/1.1\r\n"));
  CHECK(seen.find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(seen.find("Content-Type") == std::string::npos);

  call.method = "PATCH";
  call.body = "{}";
  CHECK(http->send(call).status == 200);
  CHECK(seen.starts_with("PATCH /b1s/v2/Logout"));
  CHECK(seen.ends_with("{}"));

  call.method = "DELETE";
  call.body = "";
  CHECK(http->send(call).status == 200);
  CHECK(seen.starts_with("DELETE /b1s/v2/Logout"));

  call.method = "HEAD";
  CHECK(http->send(call).status == 200);
  CHECK(seen.starts_with("HEAD /b1s/v2/Logout"));
  CHECK(http->send(get(server.url("/again"))).status == 200);  // nothing of the calls before is left
  CHECK(seen.starts_with("GET /again"));
}

TEST_CASE("A call that must not be sent twice gets a connection of its own") {
  TestServer server(always(http_answer("ok")));
  const auto http = client();
  Call call = get(server.url());
  CHECK(http->send(call).status == 200);
  call.fresh_connection = true;
  CHECK(http->send(call).status == 200);
  CHECK(server.connections() == 2);
}

TEST_CASE("A kept connection that the server closed meanwhile is no failure") {
  TestServer server([](Connection& connection) {
    if (connection.read_request()) connection.send(http_answer("once"));
  });
  const auto http = client();
  for (int turn = 0; turn < 3; ++turn) CHECK(http->send(get(server.url())).body == "once");
  CHECK(server.connections() == 3);
}

TEST_CASE("D2: a server that hangs is left when the deadline passes") {
  TestServer server([](Connection& connection) {
    connection.read_request();
    connection.wait_until_client_goes();
  });
  const Reply reply = client()->send(get(server.url("/"), 150ms));
  CHECK(reply.failure == Failure::timeout);
  CHECK(reply.took >= 140ms);
  CHECK(reply.took < 5s);
  CHECK(reply.text == port_text(server) +
                          " gave no whole answer within 150 ms (0 bytes came): ask for less at a time or raise the "
                          "timeout of this source");
}

TEST_CASE("D2: a slow drip ends at the deadline, though every byte comes in time") {
  TestServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (!connection.client_gone_within(5ms)) connection.send("x");
  });
  const Reply reply = client()->send(get(server.url("/"), 200ms));
  CHECK(reply.failure == Failure::timeout);
  CHECK(reply.took < 5s);
  CHECK(reply.body.empty());
  CHECK(reply.bytes_received > 0);
}

TEST_CASE("D2: a header that drips ends at the deadline too") {
  TestServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nX-Long: ");
    while (!connection.client_gone_within(5ms)) connection.send("x");
  });
  const Reply reply = client()->send(get(server.url("/"), 200ms));
  CHECK(reply.failure == Failure::timeout);
  CHECK(reply.took < 5s);
}

TEST_CASE("D2: an endless body ends at body_max, an endless header at its own bound") {
  TestServer server([](Connection& connection) {
    connection.read_request();
    const bool body = connection.request().find("/body") != std::string::npos;
    connection.send(body ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 200 OK\r\n");
    const std::string piece = body ? std::string(65536, 'x') : "X-More: " + std::string(1000, 'x') + "\r\n";
    while (!connection.client_gone_within(0ms)) connection.send(piece);
  });
  Call call = get(server.url("/body"));
  call.body_max = 3 << 20;
  Reply reply = client()->send(call);
  CHECK(reply.failure == Failure::too_large);
  CHECK(reply.text == "the answer of " + port_text(server) + " is larger than 3 MB: ask for smaller pages");
  CHECK(reply.body.empty());
  reply = client()->send(get(server.url("/header")));
  CHECK(reply.failure == Failure::protocol);
  CHECK(reply.text.find("its header is larger than 256 KB") != std::string::npos);
}

TEST_CASE("D3: fewer bytes than the Content-Length says is no answer") {
  TestServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n{\"value\":[");
  });
  const Reply reply = client()->send(get(server.url()));
  CHECK(reply.failure == Failure::reset);
  CHECK(reply.body.empty());
  CHECK(reply.text.find(" of 1000 bytes came): if it stays so, look into the log of that server") != std::string::npos);
}

TEST_CASE("D3: an answer cut in its header, in a chunk, or by a reset is no answer") {
  for (const std::string cut : {"", "HTTP/1.1 200 OK\r\nContent-Le",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"value\":", "RST"}) {
    CAPTURE(cut);
    TestServer server([&cut](Connection& connection) {
      connection.read_request();
      if (cut == "RST") {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12");
        connection.reset();
      } else {
        connection.send(cut);
      }
    });
    const Reply reply = client()->send(get(server.url()));
    CHECK(reply.failure == Failure::reset);
    CHECK(reply.text.starts_with(port_text(server) + " ended the connection before the answer was whole"));
  }
}

TEST_CASE("D3: lengths that are no number or contradict each other are not believed, nor is what is not HTTP") {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"}) {
    CAPTURE(answer);
    TestServer server([&answer](Connection& connection) {
      connection.read_request();
      connection.send(answer);
    });
    const Reply reply = client()->send(get(server.url()));
    CHECK(reply.failure == Failure::protocol);
    CHECK(reply.body.empty());
    CHECK(reply.text.starts_with("the answer of " + port_text(server) + " is not proper HTTP ("));
  }
}

TEST_CASE("D3: bytes beyond the Content-Length belong to no answer and are never given to the next call") {
  unsigned turn = 0;
  TestServer server([&turn](Connection& connection) {
    while (connection.read_request())
      connection.send(http_answer("right" + std::to_string(++turn)) + http_answer("smuggled"));
  });
  const auto http = client();
  CHECK(http->send(get(server.url())).body == "right1");
  CHECK(http->send(get(server.url())).body == "right2");
}

TEST_CASE("Compressed answers are unpacked, counted as they came") {
  const std::string json(100'000, ' ');
  TestServer server(always(http_answer(gzip(json), "Content-Encoding: gzip\r\n")));
  const Reply reply = client()->send(get(server.url()));
  CHECK(reply.failure == Failure::none);
  CHECK(reply.body == json);
  CHECK(reply.bytes_received < 1'000);
  HttpClientOptions plain;
  plain.compression = false;
  CHECK(client(plain)->send(get(server.url())).body == json);  // came though not asked for
}

TEST_CASE("D3: a gzip bomb ends at body_max, whatever it would unpack to") {
  const std::string bomb = gzip(std::string(40 << 20, '\0'));
  CHECK(bomb.size() < 50'000);
  TestServer server(always(http_answer(bomb, "Content-Encoding: gzip\r\n")));
  Call call = get(server.url());
  call.body_max = 1 << 20;
  const Reply reply = client()->send(call);
  CHECK(reply.failure == Failure::too_large);
  CHECK(reply.body.capacity() < 4 << 20);
}

TEST_CASE("D3: broken compression, an unknown one and layers upon layers are refused") {
  const std::string whole = gzip("{\"value\":[]}");
  for (const auto& [body, encoding] : std::vector<std::pair<std::string, std::string>>{
           {"this is not gzip", "gzip"}, {whole, "zap"}, {whole, "gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip"}}) {
    CAPTURE(encoding);
    TestServer server(always(http_answer(body, "Content-Encoding: " + encoding + "\r\n")));
    const Reply reply = client()->send(get(server.url()));
    CHECK(reply.failure == Failure::protocol);
    CHECK(reply.body.empty());
  }
}

TEST_CASE("D3: an HTML page with 200 is handed on as what it says it is") {
  TestServer server(always(http_answer("<html>sign in</html>", "Content-Type: text/html; charset=utf-8\r\n")));
  const Reply reply = client()->send(get(server.url()));
  CHECK(reply.failure == Failure::none);
  CHECK(reply.header("content-type") == "text/html; charset=utf-8");
}

TEST_CASE("D6: a redirect is never followed, and where it leads is refused when it is another machine") {
  struct Row {
    std::string location;
    std::string leads_to;  // "" is refused
  };
  TestServer elsewhere(always(http_answer("secret")));
  TestServer server(always(http_answer("", "Location: file:///etc/passwd\r\n", "302 Found")));
  const auto http = client();
  const Reply reply = http->send(get(server.url("/b1s/v2/Orders")));
  CHECK(reply.status == 302);
  CHECK(reply.header("Location") == "file:///etc/passwd");
  CHECK(elsewhere.connections() == 0);

  const std::string here = server.url("/b1s/v2/Orders");
  const std::vector<Row> rows{
      {"/b1s/v2/Items?$skip=20", server.url("/b1s/v2/Items?$skip=20")},
      {"Orders?$skiptoken=20", server.url("/b1s/v2/Orders?$skiptoken=20")},
      {server.url("/x"), server.url("/x")},
      {"file:///etc/passwd", ""},
      {elsewhere.url("/x"), ""},
      {"http://169.254.169.254/latest/meta-data", ""},
      {"//169.254.169.254/latest", ""},
      {"https" + server.url("/x").substr(4), ""},
      {"http://user:secret@127.0.0.1:" + std::to_string(server.port()) + "/x", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.location);
    const auto target = url_on_same_host(here, row.location);
    CHECK(target.has_value() == !row.leads_to.empty());
    if (target) CHECK(*target == row.leads_to);
    if (!target) CHECK(target.error().text().find("secret") == std::string::npos);
  }
  CHECK(url_on_same_host("https://sap/b1s", "https://SAP:443/b1s/v2").has_value());
}

TEST_CASE(
    "D6: link-local and other forbidden addresses are refused when they are connected to, however they are spelled") {
  const auto http = client();
  for (const char* const url :
       {"http://169.254.169.254/latest/meta-data", "http://2852039166/", "http://0xa9.0xfe.0xa9.0xfe/",
        "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/", "http://0.0.0.0:8080/", "http://224.0.0.1/"}) {
    CAPTURE(url);
    const Reply reply = http->send(get(url, 2s));
    CHECK(reply.failure == Failure::address_denied);
    CHECK(reply.text.find("an address that may not be called: give this source the address of its own server") !=
          std::string::npos);
  }
}

TEST_CASE("D6: loopback is refused when the options say so, by name as well: names that lead back are no way around") {
  TestServer server(always(http_answer("secret")));
  HttpClientOptions options;
  options.loopback_allowed = false;
  const auto http = client(options);
  for (const char* const host : {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433"}) {
    CAPTURE(host);
    CHECK(http->send(get(server.url("/", host), 2s)).failure == Failure::address_denied);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("D6: only http and https are called, and no address with a password in it") {
  const auto http = client();
  for (const char* const url :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "dict://127.0.0.1:11211/stat", "no address",
        "", "http://", "http://user:secret@127.0.0.1/"}) {
    CAPTURE(url);
    const Reply reply = http->send(get(url, 2s));
    CHECK(reply.failure == Failure::address_denied);
    CHECK(reply.text.find("secret") == std::string::npos);
  }
}

TEST_CASE("A header with a line break in it is not sent, and its value is not shown") {
  TestServer server(always(http_answer("")));
  Call call = get(server.url());
  call.headers = {{"Authorization", "Bearer secret\r\nX-Smuggled: yes"}};
  const Reply reply = client()->send(call);
  CHECK(reply.failure == Failure::protocol);
  CHECK(reply.text.find("secret") == std::string::npos);
  CHECK(server.connections() == 0);
}

TEST_CASE("The environment's proxy and the user's password file are not used") {
  TestServer proxy(always(http_answer("from the proxy")));
  TestServer server(always(http_answer("from the server")));
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  const Reply reply = client()->send(get(server.url()));
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  CHECK(reply.body == "from the server");
  CHECK(proxy.connections() == 0);
}

TEST_CASE("A port where nobody listens and a name nobody knows are told apart, with what to check") {
  int port = 0;
  {
    const TestServer gone(always(""));
    port = gone.port();
  }
  Reply reply = client()->send(get("http://127.0.0.1:" + std::to_string(port) + "/"));
  CHECK(reply.failure == Failure::connect);
  CHECK(reply.text == "nobody listens at 127.0.0.1:" + std::to_string(port) +
                          " (Connection refused): check the address and the port, and that the server runs");
  reply = client()->send(get("http://sap.invalid:50000/", 5s));  // reserved to be unknown (RFC 6761)
  CHECK(reply.failure == Failure::resolve);
  CHECK(reply.text.find("sap.invalid:50000") != std::string::npos);
}

TEST_CASE("A call that waits ends at once when another thread cancels, and none starts after that") {
  std::unique_ptr<Transport> http = client();
  TestServer server([&http](Connection& connection) {
    connection.read_request();
    http->cancel();  // from the thread of the server
    connection.wait_until_client_goes();
  });
  Reply reply = http->send(get(server.url("/"), 60s));
  CHECK(reply.failure == Failure::cancelled);
  CHECK(reply.took < 10s);
  reply = http->send(get(server.url("/"), 60s));
  CHECK(reply.failure == Failure::cancelled);
  CHECK(server.connections() == 1);
}

TEST_CASE("A call without time left is not sent") {
  TestServer server(always(http_answer("")));
  CHECK(client()->send(get(server.url(), 0ms)).failure == Failure::timeout);
  CHECK(server.connections() == 0);
}

TEST_CASE("Texts name the host, never a user or a path") {
  CHECK(host_of("https://sap:50000/b1s/v2/Orders?x=1") == "sap:50000");
  CHECK(host_of("https://user:secret@sap:50000/b1s") == "sap:50000");
  CHECK(host_of("https://[::1]:8080") == "[::1]:8080");
  CHECK(host_of("http://sap?x=a@b") == "sap");
  CHECK(host_of("nonsense") == "");
}

}  // namespace millrace::outbound
