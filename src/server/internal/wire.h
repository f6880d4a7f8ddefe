// The bytes of one connection, plain or over TLS: sessions do not know which.
//
// Invariants
//   * Belongs to one thread. Whoever calls keeps the Wire where it is until the handler was called.
//   * A plain connection pays one test of a pointer for what TLS needs.
#pragma once
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string_view>

#include "server/internal/boost_network.h"
#include "server/internal/client_address.h"
#include "server/internal/tls_link.h"

namespace millrace::server {

namespace asio = boost::asio;
using tcp = boost::asio::ip::tcp;
using boost::system::error_code;

class Wire {
 public:
  using Then = std::function<void(error_code, std::size_t)>;
  using Parts = std::array<asio::const_buffer, 2>;

  // Where the bytes come from, and its place among the connections of that address.
  struct Peer {
    IpAddress address;
    AddressCounts::Place place = {};
  };

  Wire(tcp::socket socket, Peer peer, std::unique_ptr<TlsLink> tls = nullptr)
      : socket_(std::move(socket)), peer_(std::move(peer)), tls_(std::move(tls)) {}

  // The same connection on another thread's context, for a wire nobody waits on. Not open when the kernel has no room.
  Wire moved_to(asio::io_context& context);
  bool is_open() const { return socket_.is_open(); }

  const IpAddress& peer() const { return peer_.address; }
  bool is_secure() const { return tls_ != nullptr; }
  tcp::socket& socket() { return socket_; }

  template <class Handler>
  void async_read_some(asio::mutable_buffer to, Handler then) {
    if (tls_) return tls_read(to, std::move(then));
    socket_.async_read_some(to, std::move(then));
  }
  // All of both parts.
  template <class Handler>
  void async_write(const Parts& parts, Handler then) {
    if (tls_) return tls_write(parts, 0, std::move(then));
    asio::async_write(socket_, parts, std::move(then));
  }
  template <class Handler>
  void async_write(asio::const_buffer bytes, Handler then) {
    if (tls_) return tls_write({bytes, asio::const_buffer()}, 0, std::move(then));
    asio::async_write(socket_, bytes, std::move(then));
  }
  // Calls when something can be read; holds no buffer meanwhile.
  template <class Handler>
  void async_readable(Handler then) {
    if (tls_ && tls_->has_unread())
      return asio::post(socket_.get_executor(), [then = std::move(then)]() mutable { then(error_code()); });
    socket_.async_wait(tcp::socket::wait_read, std::move(then));
  }

  // At once. Bytes read; 0: nothing is there now; -1: the end.
  ssize_t read_now(char* to, std::size_t size) {
    if (tls_) return tls_read_now(to, size);
    const ssize_t count = retried([&] { return ::recv(socket_.native_handle(), to, size, MSG_DONTWAIT); });
    if (count > 0) return count;
    return count < 0 && is_wait(errno) ? 0 : -1;
  }
  // At once. Bytes of both parts that were taken; -1: the end.
  ssize_t send_now(std::string_view first, std::string_view second) {
    if (tls_) return tls_send_now(first, second);
    std::array<iovec, 2> parts = {iovec{const_cast<char*>(first.data()), first.size()}, iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = second.empty() ? 1 : 2;
    const ssize_t count = retried([&] { return ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
    return count >= 0 ? count : is_wait(errno) ? 0 : -1;
  }

  void cancel() {
    error_code ignored;  // a closed socket has nothing to cancel
    socket_.cancel(ignored);
  }
  void finish_sending() {
    if (tls_) tls_->say_goodbye();
    error_code ignored;  // a peer that is gone needs no goodbye
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  void close() {
    if (tls_ && socket_.is_open()) tls_->say_goodbye();
    error_code ignored;  // closing fails only for what is closed
    socket_.close(ignored);
  }

 private:
  static bool is_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK; }
  template <class Call>
  static ssize_t retried(Call call) {
    ssize_t count;
    do count = call();
    while (count < 0 && errno == EINTR);
    return count;
  }

  void tls_read(asio::mutable_buffer to, Then then);
  void tls_write(Parts parts, std::size_t done, Then then);
  ssize_t tls_read_now(char* to, std::size_t size);
  ssize_t tls_send_now(std::string_view first, std::string_view second);
  void wait_for(TlsLink::Step step, std::function<void(error_code)> then);

  tcp::socket socket_;
  Peer peer_;
  std::unique_ptr<TlsLink> tls_;  // refers to the socket's descriptor, which a move does not change
};

}  // namespace millrace::server
