// One HTTP/1.1 connection: reads strictly, answers in order, never repairs what is ambiguous.
//
//   idle -> head -> body -> handling -> writing -> idle        keep-alive, pipelining
//                      \________ refused ______/ -> draining -> retired
//
// Invariants
//   * A request without a body is read in place and answered by one system call; the head of one with a body moves to
//     memory of its own, since the buffer goes on filling.
//   * Answers to requests that came together leave together; `out_` is sent before anything is waited for.
//   * After `turn_requests` answers in a row, or `turn_time`, the other connections of the thread get their turn.
#include "server/internal/boost_network.h"

#include <array>
#include <cstdio>

#include "base/log.h"
#include "base/text.h"
#include "server/internal/dispatch.h"
#include "server/internal/host_names.h"
#include "server/internal/network.h"
#include "server/internal/request_body.h"
#include "server/internal/request_head.h"
#include "server/internal/websocket_frames.h"

namespace millrace::server {

namespace {

using namespace std::chrono_literals;

inline constexpr auto head_time = 10s;
inline constexpr auto body_patience = 10s;                 // and what the bytes that came are worth at
inline constexpr std::size_t body_rate_min = 8 << 10;      // bytes per second
inline constexpr auto idle_time = 60s;
inline constexpr auto write_time = 30s;                    // and what is to be sent at
inline constexpr std::size_t write_rate_min = 8 << 10;     // bytes per second
inline constexpr auto drain_time = 2s;
inline constexpr std::size_t drain_bytes_max = 256 << 10;
inline constexpr int turn_requests = 16;
inline constexpr auto turn_time = 2ms;
inline constexpr std::size_t batch_bytes_max = 64 << 10;  // of answers that wait for the next one

class HttpSession final : public Connection, public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(IoThread& thread, Wire wire) : thread_(thread), core_(thread.core()), wire_(std::move(wire)) {
    request_.secure = wire_.is_secure();
    request_.peer = wire_.peer().to_string();
  }
  ~HttpSession() override { core_.body_bytes.fetch_sub(body_counted_); }

  void start(Entry entry) {
    entry_ = entry;
    if (entry == Entry::open || entry == Entry::wants_tls) return begin_request();
    request_.id = request_id({});
    if (entry == Entry::too_many) return refuse({503, "overloaded", "Too many connections are open; try again in a moment.", {}});
    refuse({429, "too-many-requests", "Too many connections from your address are open; close some, or raise connections_per_address.", {}});
  }
  void continue_with(boost::beast::flat_buffer read) {
    buffer_ = std::move(read);
    begin_request();
  }

  void sweep(Stopwatch::time_point now) override {
    if (now < deadline_) return;
    switch (state_) {
      case State::head:
      case State::body:
        state_ = State::idle;  // the pending read must not answer a second time
        timed_out_ = true;
        wire_.cancel();
        return;
      case State::idle:
      case State::writing:
      case State::draining:
        return end();
      case State::handling:
        return;
    }
  }

  void stop() override {
    if (state_ == State::idle || state_ == State::draining) end();
  }

 private:
  enum class State { idle, head, body, handling, writing, draining };

  // -- reading

  void begin_request() {
    buffer_.consume(std::exchange(head_size_, 0));
    body_.reset();
    core_.body_bytes.fetch_sub(std::exchange(body_counted_, 0));
    request_.reset();
    rate_row_ = nullptr;
    batch_place_.reset();
    state_ = State::idle;
    deadline_ = now_ + idle_time;
    if (buffer_.size() > 0) {
      advance();
    } else if (core_.stopping) {
      end();
    } else {
      read();
    }
  }

  void read() {
    if (!out_.empty()) return send({}, [self = shared_from_this()] { self->read(); });
    turn_left_ = turn_requests;
    auto self = shared_from_this();
    wire_.async_read_some(buffer_.prepare(8192), [self](error_code error, std::size_t count) {
      self->buffer_.commit(count);
      self->turn_began_ = self->now_ = Stopwatch::now();
      self->on_read(error);
    });
  }

