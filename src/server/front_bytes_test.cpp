// The readers of outside bytes alone: heads, bodies, WebSocket frames. However the network cuts the bytes, what is read
// is the same.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "server/internal/request_body.h"
#include "server/internal/request_head.h"
#include "server/internal/websocket_frames.h"

namespace millrace::server {

namespace {

struct Read {
  std::string body;
  std::size_t taken = 0;
  bool done = false;
  int problem = 0;
  bool operator==(const Read&) const = default;
};

// Feeds `bytes` in pieces of these sizes, the last one again and again.
Read read_body(std::string_view bytes, Framing framing, std::size_t body_max, const std::vector<std::size_t>& pieces) {
  BodyReader reader(framing, body_max);
  Read read;
  std::size_t turn = 0;
  while (!reader.problem() && !reader.is_done() && !bytes.empty()) {
    const std::size_t size = pieces.empty() ? bytes.size() : std::max<std::size_t>(pieces[std::min(turn, pieces.size() - 1)], 1);
    ++turn;
    const std::size_t taken = reader.take(bytes.substr(0, size));
    bytes.remove_prefix(taken);
    read.taken += taken;
  }
  read.done = reader.is_done();
  read.problem = reader.problem() ? reader.problem()->status : 0;
  if (read.done) read.body = reader.body;
  if (read.problem != 0) read.taken = 0;  // how far it came before it saw is of no interest
  return read;
}

const Framing chunks{Framing::Body::chunked, 0, false};

std::string in_chunks(const std::string& text, const std::vector<std::size_t>& sizes) {
  std::string out;
  std::size_t at = 0, turn = 0;
  while (at < text.size()) {
    const std::size_t size = std::min(sizes.empty() ? text.size() : sizes[turn++ % sizes.size()] % 1000 + 1, text.size() - at);
    char head[40];
    std::snprintf(head, sizeof head, turn % 2 ? "%zx\r\n" : "%zX;a=b\r\n", size);
    out += head + text.substr(at, size) + "\r\n";
    at += size;
  }
  return out + "0\r\nX-Sum: 1\r\n\r\n";
}

std::string heard(const WebSocketEvent& event) {
  static constexpr const char* names[] = {"none", "text", "binary", "ping", "pong", "close", "broken"};
  return std::string(names[static_cast<int>(event.kind)]) + " " + std::to_string(event.code) + " " + event.payload;
}

std::vector<std::string> heard(std::string_view bytes, const std::vector<std::size_t>& pieces) {
  WebSocketReader reader(1000);
  std::vector<std::string> all;
  std::size_t turn = 0;
  while (!bytes.empty()) {
    const std::size_t size = pieces.empty() ? bytes.size() : std::max<std::size_t>(pieces[std::min(turn, pieces.size() - 1)], 1);
    ++turn;
    std::string_view piece = bytes.substr(0, size);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      const WebSocketEvent event = reader.next(piece);
      if (event.kind != WebSocketEvent::Kind::none) all.push_back(heard(event));
    }
  }
  return all;
}

std::string client_frame(int first, std::string_view payload) {
  std::string out;
  out.push_back(static_cast<char>(first));
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    out.push_back(static_cast<char>(0x80 | 126));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size() & 0xFF));
  }
  const std::string mask = "\x01\x7F\x55\xAA";
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return out;
}

}  // namespace

TEST_CASE("a body in chunks is what was cut, however it was cut and however it arrives") {
  CHECK(rc::check("chunks", [](const std::string& text, const std::vector<std::size_t>& sizes, const std::vector<std::uint8_t>& cuts) {
    const std::string bytes = in_chunks(text, sizes);
    const std::vector<std::size_t> pieces(cuts.begin(), cuts.end());
    const Read read = read_body(bytes + "GET /", chunks, 1 << 20, pieces);
    RC_ASSERT(read == (Read{text, bytes.size(), true, 0}));
  }));
}

TEST_CASE("a broken body is refused the same, however it arrives") {
  CHECK(rc::check("broken chunks", [](const std::string& text, const std::vector<std::size_t>& sizes, std::size_t place, char wrong,
                                      const std::vector<std::uint8_t>& cuts) {
    std::string bytes = in_chunks(text, sizes);
    bytes[place % bytes.size()] = wrong;
    const std::vector<std::size_t> pieces(cuts.begin(), cuts.end());
    RC_ASSERT(read_body(bytes, chunks, 1 << 20, pieces) == read_body(bytes, chunks, 1 << 20, {1}));
  }));
}

