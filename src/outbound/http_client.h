// The real Transport: libcurl, one connection per host kept open between calls.
//
// Invariants
//   * TLS 1.2 or newer, host and chain verified, unless the options say otherwise in so many words; whoever says
//     `insecure` finds it in the log at every start.
//   * The address that a host resolves to is checked when it is connected to (no DNS rebinding): link-local, and
//     unless allowed, loopback addresses are refused. Only http and https.
//   * `Expect:` is never sent (SAP's balancer answers it with an empty 500). Cookies are the caller's affair.
//   * Answers may be compressed (gzip, deflate); `body_max` bounds what they unpack to.
//   * One call at a time per client; `cancel` may come from any thread.
#pragma once
#include <memory>
#include <string>

#include "base/result.h"
#include "outbound/http.h"

namespace millrace::outbound {

struct TlsOptions {
  std::string ca_file{};     // PEM; "" is the system's store
  std::string pin_sha256{};  // "sha256//BASE64" of the server's public key; then the chain need not be trusted
  bool insecure = false;     // trusts anybody: logged
};

struct HttpClientOptions {
  TlsOptions tls;
  std::chrono::milliseconds connect_timeout{10'000};
  bool loopback_allowed = true;
  bool compression = true;
};

// Errors   invalid_input  the CA file cannot be read or the pin is not one; the text says what is wrong
Result<std::unique_ptr<Transport>> make_http_client(HttpClientOptions options);

}  // namespace millrace::outbound