  void on_read(error_code error) {
    if (timed_out_) {
      request_.id = request_id({});
      return refuse({408, "request-timeout", "The request did not arrive in time.", {}});
    }
    if (error) {
      // Half a request and then the end: whoever sent it is gone or waits for an answer to something broken.
      if (error == asio::error::eof && state_ != State::idle) {
        if (request_.id.empty()) request_.id = request_id({});
        return refuse({400, "bad-request", "The request ended before it was complete.", {}});
      }
      return end();
    }
    advance();
  }

  // Goes on with what is in the buffer.
  void advance() {
    if (state_ == State::idle) {
      skip_empty_lines();
      if (buffer_.size() == 0) return read();
      state_ = State::head;
      deadline_ = now_ + head_time;
      started_ = now_;
    }
    if (state_ == State::head && !read_head()) return;
    if (state_ == State::body) read_body();
  }

  void skip_empty_lines() {
    for (int i = 0; i < 2 && view().starts_with("\r\n"); ++i) buffer_.consume(2);
  }

  std::string_view view() const { return {static_cast<const char*>(buffer_.data().data()), buffer_.size()}; }

  // False: waits for more or was refused.
  bool read_head() {
    HeadCheck check = check_head(view(), core_.options.head_max);
    if (check.problem) {
      request_.id = request_id({});
      refuse(*check.problem);
      return false;
    }
    if (!check.complete) {
      read();
      return false;
    }
    return take_head(check);
  }

  bool take_head(HeadCheck& check) {
    if (!core_.backend.router.is_health(check.target) && entry_ == Entry::open) {
      if (IoThread* const other = thread_.next()) {
        move_to(*other);
        return false;
      }
    }
    Framing framing;
    auto problem = read_fields(check, request_, framing);
    if (!problem && framing.body != Framing::Body::none) {
      // The buffer moves when more is read into it, so the head gets a place of its own.
      head_text_.assign(view().substr(0, check.size));
      check = check_head(head_text_, core_.options.head_max);
      request_.headers.clear();
      problem = read_fields(check, request_, framing);
      body_.emplace(framing, body_max());
      buffer_.consume(check.size);
    } else {
      head_size_ = check.size;  // stays in the buffer, the request's views point into it
    }
    request_.id = request_id(request_.header("X-Request-Id"));
    target_ = check.target;
    if (!problem && body_ && body_->problem()) problem = too_large(*body_->problem());
    if (problem) {
      refuse(*problem);
      return false;
    }
    if (framing.says_continue && buffer_.size() == 0) {
      state_ = State::body;
      body_started_ = now_;
      set_body_deadline();
      say_continue();
      return false;
    }
    state_ = State::body;
    body_started_ = now_;
    set_body_deadline();
    return true;
  }

  // Out of the door: the head is still in the buffer and is read there again.
  void move_to(IoThread& other) {
    if (!out_.empty()) return send({}, [self = shared_from_this(), &other] { self->move_to(other); });
    continue_http(other, std::move(wire_), std::move(buffer_));
    thread_.hand_over(shared_from_this());
  }

  // Pushed batches and workbooks may be long. Only so many are read at once, so that bodies never fill the memory.
  std::size_t body_max() {
    const std::string_view head = head_text_;
    if (!head.starts_with("POST /api/v1/ingest/") && !head.starts_with("POST /api/v1/overlay/sheet?") && !head.starts_with("POST /api/v1/finance/import?")) return core_.options.body_max;
    batch_place_.emplace(core_);
    return batch_place_->is_free ? core_.options.batch_max : core_.options.body_max;
  }
  struct BatchPlace {
    explicit BatchPlace(Core& all) : core(all), is_free(core.batches_reading.fetch_add(1) < core.options.batches_reading_max) {}
    ~BatchPlace() { core.batches_reading.fetch_sub(1); }
    BatchPlace(const BatchPlace&) = delete;
    BatchPlace& operator=(const BatchPlace&) = delete;
    Core& core;
    const bool is_free;
  };