TEST_CASE("a body takes exactly its length and leaves the next request") {
  BodyReader reader({Framing::Body::length, 5, false}, 10);
  CHECK(reader.take("ab") == 2);
  CHECK(reader.take("cdeGET") == 3);
  CHECK(reader.is_done());
  CHECK(reader.body == "abcde");
  CHECK(BodyReader({Framing::Body::length, 11, false}, 10).problem()->status == 413);
}

TEST_CASE("chunks may reach the limit and not pass it") {
  CHECK(read_body("a\r\n0123456789\r\n0\r\n\r\n", chunks, 10, {}) == (Read{"0123456789", 20, true, 0}));
  CHECK(read_body("b\r\n", chunks, 10, {}).problem == 413);
  CHECK(read_body("9\r\n012345678\r\n2\r\n", chunks, 10, {}).problem == 413);
  CHECK(read_body("fffffffffffffff9\r\n", chunks, 10, {}).problem == 413);
}

TEST_CASE("a wrong line of a head is refused as soon as it is there") {
  CHECK(check_head("GET / HTTP/1.1\r\nX : a\r\n", 4096).problem->status == 400);
  CHECK(check_head("GET / HTTP/1.1\r", 4096).problem == std::nullopt);
  CHECK(check_head("GET / HTTP/1.1\rX", 4096).problem->status == 400);
  CHECK(check_head("GET / HTTP/1.1\r\nX: a\n", 4096).problem->status == 400);
  CHECK_FALSE(check_head("GET / HTTP/1.1\r\nX: a\r\n", 4096).problem);
  CHECK_FALSE(check_head("GET / HTTP/1.1\r\nX: a\r\n", 4096).complete);
  CHECK(check_head("GET / HTTP/1.1\r\nX: a\r\n\r\n", 4096).complete);
}

TEST_CASE("the head of a request never reads beyond its empty line") {
  CHECK(rc::check("heads", [](const std::string& behind) {
    const std::string head = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n";
    const std::string bytes = head + behind;
    const HeadCheck check = check_head(bytes, 4096);
    RC_ASSERT(check.complete);
    RC_ASSERT(!check.problem);
    RC_ASSERT(check.size == head.size());
    Request request;
    Framing framing;
    RC_ASSERT(!read_fields(check, request, framing));
    RC_ASSERT(request.headers.size() == 2U);
  }));
}

TEST_CASE("frames are heard the same, however the network cuts them") {
  CHECK(rc::check("frames", [](const std::vector<std::pair<std::uint8_t, std::string>>& frames, const std::vector<std::uint8_t>& cuts) {
    std::string bytes;
    for (const auto& [first, payload] : frames) bytes += client_frame(first & 0x8F, payload);
    const std::vector<std::size_t> pieces(cuts.begin(), cuts.end());
    RC_ASSERT(heard(bytes, pieces) == heard(bytes, {1}));
  }));
}

TEST_CASE("text of a WebSocket is UTF-8 exactly when our own rule says so") {
  CHECK(rc::check("utf8", [](const std::vector<std::uint8_t>& bytes) {
    const std::string text(bytes.begin(), bytes.end());
    Utf8Check at_once, bytewise;
    bool right = at_once.take(text) && at_once.is_whole();
    RC_ASSERT(right == is_valid_utf8(text));
    bool still = true;
    for (const char c : text) still = still && bytewise.take({&c, 1});
    RC_ASSERT((still && bytewise.is_whole()) == right);
  }));
}

TEST_CASE("the answer to a key is that of RFC 6455") { CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); }

TEST_CASE("frames that go are written as short as they can be") {
  const auto head = [](std::size_t size) {
    std::string out;
    append_frame_head(out, Opcode::text, size);
    return out;
  };
  CHECK(head(125) == std::string("\x81\x7D"));
  CHECK(head(126) == std::string("\x81\x7E\x00\x7E", 4));
  CHECK(head(65536) == std::string("\x81\x7F\0\0\0\0\0\x01\0\0", 10));
  CHECK(close_frame(1000, "bye") == std::string("\x88\x05\x03\xE8") + "bye");
  CHECK(close_frame(1005, "") == std::string("\x88\x00", 2));
}

}  // namespace millrace::server
