// One question to a Millrace on this machine: enough HTTP/1.1 for `status`, `sync` and `doctor`, nothing more.
//
// Invariants
//   * Numeric loopback or local addresses only; no name service, no redirect. TLS when the server says that it speaks it.
//   * Bounded: never waits longer than `patience`, never keeps more than `answer_bytes_max`.
#pragma once
#include <chrono>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "people/secret.h"

namespace millrace::app {

inline constexpr std::size_t answer_bytes_max = 8 << 20;

// Whom to ask, and as whom.
struct LocalServer {
  LocalServer(std::string where) : address(std::move(where)) {}  // NOLINT: an address is a server without a pass

  std::string address;
  people::Secret pass;  // "": as a stranger
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Errors   invalid_input  not an address with a port
//          unavailable    nobody answers there, or not in time, or not in HTTP
Result<HttpAnswer> get_from(const LocalServer& server, const std::string& path, std::chrono::milliseconds patience);
// Asks to do something; nothing is sent but the path.
Result<HttpAnswer> post_to(const LocalServer& server, const std::string& path, std::chrono::milliseconds patience);

// Any method, with a JSON body unless it is "".
Result<HttpAnswer> send_to(const LocalServer& server, const std::string& method, const std::string& path, const std::string& json,
                           std::chrono::milliseconds patience);

// "127.0.0.1:8080", "localhost:8080", "[::1]:8080".
bool is_loopback(const std::string& address);

// Whether the address could be listened on right now.
// Errors   invalid_input  not an address with a port
//          conflict       the port is taken
//          unavailable    the system refuses for another reason; the text says it
Result<void> try_to_listen(const std::string& address);

}  // namespace millrace::app
