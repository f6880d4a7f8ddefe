// The certificates here are made by each test; the servers are real.
#include <doctest/doctest.h>

#include <string>

#include "base/time.h"
#include "outbound/http_client.h"
#include "outbound/internal/test_server.h"
#include "testing/temporary_folder.h"

namespace millrace::outbound {
namespace {

using namespace std::chrono_literals;
using testing::always;
using testing::Connection;
using testing::http_answer;
using testing::Identity;
using testing::TestServer;
using testing::TlsWish;

Reply ask(const TestServer& server, const TlsOptions& tls, std::string_view host = "127.0.0.1") {
  HttpClientOptions options;
  options.tls = tls;
  auto http = make_http_client(options);
  REQUIRE_MESSAGE(http.has_value(), http.error().text());
  Call call;
  call.url = server.url("/b1s/v2/Orders", host);
  call.deadline = 20s;
  return (*http)->send(call);
}

// An authority, a certificate it signed, and the authority's certificate in a file.
struct Company {
  explicit Company(Identity::Wish wish = {})
      : authority({.name = "Our own authority", .authority = true}), server([&] {
          wish.signed_by = &authority;
          return wish;
        }()) {
    folder.write("ca.pem", authority.pem());
  }
  TlsOptions trusted() const { return {.ca_file = folder / "ca.pem"}; }

  Identity authority;
  Identity server;
  millrace::testing::TemporaryFolder folder;
};

std::string place(const TestServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

}  // namespace

TEST_CASE("D5: a certificate signed by the one in ca_file is trusted") {
  const Company company;
  TestServer server(always(http_answer("hello")), TlsWish{&company.server});
  const Reply reply = ask(server, company.trusted());
  CHECK(reply.text == "");
  CHECK(reply.body == "hello");
}

TEST_CASE("D5: a self-signed certificate is refused, and the text says how to trust it") {
  const Identity self({});
  TestServer server(always(http_answer("hello")), TlsWish{&self});
  const Reply reply = ask(server, {});
  CHECK(reply.failure == Failure::tls);
  CHECK(reply.text ==
        "the certificate of " + place(server) +
            " is signed by nobody this machine trusts: set ca_file to its issuer's certificate, or set pin to " +
            self.pin() + " once you have compared that with the server");
}

TEST_CASE("D5: a certificate of another authority is refused") {
  const Company company, other;
  TestServer server(always(http_answer("hello")), TlsWish{&other.server});
  const Reply reply = ask(server, company.trusted());
  CAPTURE(reply.text);
  CHECK(reply.failure == Failure::tls);
  CHECK(reply.text.starts_with("the certificate of " + place(server) + " is not signed by a certificate in ca_file: "));
}

TEST_CASE("D5: an expired certificate is refused with its last day, one not yet valid with its first") {
  const Company company({.valid_from_days = -60, .valid_until_days = -1});
  TestServer server(always(http_answer("hello")), TlsWish{&company.server});
  Reply reply = ask(server, company.trusted());
  CHECK(reply.failure == Failure::tls);
  const Instant yesterday = SystemClock().now() - 24h;
  CHECK(reply.text == "the certificate of " + place(server) + " expired on " + iso(utc_day(yesterday)) +
                          ": renew it, or set pin for this source");

  const Company early({.valid_from_days = 2});
  TestServer early_server(always(http_answer("hello")), TlsWish{&early.server});
  reply = ask(early_server, early.trusted());
  CHECK(reply.failure == Failure::tls);
  CHECK(reply.text.find(" is valid only from 20") != std::string::npos);
}

TEST_CASE("D5: a certificate for another host is refused and names whom it is for") {
  const Company company({.name = "sap.example"});
  TestServer server(always(http_answer("hello")), TlsWish{&company.server});
  const Reply reply = ask(server, company.trusted());
  CHECK(reply.failure == Failure::tls);
  CHECK(reply.text.starts_with(
      "the certificate of " + place(server) +
      " is for sap.example: use that name in the address of this source, or set pin to sha256//"));
}

TEST_CASE("D5: TLS 1.0 and 1.1 are refused, TLS 1.2 and 1.3 are spoken") {
  const Company company;
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    TestServer server(always(http_answer("hello")), TlsWish{&company.server, version});
    const Reply reply = ask(server, company.trusted());
    CHECK(reply.failure == Failure::tls);
    CHECK(reply.text ==
          place(server) + " speaks only TLS older than 1.2: update it, or put a proxy with TLS 1.2 before it");
  }
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestServer server(always(http_answer("hello")), TlsWish{&company.server, version});
    CHECK(ask(server, company.trusted()).body == "hello");
  }
}

TEST_CASE(
    "With a pin a self-signed certificate is enough, also expired and for another host; chain and name are not asked") {
  const Identity self({.name = "B1 appliance", .valid_from_days = -900, .valid_until_days = -3});
  TestServer server(always(http_answer("hello")), TlsWish{&self});
  const Reply reply = ask(server, {.pin_sha256 = self.pin()});
  CHECK(reply.text == "");
  CHECK(reply.body == "hello");
}

