// WebSocket as bytes (RFC 6455, server side): the opening handshake, frames that come, frames that go.
//
// Invariants
//   * Pure: knows no socket. Holds at most one message of `message_max` bytes and one control frame of 125.
//   * The first thing that is wrong ends reading, with the close code that says why: 1002 against the protocol, 1007 text
//     that is not UTF-8 (seen as soon as the wrong byte is there), 1009 longer than `message_max`.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/internal/message.h"

namespace millrace::server {

// Section 4.2.1: what an opening handshake must say; nothing when it does.
std::optional<Problem> handshake_problem(const Request& request);
// Section 4.2.2: the answer to a Sec-WebSocket-Key.
std::string accept_key(std::string_view key);

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct WebSocketEvent {
  enum class Kind { none, text, binary, ping, pong, close, broken };
  Kind kind = Kind::none;       // none: more bytes are needed
  std::string payload;          // of text, binary, ping, pong; the reason of a close
  int code = 0;                 // of close (1005: it named none) and broken
  std::string_view reason = {};  // of broken
};

// Text is UTF-8, looked at piece by piece: a character may be cut by the end of a frame.
class Utf8Check {
 public:
  bool take(std::string_view bytes);  // false: no text goes on like this
  bool is_whole() const { return left_ == 0; }

 private:
  int left_ = 0;  // bytes that the character still needs
  unsigned char low_ = 0x80, high_ = 0xBF;  // bounds of the next one
};

class WebSocketReader {
 public:
  explicit WebSocketReader(std::size_t message_max) : message_max_(message_max) {}
  // Takes from the front of `bytes` until something is whole or nothing is left.
  WebSocketEvent next(std::string_view& bytes);

 private:
  WebSocketEvent read_head();
  WebSocketEvent check_head();
  WebSocketEvent take_payload(std::string_view& bytes);
  WebSocketEvent frame_end();
  WebSocketEvent control_end();
  static WebSocketEvent broken(int code, std::string_view reason);

  const std::size_t message_max_;
  std::array<unsigned char, 14> head_{};
  std::size_t head_size_ = 0;  // bytes of it that are there
  bool in_payload_ = false;
  bool is_broken_ = false;
  bool final_ = false;
  Opcode opcode_ = Opcode::continuation;
  std::uint64_t length_ = 0, taken_ = 0;
  std::array<unsigned char, 4> mask_{};
  std::optional<Opcode> message_kind_;  // of the message that is being put together
  std::string message_;
  std::string control_;
  Utf8Check utf8_;
};

// Appends a frame as a server sends it: whole, not masked. `payload_size` bytes follow.
void append_frame_head(std::string& out, Opcode opcode, std::size_t payload_size);
std::string close_frame(int code, std::string_view reason);

}  // namespace millrace::server
