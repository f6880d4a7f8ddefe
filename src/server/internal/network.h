// Threads and the connections on them. One thread is the door: it accepts, reads the first head of each connection and
// answers health itself; a connection that asks for anything else goes on to a thread that answers. So health is told in
// time whatever the others have to do, and who sends slowly or nothing at all stands in nobody's way.
//
// Invariants
//   * A connection belongs to one thread at a time; everything on it happens there. Others post to it.
//   * A thread keeps its connections alive until they retire, and looks at their deadlines once a second: no timer per
//     operation.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/bounded_queue.h"
#include "server/internal/admission.h"
#include "server/internal/backend.h"
#include "server/internal/boost_network.h"
#include "server/internal/live_hub.h"
#include "server/internal/rate_limit.h"
#include "server/internal/router.h"
#include "server/internal/tls_context.h"
#include "server/internal/wire.h"

namespace millrace::server {

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void sweep(Stopwatch::time_point now) = 0;  // end what took too long
  virtual void stop() = 0;                            // end soon: nothing new
};

// What may take milliseconds runs here, so that a network thread never waits for a disk.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool() { stop(); }
  // False: too much waits.
  bool submit(std::function<void()> work);
  // How long work that is handed over now would wait, by what the last pieces took.
  Stopwatch::duration expected_wait() const;
  void stop();

 private:
  void carry_out(const std::function<void()>& work);
  BoundedQueue<std::function<void()>> queue_{64};
  std::atomic<std::int64_t> under_way_{0};    // pieces that wait or are worked on
  std::atomic<std::int64_t> usual_time_{0};   // nanoseconds a piece takes, smoothed
  std::vector<std::thread> threads_;
};

// What all threads share.
struct Core {
  Backend backend;
  ServerOptions options;
  WorkerPool& workers;
  WorkerPool& hashing;  // whoever waits for a password
  WorkerPool& exports;  // files that take seconds: they wait for each other, not in the way of questions
  TlsContext* tls = nullptr;  // none: the address speaks plain HTTP
  std::atomic<bool> stopping{false};

  std::mutex mutex{};
  std::condition_variable retired{};
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> batches_reading{0};
  std::atomic<std::size_t> body_bytes{0};  // of requests that are being read or answered
  AddressCounts addresses{};
  RateLimiter rates{};
  ProxyList proxies{};
};

// How a connection is received: its requests are answered, or it is told at once why not and closed.
enum class Entry { open, too_many, too_many_of_address, wants_tls };

class IoThread {
 public:
  explicit IoThread(Core& core) : core_(core) {}
  // Makes it the door of `others`, before it starts. Errors
  //   conflict   the port is taken or may not be used; the text says what to do
  Result<void> listen(const tcp::endpoint& endpoint, std::vector<IoThread*> others);
  tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  void start();
  // Who answers the next connection that came through this door; null: this thread answers.
  IoThread* next();
  void begin_stop();  // any thread
  void join();
  // How long ago this thread last looked at its connections, which it does once a second. Any thread.
  Stopwatch::duration silence() const { return Stopwatch::now() - Stopwatch::time_point{Stopwatch::duration(swept_.load(std::memory_order_relaxed))}; }

  Core& core() { return core_; }
  asio::io_context& context() { return context_; }
  void keep(std::shared_ptr<Connection> connection) { connections_.insert(std::move(connection)); }
  void retire(const std::shared_ptr<Connection>& connection);
  Admission& admission() { return admission_; }
  // There is work: measures how long what comes now will wait.
  void note_work();
  // A block of a long answer: one of them at a time, and between two of them whatever else is ready has its turn.
  void in_turn(std::function<void()> block);
  // The socket went on to another Connection, which counts from now on.
  void hand_over(const std::shared_ptr<Connection>& connection) { connections_.erase(connection); }

 private:
  void accept();
  void receive(tcp::socket socket, Entry entry);
  void sweep();
  void take_turn();

  Core& core_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer timer_{context_};
  std::atomic<Stopwatch::rep> swept_{Stopwatch::now().time_since_epoch().count()};
  std::vector<IoThread*> others_;  // that answer what comes through this door, in turn
  std::size_t turn_ = 0;
  tcp::endpoint peer_;  // of the connection that is being accepted
  Admission admission_;
  bool marker_waits_ = false;
  std::deque<std::function<void()>> blocks_;  // at most one for each connection
  bool accept_waits_ = false;  // no file descriptors left: tried again at the next sweep
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::thread thread_;
};

void start_http(IoThread& thread, Wire wire, Entry entry);
// Goes on with a connection of another thread, of which `read` holds what was read but not answered. Any thread.
void continue_http(IoThread& thread, Wire wire, boost::beast::flat_buffer read);
// On an address that speaks TLS: the handshake first.
void start_tls(IoThread& thread, tcp::socket socket, Wire::Peer peer);
// A WebSocket on a connection whose opening handshake was read and found right. `head` is our answer to it.
void start_websocket(IoThread& thread, Wire wire, std::string head, LiveCaller caller);
// Server-sent events on a connection whose request was read. `head` is written first.
void start_events(IoThread& thread, Wire wire, std::string head, bool chunked, LiveCaller caller,
                  std::optional<std::uint64_t> since);

}  // namespace millrace::server
