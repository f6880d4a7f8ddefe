#include "server/internal/wire.h"

#include "base/fd.h"

namespace millrace::server {

Wire Wire::moved_to(asio::io_context& context) {
  error_code error;
  const tcp::endpoint here = socket_.local_endpoint(error);
  tcp::socket socket(context);
  UniqueFd descriptor(error ? -1 : socket_.release(error));
  if (!error) socket.assign(here.protocol(), descriptor.get(), error);
  if (!error) descriptor.release();
  return {std::move(socket), std::move(peer_), std::move(tls_)};
}

void Wire::wait_for(TlsLink::Step step, std::function<void(error_code)> then) {
  socket_.async_wait(step == TlsLink::Step::wait_read ? tcp::socket::wait_read : tcp::socket::wait_write, std::move(then));
}

void Wire::tls_read(asio::mutable_buffer to, Then then) {
  std::size_t count = 0;
  const TlsLink::Step step = tls_->read(static_cast<char*>(to.data()), to.size(), count);
  // Posted even when it is there: a handler that reads again must not grow the stack.
  if (step == TlsLink::Step::done || step == TlsLink::Step::ended) {
    const error_code error = step == TlsLink::Step::done ? error_code() : error_code(asio::error::eof);
    return asio::post(socket_.get_executor(), [then = std::move(then), error, count] { then(error, count); });
  }
  wait_for(step, [this, to, then = std::move(then)](error_code error) mutable {
    if (error) return then(error, 0);
    tls_read(to, std::move(then));
  });
}

void Wire::tls_write(Parts parts, std::size_t done, Then then) {
  for (asio::const_buffer& part : parts) {
    while (part.size() > 0) {
      std::size_t count = 0;
      const TlsLink::Step step = tls_->write({static_cast<const char*>(part.data()), part.size()}, count);
      part += count;
      done += count;
      if (step == TlsLink::Step::done) continue;
      if (step == TlsLink::Step::ended)
        return asio::post(socket_.get_executor(), [then = std::move(then), done] { then(asio::error::broken_pipe, done); });
      return wait_for(step, [this, parts, done, then = std::move(then)](error_code error) mutable {
        if (error) return then(error, done);
        tls_write(parts, done, std::move(then));
      });
    }
  }
  asio::post(socket_.get_executor(), [then = std::move(then), done] { then(error_code(), done); });
}

ssize_t Wire::tls_read_now(char* to, std::size_t size) {
  std::size_t count = 0;
  const TlsLink::Step step = tls_->read(to, size, count);
  if (step == TlsLink::Step::done) return static_cast<ssize_t>(count);
  return step == TlsLink::Step::ended ? -1 : 0;
}

ssize_t Wire::tls_send_now(std::string_view first, std::string_view second) {
  std::size_t sent = 0;
  for (std::string_view part : {first, second}) {
    while (!part.empty()) {
      std::size_t count = 0;
      const TlsLink::Step step = tls_->write(part, count);
      part.remove_prefix(count);
      sent += count;
      if (step == TlsLink::Step::ended) return -1;
      if (step != TlsLink::Step::done) return static_cast<ssize_t>(sent);
    }
  }
  return static_cast<ssize_t>(sent);
}

}  // namespace millrace::server
