#include "server/internal/tls_context.h"

#include <algorithm>
#include <string_view>

#include "base/log.h"
#include "server/internal/openssl.h"

namespace millrace::server {

namespace {

// A client that offers protocols and http/1.1 not among them cannot be served: an alert tells it so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned int in_size, void*) {
  static constexpr std::string_view wanted = "http/1.1";
  for (unsigned int at = 0; at < in_size; at += 1U + in[at]) {
    if (at + 1U + in[at] > in_size) break;
    const std::string_view offered(reinterpret_cast<const char*>(in + at + 1), in[at]);
    if (offered != wanted) continue;
    *out = in + at + 1;
    *out_size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<std::shared_ptr<SSL_CTX>> make_context(const TlsFiles& files) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fail(ErrorCode::internal, "TLS cannot be set up: " + openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Buffers go back while a connection is quiet, and what is sent may move between two tries.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  static constexpr unsigned char session_context[] = "millrace";
  SSL_CTX_set_session_id_context(context.get(), session_context, sizeof session_context - 1);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  const bool taken = SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
                     SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) == 1 &&
                     SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
                     SSL_CTX_check_private_key(context.get()) == 1;
  if (!taken) return fail(ErrorCode::invalid_input, "TLS cannot use " + files.certificate + " with " + files.key + ": " + openssl_error());
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::open(TlsFiles files) {
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(files)));
  context->seen_ = context->stamp();
  if (const auto loaded = context->load(); !loaded) return pass_on(loaded);
  return context;
}

Result<void> TlsContext::load() {
  auto facts = check_tls_files(files_);
  if (!facts) return pass_on(facts);
  auto context = make_context(files_);
  if (!context) return pass_on(context);
  const std::lock_guard lock(mutex_);
  context_ = std::move(*context);
  facts_ = std::move(*facts);
  return {};
}

std::shared_ptr<ssl_ctx_st> TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

CertificateFacts TlsContext::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

TlsContext::Stamp TlsContext::stamp() const {
  Stamp stamp;
  int at = 0;
  for (const std::string& path : {files_.certificate, files_.key}) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) {
      stamp.inode[at] = found.st_ino;
      stamp.size[at] = static_cast<std::uint64_t>(found.st_size);
      stamp.changed[at] = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec;
    }
    ++at;
  }
  return stamp;
}

Result<bool> TlsContext::renew(bool anyway) {
  const Stamp now = stamp();
  {
    const std::lock_guard lock(mutex_);
    if (now == seen_ && !anyway) return false;
    seen_ = now;
  }
  if (const auto loaded = load(); !loaded) {
    log_error("certificate_kept", {{"reason", loaded.error().text()}});
    return pass_on(loaded);
  }
  log_info("certificate_renewed", {{"fingerprint", facts().fingerprint}, {"until", rfc3339(facts().not_after)}});
  return true;
}

}  // namespace millrace::server
