// What all TLS connections share: certificate, key, versions and ciphers. Renewed without a restart.
//
// Invariants
//   * Connections keep the context they began with; a new pair of files counts for those that come later.
//   * A pair that does not hold (half written, wrong key) changes nothing: the old one goes on and the log says why.
//   * TLS 1.2 and newer, forward secrecy and authenticated ciphers only, no renegotiation, http/1.1 alone by ALPN.
#pragma once
#include <sys/stat.h>

#include <memory>
#include <mutex>

#include "server/tls.h"

struct ssl_ctx_st;

namespace millrace::server {

class TlsContext {
 public:
  // Errors as check_tls_files.
  static Result<std::unique_ptr<TlsContext>> open(TlsFiles files);

  std::shared_ptr<ssl_ctx_st> current() const;
  CertificateFacts facts() const;
  // Looks at the files and takes them when they changed, or in any case when `anyway`. True: taken.
  Result<bool> renew(bool anyway);

 private:
  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}
  struct Stamp {
    std::uint64_t inode[2] = {}, size[2] = {};
    std::int64_t changed[2] = {};
    bool operator==(const Stamp&) const = default;
  };
  Stamp stamp() const;
  Result<void> load();

  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_;
  CertificateFacts facts_;
  Stamp seen_;
};

}  // namespace millrace::server
