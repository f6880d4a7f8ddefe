#include "server/internal/live_socket.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#pragma GCC diagnostic pop

#include <cstdio>
#include <deque>

namespace millrace::server {

namespace websocket = boost::beast::websocket;

namespace {

using namespace std::chrono_literals;

inline constexpr auto ping_period = 25s;
inline constexpr auto silence_max = 55s;  // two pings unanswered: the other end is gone
inline constexpr auto write_time = 60s;
inline constexpr auto close_time = 5s;
inline constexpr std::size_t message_max = 16 << 10;
inline constexpr std::size_t queue_bytes_max = 8 << 20;

// The bounded queue that both kinds of live connection write from.
class LiveConnection : public Connection, public LiveClient, public std::enable_shared_from_this<LiveConnection> {
 public:
  explicit LiveConnection(IoThread& thread) : thread_(thread), core_(thread.core()) {}

  void send(LiveMessage message) final {
    backlog_.fetch_add(1, std::memory_order_relaxed);
    post([message = std::move(message)](LiveConnection& self) mutable { self.enqueue(std::move(message)); });
  }
  std::size_t backlog() const final { return backlog_.load(std::memory_order_relaxed); }
  void tell_when_drained() final {
    post([](LiveConnection& self) {
      self.drained_wanted_ = true;
      self.tell_if_drained();
    });
  }
  void close(int code, std::string_view reason) final {
    post([code, reason](LiveConnection& self) { self.begin_close(code, reason); });
  }

 protected:
  virtual void write_front() = 0;  // of queue_, then on_written
  virtual void begin_close(int code, std::string_view reason) = 0;
  virtual void cut() = 0;  // close the socket at once

  template <class Act>
  void post(Act act) {
    asio::post(thread_.context(), [self = shared_from_this(), act = std::move(act)]() mutable {
      if (!self->retired_) act(*self);
    });
  }

  void on_written(error_code error) {
    writing_ = false;
    if (error) return retire();
    queue_bytes_ -= queue_.front().json->size();
    queue_.pop_front();
    backlog_.fetch_sub(1, std::memory_order_relaxed);
    if (!queue_.empty() && !closing_) start_write();
    tell_if_drained();
  }

  void retire() {
    if (retired_) return;
    retired_ = true;
    core_.backend.hub.leave(this);
    cut();
    thread_.retire(shared_from_this());
  }

  void start_write() {
    writing_ = true;
    write_deadline_ = Stopwatch::now() + write_time;
    write_front();
  }

  IoThread& thread_;
  Core& core_;
  std::deque<LiveMessage> queue_;
  bool writing_ = false;
  bool closing_ = false;
  bool retired_ = false;
  Stopwatch::time_point write_deadline_ = Stopwatch::time_point::max();

 private:
  void enqueue(LiveMessage message) {
    if (closing_) return;
    queue_bytes_ += message.json->size();
    queue_.push_back(std::move(message));
    if (queue_.size() > core_.options.live_queue_max || queue_bytes_ > queue_bytes_max)
      return begin_close(1013, "too much waits");
    if (!writing_) start_write();
  }
  void tell_if_drained() {
    if (!drained_wanted_ || !queue_.empty()) return;
    drained_wanted_ = false;
    core_.backend.hub.drained(this);
  }

  std::atomic<std::size_t> backlog_{0};
  std::size_t queue_bytes_ = 0;
  bool drained_wanted_ = false;
};

class WebSocket final : public LiveConnection {
 public:
  WebSocket(IoThread& thread, tcp::socket socket, LiveCaller caller)
      : LiveConnection(thread), stream_(std::move(socket)), caller_(std::move(caller)) {}

  void start(boost::beast::http::request<boost::beast::http::string_body> request) {
    request_ = std::move(request);
    stream_.read_message_max(message_max);
    stream_.auto_fragment(false);  // nothing is masked on our side, so a message goes out as it lies
    stream_.control_callback(
        [this](websocket::frame_type, boost::beast::string_view) { last_heard_ = Stopwatch::now(); });
    auto self = shared();
    stream_.async_accept(request_, [self](error_code error) {
      if (error) return self->retire();
      self->request_ = {};
      self->core_.backend.hub.join(self, std::move(self->caller_), std::nullopt);
      self->read();
    });
  }

  void may_speak() override {
    post([](LiveConnection& self) { static_cast<WebSocket&>(self).read(); });
  }

  void sweep(Stopwatch::time_point now) override {
    if (now > close_deadline_ || (writing_ && now > write_deadline_ + close_time)) return retire();
    if (writing_ && now > write_deadline_) return begin_close(1013, "not reading");
    if (now - last_heard_ > silence_max) return retire();
    if (now - last_ping_ < ping_period || closing_ || pinging_) return;
    last_ping_ = now;
    pinging_ = true;
    stream_.async_ping({}, [self = shared()](error_code error) {
      self->pinging_ = false;
      if (error) self->retire();
    });
  }

  void stop() override { begin_close(1001, "the server stops"); }

 private:
  std::shared_ptr<WebSocket> shared() { return std::static_pointer_cast<WebSocket>(shared_from_this()); }

