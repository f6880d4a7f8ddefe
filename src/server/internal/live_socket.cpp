// WebSocket and event-stream connections of live clients.
#include <array>
#include <cstdio>
#include <deque>

#include "server/internal/network.h"
#include "server/internal/websocket_frames.h"

namespace millrace::server {

namespace {

using namespace std::chrono_literals;

inline constexpr auto ping_period = 25s;
inline constexpr auto silence_max = 55s;  // two pings unanswered: the other end is gone
inline constexpr auto write_time = 60s;
inline constexpr auto close_time = 5s;
inline constexpr std::size_t message_max = 16 << 10;
inline constexpr std::size_t queue_bytes_max = 8 << 20;
inline constexpr std::size_t control_bytes_max = 2 << 10;

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
    write_next();
    tell_if_drained();
  }
  // What is sent after something was sent.
  virtual void write_next() {
    if (!queue_.empty() && !closing_) start_write();
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
    // One message may be larger: everything a client missed comes merged in one.
    if (queue_.size() > core_.options.live_queue_max || (queue_.size() > 1 && queue_bytes_ > queue_bytes_max))
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
  WebSocket(IoThread& thread, Wire wire, LiveCaller caller) : LiveConnection(thread), wire_(std::move(wire)), caller_(std::move(caller)) {}

  void start(std::string head) {
    control_ = std::move(head);
    write_next();
    core_.backend.hub.join(shared(), std::move(caller_), std::nullopt);
    read();
  }

  void may_speak() override {
    post([](LiveConnection& self) { static_cast<WebSocket&>(self).go_on(); });
  }

  void sweep(Stopwatch::time_point now) override {
    if (now > close_deadline_ || (writing_ && now > write_deadline_ + close_time)) return retire();
    if (writing_ && now > write_deadline_) return begin_close(1013, "not reading");
    if (now - last_heard_ > silence_max) return retire();
    if (now - last_ping_ < ping_period || closing_) return;
    last_ping_ = now;
    say(Opcode::ping, {});
  }

  void stop() override { begin_close(1001, "the server stops"); }

 private:
  std::shared_ptr<WebSocket> shared() { return std::static_pointer_cast<WebSocket>(shared_from_this()); }

  // No buffer waits with the connection: thousands of them are quiet most of the time.
  void read() {
    if (reading_ || retired_) return;
    reading_ = true;
    wire_.async_readable([self = shared()](error_code error) {
      self->reading_ = false;
      if (self->retired_) return;
      if (error) return self->retire();
      self->take();
    });
  }

  // A bounded number of blocks in a row; then the other connections of the thread get their turn.
  void take() {
    static thread_local std::array<char, 16 << 10> block;
    for (int i = 0; i < 4; ++i) {
      const ssize_t count = wire_.read_now(block.data(), block.size());
      if (count < 0) return on_end();
      if (count == 0) return read();
      last_heard_ = Stopwatch::now();
      if (!understand({block.data(), static_cast<std::size_t>(count)})) return;
    }
    asio::post(thread_.context(), [self = shared()] {
      if (!self->retired_) self->take();
    });
  }

  // The other side sends no more. Our close frame, if it is on its way, still goes out.
  void on_end() {
    input_ended_ = true;
    if (!closing_ || (is_closed_ && !writing_)) retire();
  }

  // False: nothing more is to be read for now.
  bool understand(std::string_view bytes) {
    while (!bytes.empty()) {
      WebSocketEvent event = reader_.next(bytes);
      switch (event.kind) {
        case WebSocketEvent::Kind::none:
        case WebSocketEvent::Kind::pong:
          break;
        case WebSocketEvent::Kind::ping:
          say(Opcode::pong, event.payload);
          break;
        case WebSocketEvent::Kind::text:
          if (closing_) break;
          // One command at a time: what came behind it waits here, and nothing more is read, until may_speak.
          core_.backend.hub.say(shared(), std::move(event.payload));
          waiting_ = std::string(bytes);
          speaking_ = true;
          return false;
        case WebSocketEvent::Kind::binary:
          begin_close(1003, "text only");
          break;
        case WebSocketEvent::Kind::broken:
          begin_close(event.code, event.reason);
          break;
        case WebSocketEvent::Kind::close:
          begin_close(event.code, {});  // answered by the same code (section 5.5.1)
          break;
      }
    }
    return true;
  }

  void go_on() {
    if (!std::exchange(speaking_, false)) return read();
    const std::string rest = std::exchange(waiting_, {});
    if (understand(rest)) take();
  }

  // Pongs that wait stay few: beyond `control_bytes_max` only the newest ping is answered (section 5.5.3).
  void say(Opcode opcode, std::string_view payload) {
    if (closing_) return;
    if (control_.size() > control_bytes_max) control_.clear();
    append_frame_head(control_, opcode, payload.size());
    control_.append(payload);
    write_next();
  }

  // Our close frame goes out, then our end of the connection; what still comes is read and dropped until the other side
  // ends too or `close_time` is over, since closing with unread bytes would take the frame back.
  void begin_close(int code, std::string_view reason) override {
    if (closing_) return;
    closing_ = true;
    close_deadline_ = Stopwatch::now() + close_time;
    core_.backend.hub.leave(this);
    control_ += close_frame(code, reason);
    write_next();
    read();
  }

  // Control frames go between messages, never inside one.
  void write_next() override {
    if (writing_ || retired_) return;
    if (control_.empty()) {
      if (is_closed_) return finish();
      return LiveConnection::write_next();
    }
    frame_ = std::exchange(control_, {});
    is_closed_ = closing_;
    writing_ = true;
    write_deadline_ = Stopwatch::now() + write_time;
    wire_.async_write(asio::buffer(frame_), [self = shared()](error_code error, std::size_t) {
      self->writing_ = false;
      self->frame_ = {};
      if (self->retired_) return;
      if (error) return self->retire();
      self->write_next();
    });
  }

  void finish() {
    wire_.finish_sending();
    if (input_ended_) retire();
  }

  void write_front() override {
    const std::string& json = *queue_.front().json;
    frame_.clear();
    append_frame_head(frame_, Opcode::text, json.size());
    wire_.async_write(Wire::Parts{asio::buffer(frame_), asio::buffer(json)}, [self = shared()](error_code error, std::size_t) {
      self->frame_ = {};
      if (!self->retired_) self->on_written(error);
    });
  }

  void cut() override { wire_.close(); }

  Wire wire_;
  LiveCaller caller_;  // until it joins
  WebSocketReader reader_{message_max};
  std::string frame_;    // that is being sent
  std::string control_;  // frames that are to be sent before the next message
  std::string waiting_;  // bytes behind a command that is being done
  bool reading_ = false;
  bool speaking_ = false;  // a command is with the hub
  bool is_closed_ = false;  // our close frame is sent, or being sent
  bool input_ended_ = false;
  Stopwatch::time_point last_heard_ = Stopwatch::now();
  Stopwatch::time_point last_ping_ = Stopwatch::now();
  Stopwatch::time_point close_deadline_ = Stopwatch::time_point::max();
};

// Server-sent events: the messages of the topic `changes`, their Sequence as the event id to resume by.
class EventStream final : public LiveConnection {
 public:
  EventStream(IoThread& thread, Wire wire, LiveCaller caller, bool chunked)
      : LiveConnection(thread), wire_(std::move(wire)), caller_(std::move(caller)), chunked_(chunked) {}

