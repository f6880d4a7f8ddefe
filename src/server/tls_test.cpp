// TLS in the server itself: what is made, what is refused, what a client gets.
#include "server/tls.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "server/internal/host_names.h"
#include "server/internal/tls_context.h"
#include "server/test_plant.h"

namespace millrace::server {

namespace {

// Certificates are judged by the real clock, so these tests use it.
Instant now() { return std::chrono::time_point_cast<Instant::duration>(std::chrono::system_clock::now()); }

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "millrace-tls-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    ::signal(SIGPIPE, SIG_IGN);  // as the program does
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

struct Client {
  std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::shared_ptr<SSL> ssl;
  std::unique_ptr<TestConnection> connection;

  explicit Client(const std::string& address, const std::string& authority = "", int version_max = TLS1_3_VERSION, const std::string& protocols = "") {
    connection = std::make_unique<TestConnection>(address);
    SSL_CTX_set_max_proto_version(context.get(), version_max);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context.get(), 0);
    if (!authority.empty()) {
      SSL_CTX_load_verify_locations(context.get(), authority.c_str(), nullptr);
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    }
    if (!protocols.empty())
      SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(protocols.data()), static_cast<unsigned>(protocols.size()));
    ssl.reset(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), connection->descriptor());
    SSL_set1_host(ssl.get(), "localhost");
  }
  bool shake() { return SSL_connect(ssl.get()) == 1; }
  std::string ask(const std::string& request) {
    SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
    std::string all;
    char block[16384];
    for (int count; (count = SSL_read(ssl.get(), block, sizeof block)) > 0;) all.append(block, static_cast<std::size_t>(count));
    return all;
  }
};