  // A sender is given time by what it sent: half a second of silence costs nothing, a trickle ends.
  void set_body_deadline() {
    const auto by_rate = std::chrono::milliseconds((body_ ? body_->received() : 0) * 1000 / body_rate_min);
    deadline_ = body_started_ + body_patience + by_rate;
  }

  void read_body() {
    if (!body_) return handle();
    buffer_.consume(body_->take(view()));
    const std::size_t added = body_->body.size() - body_counted_;
    body_counted_ += added;
    if (core_.body_bytes.fetch_add(added) + added > core_.options.body_bytes_max)
      return refuse({503, "overloaded", "Too many large requests arrive at once; send it again in a moment.", {}});
    if (body_->problem()) return refuse(too_large(*body_->problem()));
    if (!body_->is_done()) {
      set_body_deadline();
      return read();
    }
    request_.body = std::move(body_->body);
    handle();
  }

  // A batch that found no place was measured by the smaller bound; what it hears is to come again.
  Problem too_large(const Problem& problem) const {
    if (problem.status == 413 && batch_place_ && !batch_place_->is_free)
      return {503, "overloaded", "Too many batches arrive at once; send it again in a moment.", {}};
    return problem;
  }

  void say_continue() {
    if (!out_.empty()) return send({}, [self = shared_from_this()] { self->say_continue(); });
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    auto self = shared_from_this();
    wire_.async_write(asio::buffer(text.data(), text.size()), [self](error_code error, std::size_t) {
      if (error) return self->end();
      self->read();
    });
  }

  // -- handling

  void handle() {
    state_ = State::handling;
    if (const auto problem = split_target(target_, request_)) return refuse(*problem);
    if (entry_ == Entry::wants_tls) return point_to_tls();
    thread_.note_work();
    look_behind_proxies();
    request_.host_is_ours = is_named(request_.host, core_.options.names) || (core_.tls && is_named(request_.host, core_.tls->facts().names));
    dispatch_ = dispatch(request_, core_.backend);
    if (dispatch_.response) {
      // An address that is not well-formed says something about its sender: nothing more is read from it.
      if (dispatch_.response->status == 400) dispatch_.response->close = true;
      return answer(std::move(*dispatch_.response));
    }
    if (const auto problem = not_now()) return answer(problem_response(request_, *problem));
    if (!dispatch_.route->slow) return answer(run(*dispatch_.route, request_, core_.backend));
    if (!out_.empty()) return send({}, [self = shared_from_this()] { self->submit(); });
    submit();
  }

  // Plain HTTP on an address that speaks TLS: a browser is shown the way, everybody else is told.
  void point_to_tls() {
    dispatch_ = {};
    dispatch_.index = core_.backend.router.routes().size();
    const bool reads = request_.method == "GET" || request_.method == "HEAD";
    const bool is_ours = is_loopback_authority(request_.host) || is_named(request_.host, core_.tls->facts().names);
    Response response = problem_response(request_, {400, "tls-required", "This address speaks HTTPS: write https:// instead of http://.", {}});
    if (reads && is_ours) {
      response.status = 308;
      std::string place = "https://";
      place.append(request_.host).append(request_.raw_path);
      if (!request_.raw_query.empty()) place.append("?").append(request_.raw_query);
      response.header("Location", std::move(place));
    }
    response.close = true;
    answer(std::move(response));
  }

  // What a trusted proxy says about its client.
  void look_behind_proxies() {
    if (core_.proxies.empty()) return;
    client_ = wire_.peer();
    request_.secure = wire_.is_secure();
    if (core_.proxies.holds(client_)) {
      std::vector<std::string_view> forwarded;
      for (const auto& [name, value] : request_.headers)
        if (equal_ignoring_case(name, "X-Forwarded-For")) forwarded.push_back(value);
      client_ = core_.proxies.client_of(client_, forwarded);
      if (equal_ignoring_case(request_.header("X-Forwarded-Proto"), "https")) request_.secure = true;
    }
    request_.peer = client_.to_string();
  }

