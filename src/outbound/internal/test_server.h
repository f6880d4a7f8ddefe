// For tests only: a real server on loopback that answers by script, in plain text or TLS, and certificates for it.
//
// Invariants
//   * Every connection has a thread; the script runs until it returns, the client closes or the server is destroyed.
//   * Waits end when the client closes or the server stops; nothing sleeps.
#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace millrace::outbound::testing {

// A certificate with its key, made for one test.
class Identity {
 public:
  struct Wish {
    std::string name = "127.0.0.1";  // DNS name or address; subject and alternative name
    int valid_from_days = -1;        // from now
    int valid_until_days = 30;
    const Identity* signed_by = nullptr;  // nullptr: by itself
    bool authority = false;
  };
  explicit Identity(const Wish& wish);
  std::string pem() const;
  std::string pin() const;
  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

class Connection {
 public:
  Connection(int socket, SSL* tls) : socket_(socket), tls_(tls) {}
  // The next request, head and body; false when the client closed.
  bool read_request();
  const std::string& request() const { return request_; }
  void send(std::string_view bytes);  // nothing happens once the client is gone
  bool client_gone_within(std::chrono::milliseconds time);
  void wait_until_client_goes();
  // Ends with RST instead of FIN.
  void reset();

 private:
  long read_some(char* to, std::size_t room);

  int socket_;
  SSL* tls_;
  std::string request_;
  std::string read_ahead_;
};

struct TlsWish {
  const Identity* identity = nullptr;
  int version_max = 0;  // TLS1_1_VERSION, ...; 0 is the newest
};

class TestServer {
 public:
  using Script = std::function<void(Connection&)>;
  explicit TestServer(Script script, std::optional<TlsWish> tls = std::nullopt);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  // http or https as the server speaks, at that host.
  std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const;
  unsigned connections() const { return connections_; }

 private:
  void accept_all();
  void serve(int socket);

  Script script_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_{nullptr, SSL_CTX_free};
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<unsigned> connections_{0};
  std::mutex mutex_;
  std::vector<UniqueFd> sockets_;     // guarded by mutex_
  std::vector<std::thread> threads_;  // of the accepting thread; read after it ended
  std::thread accepting_;
};

// Answers every request of a connection with these bytes.
TestServer::Script always(std::string answer);
std::string http_answer(std::string_view body, std::string_view headers = "", std::string_view status = "200 OK");

}  // namespace millrace::outbound::testing