  void start(std::string head, std::uint64_t since) {
    frame_ = std::move(head);
    wire_.async_write(asio::buffer(frame_), [self = shared(), since](error_code error, std::size_t) {
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
    wire_.async_write(asio::buffer(frame_), [self = shared()](error_code error, std::size_t) {
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
    wire_.async_write(asio::buffer(frame_), [self = shared()](error_code error, std::size_t) { self->on_written(error); });
  }

  // A browser that closes the page sends an end; nothing else is expected from it.
  void watch_end() {
    wire_.async_read_some(asio::buffer(unread_), [self = shared()](error_code error, std::size_t) {
      if (error) return self->retire();
      self->watch_end();
    });
  }

  void begin_close(int, std::string_view) override { retire(); }
  void cut() override { wire_.close(); }

  Wire wire_;
  LiveCaller caller_;  // until it joins
  const bool chunked_;
  std::string frame_;
  std::array<char, 256> unread_{};
  Stopwatch::time_point last_sent_ = Stopwatch::now();
};

}  // namespace

void start_websocket(IoThread& thread, Wire wire, std::string head, LiveCaller caller) {
  auto connection = std::make_shared<WebSocket>(thread, std::move(wire), std::move(caller));
  thread.keep(connection);
  connection->start(std::move(head));
}

void start_events(IoThread& thread, Wire wire, std::string head, bool chunked, LiveCaller caller, std::optional<std::uint64_t> since) {
  auto connection = std::make_shared<EventStream>(thread, std::move(wire), std::move(caller), chunked);
  thread.keep(connection);
  connection->start(std::move(head), since.value_or(since_now));
}

}  // namespace millrace::server