  // Whether this route may not be asked at this moment: too often by this client, or too much waits.
  std::optional<Problem> not_now() {
    const RateClass rate = rate_class_of(*dispatch_.route);
    if (rate == RateClass::none) return std::nullopt;
    if (!thread_.admission().admit(now_)) return Problem{503, "overloaded", "There is more to do at this moment than can be done; try again in a moment.", {}};
    const bool waits = dispatch_.route->slow && dispatch_.route->answer != Answer::xlsx;
    if (waits && core_.workers.expected_wait() > Admission::wait_max)
      return Problem{503, "overloaded", "Too many slow questions wait; try again in a moment.", {}};
    const RateRow& row = rate_row(rate);
    const std::string identity = rate_identity(request_);
    if (row.limit == 0 || (identity.empty() && !row.loopback_counts && is_loopback(client_))) return std::nullopt;
    rate_row_ = &row;
    rate_ = core_.rates.take(row, identity.empty() ? "address " + limit_key(client_) : identity, Stopwatch::now());
    if (rate_.allowed) return std::nullopt;
    return Problem{429, "too-many-requests", "This was asked " + std::to_string(row.limit) + " times within a minute; try again in " + std::to_string(rate_.until.count()) + " s.", {}};
  }

  void say_rate() {
    const auto item = [&](std::string_view first, std::uint64_t a, std::string_view second, std::int64_t b) {
      std::string text;
      text.append("\"").append(rate_row_->name).append("\"").append(first).append(std::to_string(a)).append(second).append(std::to_string(b));
      return text;
    };
    response_.header("RateLimit-Policy", item(";q=", rate_row_->limit, ";w=", rate_window.count()));
    response_.header("RateLimit", item(";r=", rate_.left, ";t=", rate_.until.count()));
    if (rate_.allowed) return;
    std::erase_if(response_.headers, [](const auto& header) { return header.first == "Retry-After"; });
    response_.header("Retry-After", std::to_string(rate_.until.count()));
  }

  void submit() {
    auto self = shared_from_this();
    WorkerPool& pool = dispatch_.route->hashes ? core_.hashing : dispatch_.route->answer == Answer::xlsx ? core_.exports : core_.workers;
    const bool taken = pool.submit([self] {
      auto response = std::make_shared<Response>(run(*self->dispatch_.route, self->request_, self->core_.backend));
      asio::post(self->thread_.context(), [self, response] {
        self->now_ = Stopwatch::now();
        self->answer(std::move(*response));
      });
    });
    if (!taken)
      answer(
          problem_response(request_, {503, "overloaded", "Too many slow questions wait; try again in a moment.", {}}));
  }

  void refuse(const Problem& problem) {
    dispatch_ = {};
    dispatch_.index = core_.backend.router.routes().size();
    Response response = problem_response(request_, problem);
    response.close = true;
    answer(std::move(response));
  }

  // -- writing

  void answer(Response response) {
    response_ = std::move(response);
    if (response_.live != Live::no) {
      if (!out_.empty()) return send({}, [self = shared_from_this()] { self->go_live(); });
      return go_live();
    }
    if (rate_row_) say_rate();
    pack(request_, response_);
    if (turn_left_ > 1 && Stopwatch::now() - turn_began_ > turn_time) turn_left_ = 1;
    closing_ = response_.close || !request_.keep_alive || core_.stopping ||
               (response_.stream && request_.http_1_0 && !response_.stream->length());
    append_head(out_, request_, response_, core_.backend.services.clock.now(), !closing_);
    const bool bodiless = dispatch_.head || response_.status == 304 || response_.status == 204;
    if (response_.stream && !bodiless) {
      state_ = State::writing;
      framed_ = std::exchange(out_, {});
      return write_block_in_turn();
    }
    count();  // before it is sent: who has the answer finds it in the statistics
    if (!bodiless) out_.append(response_.first());
    std::string_view tail = bodiless ? std::string_view() : response_.second();
    if (another_waits() && out_.size() + tail.size() < batch_bytes_max) {
      out_.append(tail);
      return written();
    }
    send(tail, [self = shared_from_this()] { self->written(); });
  }

