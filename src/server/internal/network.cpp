#include "server/internal/network.h"

#include <pthread.h>
#include <sys/socket.h>

#include <cstring>

#include "base/log.h"
#include "base/turns.h"

namespace millrace::server {

WorkerPool::WorkerPool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] {
      while (auto work = queue_.pop()) (*work)();
    });
}

void WorkerPool::stop() {
  queue_.close();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

IoThread::IoThread(Core& core) : core_(core) {}

Result<void> IoThread::listen(const tcp::endpoint& endpoint) {
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  const int on = 1;
  // The kernel spreads new connections over the threads' own sockets.
  if (!error && ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    return fail(ErrorCode::unavailable, std::string("The port cannot be shared by threads: ") + std::strerror(errno));
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (error)
    return fail(ErrorCode::conflict, "listening on port " + std::to_string(endpoint.port()) + ": " + error.message());
  return {};
}

void IoThread::start() {
  accept();
  sweep();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "network");
    begin_soon();
    context_.run();
  });
}

void IoThread::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) {
      accept_waits_ = true;
      log_warning("accept_failed", {{"reason", error.message()}});
      return;
    }
    const std::size_t open = core_.connections.fetch_add(1) + 1;
    error_code ignored;  // a connection without the option is slower, not wrong
    socket.set_option(tcp::no_delay(true), ignored);
    if (open > core_.options.connections_max + 64) {
      socket.close(ignored);
      retire(nullptr);
    } else {
      const Entry entry = open > core_.options.connections_max ? Entry::too_many : Entry::open;
      if (core_.tls && entry == Entry::open) start_tls(*this, std::move(socket));
      else start_http(*this, Wire(std::move(socket)), entry);
    }
    accept();
  });
}

void IoThread::sweep() {
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](error_code error) {
    if (error) return;
    const auto now = Stopwatch::now();
    swept_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const auto& connection : all) connection->sweep(now);
    if (accept_waits_ && acceptor_.is_open()) {
      accept_waits_ = false;
      accept();
    }
    sweep();
  });
}

void IoThread::retire(const std::shared_ptr<Connection>& connection) {
  if (connection && connections_.erase(connection) == 0) return;
  {
    std::lock_guard lock(core_.mutex);
    core_.connections.fetch_sub(1);
  }
  core_.retired.notify_all();
}

void IoThread::begin_stop() {
  asio::post(context_, [this] {
    error_code ignored;  // it is closed either way
    acceptor_.close(ignored);
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const auto& connection : all) connection->stop();
  });
}

void IoThread::join() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
  connections_.clear();
}

}  // namespace millrace::server