const std::string request = "GET /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("a certificate is made for the names that were asked for, with an authority that stays") {
  const Folder folder;
  const auto first = make_tls_files(folder.path + "/tls", {"plant.example.com", "10.0.0.5", "::1"}, now());
  REQUIRE_MESSAGE(first.has_value(), first.error().text());
  CHECK(first->authority_is_new);
  const auto facts = check_tls_files(first->files);
  REQUIRE(facts.has_value());
  CHECK(facts->names == std::vector<std::string>{"plant.example.com", "10.0.0.5", "::1"});
  CHECK(facts->issuer == "Millrace authority of plant.example.com");
  CHECK(std::chrono::floor<std::chrono::days>(facts->not_after - now()).count() == 396);
  for (const char* file : {"ca.pem", "ca.key", "cert.pem", "key.pem"}) {
    struct stat found {};
    REQUIRE(::stat((folder.path + "/tls/" + file).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
  const auto second = make_tls_files(folder.path + "/tls", {"plant.example.com"}, now());
  REQUIRE(second.has_value());
  CHECK_FALSE(second->authority_is_new);
  CHECK(second->authority_fingerprint == first->authority_fingerprint);
  CHECK(check_tls_files(second->files)->fingerprint != facts->fingerprint);
}

TEST_CASE("names that are none, a key that everybody may read, and a key of another certificate are refused") {
  const Folder folder;
  for (const char* name : {"", "a b", "-a", "a..b", "a,DNS:b", "ä", "*.example.com"}) {
    CAPTURE(name);
    CHECK(make_tls_files(folder.path, {name}, now()).error().code() == ErrorCode::invalid_input);
  }
  const auto one = make_tls_files(folder.path + "/one", {"localhost"}, now());
  const auto two = make_tls_files(folder.path + "/two", {"localhost"}, now());
  CHECK(check_tls_files({one->files.certificate, two->files.key}).error().text().find("is not the key of") != std::string::npos);
  CHECK(check_tls_files({one->files.key, one->files.key}).error().code() == ErrorCode::invalid_input);
  CHECK(check_tls_files({folder.path + "/none", one->files.key}).error().code() == ErrorCode::not_found);
  ::chmod(one->files.key.c_str(), 0644);
  CHECK(check_tls_files(one->files).error().text().find("chmod 600") != std::string::npos);
}

TEST_CASE("over TLS the same answers come, with the promise to stay with it") {
  const Folder folder;
  const auto made = make_tls_files(folder.path, {"localhost", "plant.example.com"}, now());
  ServerOptions options;
  options.tls = made->files;
  TestPlant plant(options);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(plant.address, made->authority_file, version, "\x08http/1.1");
    REQUIRE(client.shake());
    CHECK(SSL_version(client.ssl.get()) == version);
    const std::string answer = client.ask(request);
    CHECK(answer.starts_with("HTTP/1.1 200 OK"));
    CHECK(answer.find("Strict-Transport-Security: max-age=31536000") != std::string::npos);
  }
  Client named(plant.address, made->authority_file);
  REQUIRE(named.shake());
  CHECK(named.ask("GET /livez HTTP/1.1\r\nHost: plant.example.com:8443\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200"));
  Client foreign(plant.address, made->authority_file);
  REQUIRE(foreign.shake());
  CHECK(foreign.ask("GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
}

TEST_CASE("old versions and clients that speak another protocol get no handshake") {
  const Folder folder;
  ServerOptions options;
  options.tls = make_tls_files(folder.path, {"localhost"}, now())->files;
  TestPlant plant(options);
  CHECK_FALSE(Client(plant.address, "", TLS1_1_VERSION).shake());
  CHECK_FALSE(Client(plant.address, "", TLS1_3_VERSION, "\x02h2").shake());
  CHECK(Client(plant.address, "", TLS1_3_VERSION, "\x02h2\x08http/1.1").shake());
}

TEST_CASE("plain HTTP on an address that speaks TLS is shown the way and does nothing") {
  const Folder folder;
  ServerOptions options;
  options.tls = make_tls_files(folder.path, {"localhost"}, now())->files;
  TestPlant plant(options);
  const auto shown = plant.get("/orders?status=Open");
  CHECK(shown.status == 308);
  CHECK(shown.header("location") == "https://" + plant.address + "/orders?status=Open");
  CHECK(shown.header("strict-transport-security") == "");
  const auto refused = ask(plant.address, "POST", "/api/v1/sources/orders/pause");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("/problems/tls-required") != std::string::npos);
  CHECK(ask(plant.address, "GET", "/", "X-Nothing: 1\r\n").status == 308);
}

TEST_CASE("a large answer and a body of many pieces pass through TLS whole") {
  const Folder folder;
  ServerOptions options;
  options.tls = make_tls_files(folder.path, {"localhost"}, now())->files;
  TestPlant plant(options);
  Client client(plant.address);
  REQUIRE(client.shake());
  const std::string body(300'000, 'x');
  const std::string post = "POST /api/v1/ingest/none/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n" + body;
  CHECK(client.ask(post).starts_with("HTTP/1.1 4"));
  Client second(plant.address);
  REQUIRE(second.shake());
  std::string many;
  for (int i = 0; i < 50; ++i) many += "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
  many += "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const std::string all = second.ask(many);
  std::size_t count = 0;
  for (std::size_t at = all.find("HTTP/1.1 200"); at != std::string::npos; at = all.find("HTTP/1.1 200", at + 1)) ++count;
  CHECK(count == 51);
}

TEST_CASE("new files are taken without a restart, wrong ones change nothing") {
  const Folder folder;
  const auto made = make_tls_files(folder.path, {"localhost"}, now());
  ServerOptions options;
  options.tls = made->files;
  TestPlant plant(options);
  const std::string first = plant.server->certificate()->fingerprint;
  CHECK_FALSE(*plant.server->renew_tls(false));
  CHECK(*plant.server->renew_tls(true));
  make_tls_files(folder.path, {"localhost", "new.example.com"}, now()).value();
  CHECK(*plant.server->renew_tls(false));
  const std::string second = plant.server->certificate()->fingerprint;
  CHECK(second != first);
  std::ofstream(made->files.certificate) << "half a certif";
  CHECK_FALSE(plant.server->renew_tls(false).has_value());
  CHECK(plant.server->certificate()->fingerprint == second);
  CHECK(Client(plant.address, made->authority_file).shake());
}

TEST_CASE("a server with a wrong certificate does not start") {
  TestPlant plant;
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.tls = {"/nowhere/cert.pem", "/nowhere/key.pem"};
  CHECK(Server::start(plant.services(), options).error().code() == ErrorCode::not_found);
}

TEST_CASE("who may be listened to is one rule") {
  CHECK(may_listen("127.0.0.1:1", true, false, false).has_value());
  CHECK_FALSE(may_listen("10.0.0.1:1", false, false, true).has_value());
  CHECK_FALSE(may_listen("10.0.0.1:1", false, true, false).has_value());
  CHECK(may_listen("10.0.0.1:1", false, true, true).has_value());
}

TEST_CASE("an authority is ours when a certificate names it") {
  const std::vector<std::string> names = {"plant.example.com", "*.plant.lan", "10.0.0.5", "::1"};
  for (const char* ours : {"plant.example.com", "PLANT.example.com:8443", "a.plant.lan", "10.0.0.5:80", "[::1]:80"}) CHECK(is_named(ours, names));
  for (const char* foreign : {"", "example.com", "plant.lan", "a.b.plant.lan", ".plant.lan", "10.0.0.50", "[::1"}) CHECK_FALSE(is_named(foreign, names));
}

}  // namespace millrace::server