  // A whole head lies behind this request, so its answer follows at once.
  bool another_waits() const {
    return !closing_ && turn_left_ > 1 && view().substr(head_size_).find("\r\n\r\n") != std::string_view::npos;
  }

  // Sends what waits and `tail`, which lives until then, and goes on with `then`: mostly by one call that is done at
  // once; a client that does not read makes us wait for it.
  template <class Then>
  void send(std::string_view tail, Then then) {
    const ssize_t sent = wire_.send_now(out_, tail);
    if (sent < 0) return end();
    const auto done = static_cast<std::size_t>(sent);
    if (done == out_.size() + tail.size()) {
      out_.clear();
      return then();
    }
    const std::size_t of_tail = done > out_.size() ? done - out_.size() : 0;
    const Wire::Parts rest = {asio::buffer(out_) + done, asio::buffer(tail.data() + of_tail, tail.size() - of_tail)};
    const State before = std::exchange(state_, State::writing);
    deadline_ = Stopwatch::now() + write_patience(rest[0].size() + rest[1].size());
    wire_.async_write(rest, [self = shared_from_this(), before, then](error_code error, std::size_t) {
      if (error) return self->end();
      self->out_.clear();
      self->state_ = before;
      then();
    });
  }

  static Stopwatch::duration write_patience(std::size_t bytes) { return write_time + std::chrono::milliseconds(bytes * 1000 / write_rate_min); }

  void write_block_in_turn() {
    deadline_ = Stopwatch::now() + write_time;
    thread_.in_turn([self = shared_from_this()] { self->write_block(); });
  }

  // One block of a stream: memory is bounded by the block, the client's pace decides when the next is made.
  void write_block() {
    if (!wire_.is_open()) return;  // ended while it waited for its turn
    block_.clear();
    const Result<bool> more = response_.stream->next(block_);
    const bool chunked = !request_.http_1_0 && !response_.stream->length();
    if (chunked && !block_.empty()) {
      char size[24];
      std::snprintf(size, sizeof size, "%zx\r\n", block_.size());
      framed_ += size;
    }
    framed_ += block_;
    if (chunked && !block_.empty()) framed_ += "\r\n";
    const bool last = more && !*more;
    if (chunked && last) framed_ += "0\r\n\r\n";
    if (!more) log_error("export_failed", {{"request", request_.id}, {"reason", more.error().text()}});
    deadline_ = Stopwatch::now() + write_patience(framed_.size());
    auto self = shared_from_this();
    const bool failed = !more;
    wire_.async_write(asio::buffer(framed_), [self, last, failed](error_code error, std::size_t) {
      if (error || failed) return self->end();  // cut: no end mark, so nobody takes it for whole
      self->framed_.clear();
      if (last) return self->written();
      self->write_block_in_turn();
    });
  }

  void count() {
    now_ = Stopwatch::now();
    core_.backend.statistics.record(dispatch_.index, response_.status, now_ - started_, now_);
  }

  void written() {
    now_ = Stopwatch::now();
    if (state_ == State::writing) count();  // a stream, which is an answer when its end is out
    response_ = {};
    if (closing_) return drain();
    if (--turn_left_ > 0 || buffer_.size() == head_size_) return begin_request();
    // The others first. What waits in `out_` is nothing: the last answer of a turn is always sent.
    state_ = State::handling;
    turn_left_ = turn_requests;
    asio::post(thread_.context(), [self = shared_from_this()] {
      self->turn_began_ = Stopwatch::now();
      self->begin_request();
    });
  }

  // Closing with unread bytes would reset the connection and lose the answer on its way.
  void drain() {
    wire_.finish_sending();
    state_ = State::draining;
    deadline_ = Stopwatch::now() + drain_time;
    drained_ = 0;
    head_size_ = 0;
    buffer_.consume(buffer_.size());
    drain_more();
  }
  void drain_more() {
    auto self = shared_from_this();
    wire_.async_read_some(buffer_.prepare(8192), [self](error_code error, std::size_t count) {
      self->drained_ += count;
      if (error || self->drained_ > drain_bytes_max) return self->end();
      self->drain_more();
    });
  }

