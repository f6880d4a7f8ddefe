// One HTTP call to another machine and what came of it.
//
// Invariants
//   * A call ends within `deadline` in all, not only when idle; a body larger than `body_max` ends it.
//   * Redirects are never followed by themselves: the caller decides, and only on the same host.
//   * Header names compare without case; secrets are in headers and bodies only, never in `url` or a log line.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace::outbound {

struct Call {
  std::string method = "GET";
  std::string url;  // absolute, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds deadline{180'000};
  std::uint64_t body_max = 64ull << 20;
  // On a connection of its own: a kept one that turns out to be dead is tried again on a new one, which a call that
  // must not be sent twice cannot have.
  bool fresh_connection = false;
};

// Why there is no whole answer.
enum class Failure : std::uint8_t {
  none,
  resolve,         // the host name is not known
  connect,         // nobody listens there, or no road to it
  tls,             // certificate expired, for another host, signed by nobody we trust, pin differs, protocol too old
  timeout,         // the deadline passed
  reset,           // the connection broke before the answer was whole
  too_large,       // more than body_max
  address_denied,  // the resolved address may not be called (link-local, another host after a redirect)
  protocol,        // not HTTP, or a wrong Content-Length
  cancelled,       // we stop
  not_sent,        // we held it back: budget used up, breaker open, or the other side asked for a pause
};
std::string_view word(Failure failure);

// "sap:50000" of "https://sap:50000/b1s/v2/Orders?...": how texts and logs name the other side. Never a user or a path.
std::string_view host_of(std::string_view url);

// What `reference` (a Location, a next link) means beside `base`, when that is the same scheme, host and port.
//
// Errors   denied  it leads to another machine, another scheme or carries a user name; the text names where to
Result<std::string> url_on_same_host(const std::string& base, const std::string& reference);

struct Reply {
  Failure failure = Failure::none;
  std::string text;  // one sentence for a person when failure is not none: what happened and what to check
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::uint64_t bytes_received = 0;  // as they came over the wire
  std::chrono::microseconds took{0};

  // The first header of that name, "" when there is none.
  std::string_view header(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
};

// Something that can make calls: the real client, or a peer inside the same process.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Reply send(const Call& call) = 0;
  // From any thread: ends a running call with `cancelled`, and every later one.
  virtual void cancel() = 0;
};

// Time as callers wait through it; tests give one that does not wait.
class Pace {
 public:
  virtual ~Pace() = default;
  virtual std::chrono::steady_clock::time_point now() const = 0;
  // False when we stop.
  virtual bool wait_until(std::chrono::steady_clock::time_point until) = 0;
};

}  // namespace millrace::outbound
