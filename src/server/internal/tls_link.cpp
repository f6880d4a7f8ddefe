#include "server/internal/tls_link.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace millrace::server {

std::unique_ptr<TlsLink> TlsLink::over(ssl_ctx_st& context, int socket) {
  SSL* ssl = SSL_new(&context);
  if (!ssl) return nullptr;
  std::unique_ptr<TlsLink> link(new TlsLink(ssl));
  if (SSL_set_fd(ssl, socket) != 1) return nullptr;
  SSL_set_accept_state(ssl);
  return link;
}

TlsLink::~TlsLink() { SSL_free(ssl_); }

TlsLink::Step TlsLink::step_of(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return Step::done;
    case SSL_ERROR_WANT_READ:
      return Step::wait_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::wait_write;
    case SSL_ERROR_ZERO_RETURN:
      return Step::ended;
    default:
      is_broken_ = true;  // after such an error the library forbids even a goodbye
      ERR_clear_error();
      return Step::ended;
  }
}

// The library's queue of errors belongs to the thread: what another connection left there must not be taken for ours.
TlsLink::Step TlsLink::handshake() {
  ERR_clear_error();
  return step_of(SSL_do_handshake(ssl_));
}

TlsLink::Step TlsLink::read(char* to, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  return step_of(SSL_read_ex(ssl_, to, size, &count));
}

TlsLink::Step TlsLink::write(std::string_view bytes, std::size_t& count) {
  count = 0;
  if (bytes.empty()) return Step::done;
  ERR_clear_error();
  return step_of(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count));
}

bool TlsLink::has_unread() const { return SSL_pending(ssl_) > 0; }

void TlsLink::say_goodbye() {
  if (is_broken_ || !SSL_is_init_finished(ssl_)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // once: the answer of the other side is not waited for
  ERR_clear_error();
}

}  // namespace millrace::server
