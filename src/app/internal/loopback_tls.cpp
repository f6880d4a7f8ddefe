#include "app/internal/loopback_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "app/internal/socket_wait.h"

namespace millrace::app {

void LoopbackTls::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

bool LoopbackTls::wait_after(int result, Stopwatch::time_point deadline) const {
  const int wanted = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (wanted == SSL_ERROR_WANT_READ) return wait_for(fd_, POLLIN, deadline);
  if (wanted == SSL_ERROR_WANT_WRITE) return wait_for(fd_, POLLOUT, deadline);
  return false;
}

Result<LoopbackTls> LoopbackTls::over(int fd, Stopwatch::time_point deadline) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL* ssl = context ? SSL_new(context.get()) : nullptr;
  if (!ssl || SSL_set_fd(ssl, fd) != 1) return fail(ErrorCode::unavailable, "TLS cannot be set up on this machine");
  LoopbackTls tls(fd, ssl);
  SSL_set_connect_state(ssl);
  for (int done = 0; done != 1;) {
    done = SSL_do_handshake(ssl);
    if (done != 1 && !tls.wait_after(done, deadline)) return fail(ErrorCode::unavailable, "the TLS handshake did not succeed");
  }
  return tls;
}

Result<void> LoopbackTls::send(std::string_view bytes, Stopwatch::time_point deadline) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
    if (done == 1) bytes.remove_prefix(sent);
    else if (!wait_after(done, deadline)) return fail(ErrorCode::unavailable, "the connection ended");
  }
  return {};
}

Result<std::size_t> LoopbackTls::receive(char* to, std::size_t size, Stopwatch::time_point deadline) {
  for (;;) {
    std::size_t count = 0;
    const int done = SSL_read_ex(ssl_.get(), to, size, &count);
    if (done == 1) return count;
    if (SSL_get_error(ssl_.get(), done) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    if (!wait_after(done, deadline)) return fail(ErrorCode::unavailable, "the connection ended");
  }
}

}  // namespace millrace::app