  void go_live() {
    core_.backend.statistics.record(dispatch_.index, response_.live == Live::websocket ? 101 : 200,
                                    now_ - started_, now_);
    auto self = shared_from_this();
    if (response_.live == Live::websocket) {
      if (buffer_.size() > head_size_) {
        response_ = {};
        return refuse({400, "bad-request", "Nothing may follow before the WebSocket is agreed.", {}});
      }
      Response agreed;
      agreed.status = 101;
      agreed.header("Upgrade", "websocket");
      agreed.header("Connection", "Upgrade");
      agreed.header("Sec-WebSocket-Accept", accept_key(request_.header("Sec-WebSocket-Key")));
      std::string head;
      append_head(head, request_, agreed, core_.backend.services.clock.now(), true);
      start_websocket(thread_, std::move(wire_), std::move(head), {request_.caller, started_});
    } else {
      Response events;
      events.content_type = "text/event-stream";
      events.header("Cache-Control", "no-store");
      if (dispatch_.head) return answer(std::move(events));
      events.stream = std::make_unique<Endless>();
      std::string head;
      append_head(head, request_, events, core_.backend.services.clock.now(), false);
      const std::uint64_t since = response_.live_since;
      start_events(thread_, std::move(wire_), std::move(head), !request_.http_1_0, {request_.caller, started_}, since);
    }
    // The connection lives on in another object, which retires it in our stead.
    thread_.hand_over(self);
  }

  // Only says that the length is not known.
  struct Endless final : BodyStream {
    Result<bool> next(std::string&) override { return true; }
  };

  void end() {
    wire_.close();
    thread_.retire(shared_from_this());
  }

  IoThread& thread_;
  Core& core_;
  Wire wire_;
  boost::beast::flat_buffer buffer_;
  std::optional<BodyReader> body_;         // of a request that has one
  std::string head_text_;                  // the head of a request with a body
  std::optional<BatchPlace> batch_place_;  // while a batch is read and answered
  Request request_;
  std::string_view target_;
  std::size_t head_size_ = 0;  // of the request in hand, still in the buffer
  Dispatch dispatch_;
  Response response_;
  std::string out_;  // answers that wait to be sent
  std::string block_;
  std::string framed_;
  State state_ = State::idle;
  Entry entry_ = Entry::open;
  IpAddress client_ = wire_.peer();  // the one behind trusted proxies
  const RateRow* rate_row_ = nullptr;  // of the request in hand, when it is counted
  RateDecision rate_;
  std::size_t body_counted_ = 0;  // of Core::body_bytes
  bool timed_out_ = false;
  bool closing_ = false;
  std::size_t drained_ = 0;
  int turn_left_ = turn_requests;
  Stopwatch::time_point turn_began_ = Stopwatch::now();
  Stopwatch::time_point now_ = Stopwatch::now();  // when the last thing happened on this connection
  Stopwatch::time_point started_ = now_;
  Stopwatch::time_point body_started_ = now_;
  Stopwatch::time_point deadline_ = now_ + idle_time;
};

}  // namespace

void start_http(IoThread& thread, Wire wire, Entry entry) {
  auto session = std::make_shared<HttpSession>(thread, std::move(wire));
  thread.keep(session);
  session->start(entry);
}

void continue_http(IoThread& thread, Wire wire, boost::beast::flat_buffer read) {
  asio::post(thread.context(), [&thread, wire = wire.moved_to(thread.context()), read = std::move(read)]() mutable {
    if (!wire.is_open()) return thread.retire(nullptr);
    auto session = std::make_shared<HttpSession>(thread, std::move(wire));
    thread.keep(session);
    session->continue_with(std::move(read));
  });
}

}  // namespace millrace::server
