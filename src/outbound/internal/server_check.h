// Who the other side of a TLS connection proved to be, and whether that is enough.
//
//   pin   ca_file   insecure    enough is
//   -     any       -           a chain to a known root (ca_file, else the system's), in date, for this host
//   set   -         any         this public key; chain, dates and host name are not asked
//   set   set       any         both of the above
//   -     any       set         anything
//
// Invariants
//   * A pin is proved inside the handshake: nothing is sent to a server with another key.
//   * What was seen of the certificate is kept for the text of a failure; texts of certificates are made printable.
#pragma once
#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "outbound/http_client.h"

namespace millrace::outbound::internal {

struct SeenCertificate {
  std::string pin;                 // of the server's own key
  std::vector<std::string> names;  // it is for, the first few
  int error = 0;                   // X509_V_...; 0 when the chain is good
  bool of_server = true;           // the error is about the server's own certificate, else about one that signed it
  std::optional<Day> valid_from, valid_until;  // of the certificate the error is about
};

class ServerCheck {
 public:
  // Errors   invalid_input  as make_http_client
  static Result<ServerCheck> make(TlsOptions options);

  bool pin_only() const { return !options_.pin_sha256.empty() && options_.ca_file.empty(); }
  bool trusts_anybody() const { return options_.insecure && options_.pin_sha256.empty(); }
  const TlsOptions& options() const { return options_; }

  // Must outlive every connection of that context.
  void install(SSL_CTX* context);
  void forget() { seen_.reset(); }

  // The sentence for a handshake that failed: `refused` when it was the certificate; `library_text` is what the
  // library said.
  std::string failure_text(std::string_view host, bool refused, std::string_view library_text) const;

 private:
  explicit ServerCheck(TlsOptions options) : options_(std::move(options)) {}
  static int verify(X509_STORE_CTX* chain, void* self);
  std::string certificate_text(std::string_view host) const;

  TlsOptions options_;
  std::optional<SeenCertificate> seen_;
};

// "sha256//BASE64" of the public key, "" when it has none.
std::string pin_of(X509* certificate);

}  // namespace millrace::outbound::internal
