#include "server/internal/network.h"

#include <pthread.h>
#include "base/log.h"
#include "base/turns.h"

namespace millrace::server {

namespace {
inline constexpr int send_buffer_bytes = 256 << 10;  // the kernel takes twice that
}  // namespace

WorkerPool::WorkerPool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] {
      while (auto work = queue_.pop()) carry_out(*work);
    });
}

bool WorkerPool::submit(std::function<void()> work) {
  under_way_.fetch_add(1, std::memory_order_relaxed);
  const bool taken = queue_.try_push(std::move(work));
  if (!taken) under_way_.fetch_sub(1, std::memory_order_relaxed);
  return taken;
}

void WorkerPool::carry_out(const std::function<void()>& work) {
  const auto began = Stopwatch::now();
  work();
  const std::int64_t took = std::chrono::nanoseconds(Stopwatch::now() - began).count();
  const std::int64_t usual = usual_time_.load(std::memory_order_relaxed);
  usual_time_.store(usual + (took - usual) / 8, std::memory_order_relaxed);  // two threads at once: one of them is lost, it is smooth anyway
  under_way_.fetch_sub(1, std::memory_order_relaxed);
}

Stopwatch::duration WorkerPool::expected_wait() const {
  const auto threads = static_cast<std::int64_t>(threads_.size());
  const std::int64_t before = under_way_.load(std::memory_order_relaxed) - threads + 1;  // that must end first
  return std::chrono::nanoseconds(std::max<std::int64_t>(before, 0) * usual_time_.load(std::memory_order_relaxed) / threads);
}

void WorkerPool::stop() {
  queue_.close();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

Result<void> IoThread::listen(const tcp::endpoint& endpoint, std::vector<IoThread*> others) {
  others_ = std::move(others);
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  // Connections inherit it. What the kernel would hold for a client that does not read grows to megabytes otherwise.
  if (!error) acceptor_.set_option(tcp::acceptor::send_buffer_size(send_buffer_bytes), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (!error) return {};
  const std::string why = error == asio::error::address_in_use ? "is taken by another program"
                          : error == asio::error::access_denied ? "needs more rights"
                                                                : "cannot be listened on (" + error.message() + ")";
  return fail(ErrorCode::conflict, "Port " + std::to_string(endpoint.port()) + " " + why +
                                       ". Choose another with --listen 127.0.0.1:PORT; port 0 takes any free one.");
}

IoThread* IoThread::next() {
  if (others_.empty()) return nullptr;
  return others_[turn_++ % others_.size()];
}

void IoThread::start() {
  if (acceptor_.is_open()) accept();
  sweep();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "network");
    begin_soon();
    context_.run();
  });
}

void IoThread::accept() {
  acceptor_.async_accept(peer_, [this](error_code error, tcp::socket socket) {
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
      receive(std::move(socket), open > core_.options.connections_max ? Entry::too_many : Entry::open);
    }
    accept();
  });
}

void IoThread::receive(tcp::socket socket, Entry entry) {
  Wire::Peer peer{peer_.address()};
  const bool counts = !(core_.options.loopback_is_free && is_loopback(peer.address)) && !core_.proxies.holds(peer.address);
  if (counts && entry == Entry::open) {
    auto place = core_.addresses.enter(limit_key(peer.address), core_.options.connections_per_address);
    if (place) peer.place = std::move(*place);
    else entry = Entry::too_many_of_address;
  }
  if (core_.tls && entry == Entry::open) start_tls(*this, std::move(socket), std::move(peer));
  else start_http(*this, Wire(std::move(socket), std::move(peer)), entry);
}

void IoThread::note_work() {
  if (marker_waits_) return;
  marker_waits_ = true;
  asio::post(context_, [this, put = Stopwatch::now()] {
    marker_waits_ = false;
    const auto now = Stopwatch::now();
    admission_.sample(now - put, now);
  });
}

void IoThread::in_turn(std::function<void()> block) {
  blocks_.push_back(std::move(block));
  if (blocks_.size() == 1) asio::post(context_, [this] { take_turn(); });
}

void IoThread::take_turn() {
  const auto block = std::move(blocks_.front());
  block();
  blocks_.pop_front();
  if (!blocks_.empty()) asio::post(context_, [this] { take_turn(); });
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
  blocks_.clear();
  connections_.clear();
}

}  // namespace millrace::server
