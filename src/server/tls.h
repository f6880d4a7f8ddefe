// The server's certificate: files that are read, looked at, and made for a company that has no authority of its own.
//
// Invariants
//   * A key that everybody may read is refused, not used.
//   * What is made is valid at once: an authority (10 years) and a leaf for this machine (397 days, the longest that
//     browsers take), both P-256. Making again keeps the authority, so that other machines have to trust it only once.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace millrace::server {

// PEM. The certificate may be followed by those between it and its authority.
struct TlsFiles {
  std::string certificate, key;
  bool empty() const { return certificate.empty() && key.empty(); }
};

struct CertificateFacts {
  std::string subject, issuer;
  std::vector<std::string> names;  // hosts and addresses it speaks for
  Instant not_before, not_after;
  std::string fingerprint;  // SHA-256, "AB:CD:..."
};

// Reads the certificate, and that the key belongs to it.
// Errors   not_found      a file is not there
//          denied         the key may be read by everybody
//          invalid_input  no certificate or key, or they do not belong together
Result<CertificateFacts> check_tls_files(const TlsFiles& files);

struct MadeTls {
  TlsFiles files;
  std::string authority_file;  // what other machines trust
  std::string authority_fingerprint;
  bool authority_is_new = false;
};
// Makes DIR/ca.pem, ca.key, cert.pem and key.pem (0600, the folder 0700). An authority that is there signs the new leaf.
// Errors   invalid_input  a name is no host name or address
//          unavailable    the folder cannot be written
Result<MadeTls> make_tls_files(const std::string& folder, const std::vector<std::string>& names, Instant now);

// Where `make_tls_files` puts them below a data folder.
std::string tls_folder(const std::string& data);
TlsFiles made_tls_files(const std::string& folder);

}  // namespace millrace::server
