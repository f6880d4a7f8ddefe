// A connection before it is one: on an address that speaks TLS, looks at the first byte and makes the handshake.
#include <sys/socket.h>

#include "server/internal/network.h"
#include "server/internal/tls_context.h"

namespace millrace::server {

namespace {

using namespace std::chrono_literals;

inline constexpr auto handshake_time = 10s;
inline constexpr unsigned char handshake_record = 0x16;  // RFC 8446, section 5.1: what a ClientHello comes in

class TlsDoor final : public Connection, public std::enable_shared_from_this<TlsDoor> {
 public:
  TlsDoor(IoThread& thread, tcp::socket socket, Wire::Peer peer) : thread_(thread), socket_(std::move(socket)), peer_(std::move(peer)) {}

  void start() {
    error_code error;
    socket_.native_non_blocking(true, error);
    if (error) return end();
    wait(tcp::socket::wait_read, [](TlsDoor& self) { self.look(); });
  }

  void sweep(Stopwatch::time_point now) override {
    if (now > deadline_) end();
  }
  void stop() override { end(); }

 private:
  template <class Then>
  void wait(tcp::socket::wait_type what, Then then) {
    socket_.async_wait(what, [self = shared_from_this(), then](error_code error) {
      if (self->ended_) return;
      if (error) return self->end();
      then(*self);
    });
  }

  void look() {
    unsigned char first = 0;
    const ssize_t count = ::recv(socket_.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count <= 0) return end();
    if (first != handshake_record) return hand_over(nullptr, Entry::wants_tls);
    // Held until the handshake is over: the library takes its own share of it.
    const std::shared_ptr<ssl_ctx_st> context = thread_.core().tls->current();
    link_ = TlsLink::over(*context, socket_.native_handle());
    if (!link_) return end();
    shake();
  }

  void shake() {
    switch (link_->handshake()) {
      case TlsLink::Step::done:
        return hand_over(std::move(link_), Entry::open);
      case TlsLink::Step::wait_read:
        return wait(tcp::socket::wait_read, [](TlsDoor& self) { self.shake(); });
      case TlsLink::Step::wait_write:
        return wait(tcp::socket::wait_write, [](TlsDoor& self) { self.shake(); });
      case TlsLink::Step::ended:
        return end();
    }
  }

  void hand_over(std::unique_ptr<TlsLink> link, Entry entry) {
    ended_ = true;
    start_http(thread_, Wire(std::move(socket_), std::move(peer_), std::move(link)), entry);
    thread_.hand_over(shared_from_this());
  }

  void end() {
    if (ended_) return;
    ended_ = true;
    error_code ignored;  // closing fails only for what is closed
    socket_.close(ignored);
    thread_.retire(shared_from_this());
  }

  IoThread& thread_;
  tcp::socket socket_;
  Wire::Peer peer_;
  std::unique_ptr<TlsLink> link_;
  bool ended_ = false;
  const Stopwatch::time_point deadline_ = Stopwatch::now() + handshake_time;
};

}  // namespace

void start_tls(IoThread& thread, tcp::socket socket, Wire::Peer peer) {
  auto door = std::make_shared<TlsDoor>(thread, std::move(socket), std::move(peer));
  thread.keep(door);
  door->start();
}

}  // namespace millrace::server