  void read() {
    if (closing_) return;
    stream_.async_read(incoming_, [self = shared()](error_code error, std::size_t) { self->on_read(error); });
  }
  void on_read(error_code error) {
    if (error) return retire();
    last_heard_ = Stopwatch::now();
    if (!stream_.got_text()) return begin_close(1003, "text only");
    std::string text(static_cast<const char*>(incoming_.data().data()), incoming_.size());
    incoming_.consume(incoming_.size());
    core_.backend.hub.say(shared(), std::move(text));  // may_speak reads on: one command at a time
  }

  void write_front() override {
    stream_.text(true);
    const std::string& json = *queue_.front().json;
    stream_.async_write(asio::buffer(json),
                        [self = shared()](error_code error, std::size_t) { self->on_written(error); });
  }

  void begin_close(int code, std::string_view reason) override {
    if (closing_) return;
    closing_ = true;
    close_deadline_ = Stopwatch::now() + close_time;
    core_.backend.hub.leave(this);
    const websocket::close_reason why(static_cast<websocket::close_code>(code), {reason.data(), reason.size()});
    stream_.async_close(why, [self = shared()](error_code) { self->retire(); });
  }

  void cut() override {
    error_code ignored;  // closing fails only for what is closed
    stream_.next_layer().close(ignored);
  }

  websocket::stream<tcp::socket, false> stream_;
  LiveCaller caller_;  // until it joins
  boost::beast::http::request<boost::beast::http::string_body> request_;
  boost::beast::flat_buffer incoming_;
  bool pinging_ = false;
  Stopwatch::time_point last_heard_ = Stopwatch::now();
  Stopwatch::time_point last_ping_ = Stopwatch::now();
  Stopwatch::time_point close_deadline_ = Stopwatch::time_point::max();
};

// Server-sent events: the messages of the topic `changes`, their Sequence as the event id to resume by.
class EventStream final : public LiveConnection {
 public:
  EventStream(IoThread& thread, tcp::socket socket, LiveCaller caller, bool chunked)
      : LiveConnection(thread), socket_(std::move(socket)), caller_(std::move(caller)), chunked_(chunked) {}

  void start(std::string head, std::uint64_t since) {
    frame_ = std::move(head);
    asio::async_write(socket_, asio::buffer(frame_), [self = shared(), since](error_code error, std::size_t) {
      if (error) return self->retire();
      self->core_.backend.hub.join(self, std::move(self->caller_), since);
      self->watch_end();
    });
  }

  void may_speak() override {}

  void sweep(Stopwatch::time_point now) override {
    if (writing_ && now > write_deadline_) return retire();
    if (now - last_sent_ < ping_period || writing_) return;
    frame_ = framed(": still here\n\n");
    writing_ = true;
    last_sent_ = now;
    write_deadline_ = now + write_time;
    asio::async_write(socket_, asio::buffer(frame_), [self = shared()](error_code error, std::size_t) {
      self->writing_ = false;
      if (error) return self->retire();
      if (!self->queue_.empty()) self->start_write();
    });
  }

  void stop() override { begin_close(1001, ""); }

 private:
  std::shared_ptr<EventStream> shared() { return std::static_pointer_cast<EventStream>(shared_from_this()); }

  std::string framed(std::string text) const {
    if (!chunked_) return text;
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
  }

  void write_front() override {
    const LiveMessage& message = queue_.front();
    std::string text;
    if (message.op != "delta") text += "event: " + std::string(message.op) + "\n";
    text += "id: " + std::to_string(message.as_of) + "\ndata: " + *message.json + "\n\n";
    frame_ = framed(std::move(text));
    last_sent_ = Stopwatch::now();
    asio::async_write(socket_, asio::buffer(frame_),
                      [self = shared()](error_code error, std::size_t) { self->on_written(error); });
  }

  // A browser that closes the page sends an end; nothing else is expected from it.
  void watch_end() {
    socket_.async_read_some(asio::buffer(unread_), [self = shared()](error_code error, std::size_t) {
      if (error) return self->retire();
      self->watch_end();
    });
  }

  void begin_close(int, std::string_view) override { retire(); }
  void cut() override {
    error_code ignored;  // closing fails only for what is closed
    socket_.close(ignored);
  }

  tcp::socket socket_;
  LiveCaller caller_;  // until it joins
  const bool chunked_;
  std::string frame_;
  std::array<char, 256> unread_{};
  Stopwatch::time_point last_sent_ = Stopwatch::now();
};

}  // namespace

void start_websocket(IoThread& thread, tcp::socket socket,
                     boost::beast::http::request<boost::beast::http::string_body> request, LiveCaller caller) {
  auto connection = std::make_shared<WebSocket>(thread, std::move(socket), std::move(caller));
  thread.keep(connection);
  connection->start(std::move(request));
}

void start_events(IoThread& thread, tcp::socket socket, std::string head, bool chunked, LiveCaller caller,
                  std::optional<std::uint64_t> since) {
  auto connection = std::make_shared<EventStream>(thread, std::move(socket), std::move(caller), chunked);
  thread.keep(connection);
  connection->start(std::move(head), since.value_or(since_now));
}

}  // namespace millrace::server
