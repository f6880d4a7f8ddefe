// How we are known to a service: the Service Layer's session, or what an OData service wants in `Authorization`.
//
//   ready ── sign(call) ──> sent ── learn(reply) ──> 401? ── drop, ready, once more ──> 401 again: denied
//
// Invariants
//   * One thread uses a session, so one sign-in is in flight at most.
//   * After the other side refused our credentials nothing is tried again before `allow_again`, and then seldom: repeated
//     tries lock users (sign_in_refusals.h).
//   * A login is sent once. When its answer was lost it may have gone through: after three of them the next waits until
//     one of their sessions has ended by itself, or a person insists.
//   * Secrets leave in headers and bodies only; no text of an error or a fact holds one.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "erp/remote.h"

namespace millrace::erp {

class Session {
 public:
  virtual ~Session() = default;
  // Signs in when that is needed.
  virtual std::optional<RemoteError> ready() = 0;
  virtual void sign(outbound::Call& call) const = 0;
  virtual void learn(const outbound::Reply& reply) = 0;  // cookies that changed on the way
  virtual bool drop() = 0;  // what we hold is no longer good; answers whether signing in anew may help
  virtual void deny(RemoteError why) = 0;                // until `allow_again`
  virtual void allow_again() = 0;
  virtual void insist() {}  // a person asks: what only waits for time is tried at once
  virtual void log_out() = 0;
  virtual std::vector<Remote::Capability> facts() const = 0;
};

// `options` and `caller` outlive the session.
std::unique_ptr<Session> make_service_layer_session(const ConnectOptions& options, outbound::Caller& caller, const Clock& clock);
std::unique_ptr<Session> make_odata_session(const ConnectOptions& options, outbound::Caller& caller, const Clock& clock);

// The one place that words what went wrong before there was an answer (resolve, connect, tls, timeout, budget, breaker).
// `sign_in`: it was a login or a question for a token, which no smaller page can help.
RemoteError failure_of(const outbound::Caller::Outcome& outcome, const std::string& url, bool sign_in = false);
inline std::string host_of(std::string_view url) { return std::string(outbound::host_of(url)); }
std::string without_end_slash(std::string_view url);

}  // namespace millrace::erp