TEST_CASE("A server with another key than the pinned one hears nothing of us, and the text gives its key") {
  const Identity mine({}), other({});
  std::string heard;
  TestServer server(
      [&heard](Connection& connection) {
        if (connection.read_request()) heard = connection.request();
      },
      TlsWish{&other});
  const Reply reply = ask(server, {.pin_sha256 = mine.pin(), .insecure = true});  // insecure does not weaken a pin
  CHECK(reply.failure == Failure::tls);
  CHECK(reply.text == "the key of " + place(server) +
                          " is not the one this source is pinned to: if it was changed on purpose, set pin to " +
                          other.pin() + " once you have compared that with the server");
  CHECK(heard == "");
}

TEST_CASE("With a pin and ca_file both are asked") {
  const Company company({.name = "sap.example"});
  TestServer wrong_host(always(http_answer("hello")), TlsWish{&company.server});
  TlsOptions both = company.trusted();
  both.pin_sha256 = company.server.pin();
  CHECK(ask(wrong_host, both).failure == Failure::tls);
  const Company right;
  TestServer server(always(http_answer("hello")), TlsWish{&right.server});
  both = right.trusted();
  both.pin_sha256 = right.server.pin();
  CHECK(ask(server, both).body == "hello");
  both.pin_sha256 = company.server.pin();
  CHECK(ask(server, both).failure == Failure::tls);
}

TEST_CASE("Only who says insecure talks to anybody") {
  const Identity self({.name = "anybody", .valid_until_days = -1});
  TestServer server(always(http_answer("hello")), TlsWish{&self});
  CHECK(ask(server, {.insecure = true}).body == "hello");
}

TEST_CASE("A port without TLS is told apart from a bad certificate") {
  TestServer server([](Connection& connection) {
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.wait_until_client_goes();
  });
  HttpClientOptions options;
  auto http = make_http_client(options);
  REQUIRE(http.has_value());
  Call call;
  call.url = "https://" + place(server) + "/";
  call.deadline = 20s;
  const Reply reply = (*http)->send(call);
  CHECK(reply.failure == Failure::tls);
  CHECK(reply.text ==
        place(server) +
            " does not speak TLS at this port: check the port, or write http:// if it is meant to be without");
}

TEST_CASE("D2: a server that takes the connection and never speaks TLS is left after connect_timeout") {
  TestServer silent([](Connection& connection) { connection.wait_until_client_goes(); });
  HttpClientOptions options;
  options.connect_timeout = 150ms;
  auto http = make_http_client(options);
  REQUIRE(http.has_value());
  Call call;
  call.url = "https://" + place(silent) + "/";
  call.deadline = 60s;
  const Reply reply = (*http)->send(call);
  CHECK(reply.failure == Failure::connect);
  CHECK(reply.took < 30s);
  CHECK(reply.text ==
        "no connection to " + place(silent) +
            " was made within 150 ms: check the address and the port, and that no firewall is in between");
}

TEST_CASE("A connection that breaks while TLS begins or while TLS runs is a reset, not a bad certificate") {
  TestServer closes([](Connection&) {});
  auto http = make_http_client({});
  REQUIRE(http.has_value());
  Call call;
  call.url = "https://" + place(closes) + "/";
  call.deadline = 20s;
  CHECK((*http)->send(call).failure == Failure::reset);

  const Company company;
  TestServer cuts(
      [](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
        connection.reset();
      },
      TlsWish{&company.server});
  CHECK(ask(cuts, company.trusted()).failure == Failure::reset);
}

TEST_CASE("A TLS connection is kept, and a large body to a server that leaves does not end the process") {
  const Company company;
  TestServer server(always(http_answer("hello")), TlsWish{&company.server});
  HttpClientOptions options;
  options.tls = company.trusted();
  auto http = make_http_client(options);
  REQUIRE(http.has_value());
  Call call;
  call.url = server.url();
  for (int turn = 0; turn < 3; ++turn) CHECK((*http)->send(call).body == "hello");
  CHECK(server.connections() == 1);

  TestServer leaves([](Connection& connection) { connection.reset(); }, TlsWish{&company.server});
  call.url = leaves.url();
  call.method = "POST";
  call.body = std::string(8 << 20, 'x');
  call.deadline = 20s;
  CHECK((*http)->send(call).failure == Failure::reset);
}

TEST_CASE("A pin that is none and a ca_file that cannot be used are named before any call") {
  millrace::testing::TemporaryFolder folder;
  folder.write("empty.pem", "nothing");
  struct Row {
    TlsOptions tls;
    std::string text;
  };
  const std::vector<Row> rows{
      {{.pin_sha256 = "abc"},
       "the pin is not a fingerprint of a public key: it is written sha256// and 44 characters of base64"},
      {{.pin_sha256 = "sha256//AAAA"}, "the pin is not a fingerprint"},
      {{.pin_sha256 = "sha256//" + std::string(43, '!') + "="}, "the pin is not a fingerprint"},
      {{.ca_file = folder / "missing.pem"},
       "cannot be read (No such file or directory): check its path and its rights"},
      {{.ca_file = folder / "empty.pem"}, "holds no certificate in PEM form"},
  };
  for (const auto& row : rows) {
    HttpClientOptions options;
    options.tls = row.tls;
    const auto made = make_http_client(options);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code() == ErrorCode::invalid_input);
    CHECK(made.error().text().find(row.text) != std::string::npos);
  }
}

}  // namespace millrace::outbound
