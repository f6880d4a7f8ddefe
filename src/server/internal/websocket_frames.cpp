#include "server/internal/websocket_frames.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace millrace::server {

namespace {

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// 16 bytes in base64: 22 characters, the last with four bits of nothing, and two marks.
bool is_key(std::string_view key) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return key.size() == 24 && key.ends_with("==") && key.substr(0, 22).find_first_not_of(alphabet) == std::string_view::npos &&
         std::string_view("AQgw").find(key[21]) != std::string_view::npos;
}

bool names_option(std::string_view connection, std::string_view wanted) {
  const auto options = split(connection, ',');
  return std::any_of(options.begin(), options.end(), [&](std::string_view option) { return equal_ignoring_case(trim(option), wanted); });
}

// Section 7.4 and the registry of IANA: codes that may stand in a close frame.
bool is_close_code(int code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

std::optional<Problem> handshake_problem(const Request& request) {
  const auto bad = [](std::string detail) { return Problem{400, "bad-request", std::move(detail), {}}; };
  if (request.method != "GET" || request.http_1_0) return bad("A WebSocket starts with GET over HTTP/1.1.");
  bool upgrades = false;
  for (const auto& [name, value] : request.headers)
    if (equal_ignoring_case(name, "Connection") && names_option(value, "upgrade")) upgrades = true;
  if (!upgrades) return bad("A WebSocket starts with Connection: Upgrade.");
  if (request.header("Sec-WebSocket-Version") != "13")
    return Problem{426, "upgrade-required", "Only WebSocket version 13 is spoken here.", {}};
  if (!is_key(request.header("Sec-WebSocket-Key"))) return bad("Sec-WebSocket-Key is not 16 bytes in base64.");
  if (!request.body.empty()) return bad("A WebSocket starts without a body.");
  return std::nullopt;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  check(EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha1(), nullptr) == 1, "SHA-1 is not there");
  return base64({reinterpret_cast<const char*>(hash.data()), size});
}

bool Utf8Check::take(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (left_ > 0) {
      if (byte < low_ || byte > high_) return false;
      low_ = 0x80;
      high_ = 0xBF;
      --left_;
    } else if (byte >= 0x80) {
      // Bounds of the second byte shut out overlong forms, surrogates and what lies beyond U+10FFFF.
      if (byte >= 0xC2 && byte <= 0xDF) left_ = 1;
      else if (byte >= 0xE0 && byte <= 0xEF) left_ = 2;
      else if (byte >= 0xF0 && byte <= 0xF4) left_ = 3;
      else return false;
      if (byte == 0xE0) low_ = 0xA0;
      else if (byte == 0xED) high_ = 0x9F;
      else if (byte == 0xF0) low_ = 0x90;
      else if (byte == 0xF4) high_ = 0x8F;
    }
  }
  return true;
}

WebSocketEvent WebSocketReader::broken(int code, std::string_view reason) {
  return {WebSocketEvent::Kind::broken, {}, code, reason};
}

WebSocketEvent WebSocketReader::next(std::string_view& bytes) {
  while (!is_broken_) {
    WebSocketEvent event;
    if (!in_payload_) {
      // The head is 2 to 14 bytes; the second says how many.
      const std::size_t wanted = head_size_ < 2 ? 2 : 2 + ((head_[1] & 0x7F) == 127 ? 8U : (head_[1] & 0x7F) == 126 ? 2U : 0U) + 4;
      if (head_size_ < wanted) {
        if (bytes.empty()) return {};
        const std::size_t count = std::min(wanted - head_size_, bytes.size());
        std::copy_n(bytes.begin(), count, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
        bytes.remove_prefix(count);
        head_size_ += count;
        if (head_size_ == 2) event = check_head();
      } else {
        event = read_head();
      }
    } else {
      if (bytes.empty() && taken_ < length_) return {};
      event = take_payload(bytes);
    }
    if (event.kind == WebSocketEvent::Kind::broken || event.kind == WebSocketEvent::Kind::close) is_broken_ = true;
    if (event.kind != WebSocketEvent::Kind::none) return event;
  }
  bytes = {};
  return {};
}

// What the first two bytes say.
WebSocketEvent WebSocketReader::check_head() {
  if ((head_[0] & 0x70) != 0) return broken(1002, "no extension was agreed");
  if ((head_[1] & 0x80) == 0) return broken(1002, "frames of a client are masked");
  final_ = (head_[0] & 0x80) != 0;
  opcode_ = static_cast<Opcode>(head_[0] & 0x0F);
  switch (opcode_) {
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
      if (!final_) return broken(1002, "a control frame is never cut");
      if ((head_[1] & 0x7F) > 125) return broken(1002, "a control frame has at most 125 bytes");
      return {};
    case Opcode::text:
    case Opcode::binary:
      if (message_kind_) return broken(1002, "a message begins inside another");
      return {};
    case Opcode::continuation:
      if (!message_kind_) return broken(1002, "nothing is there to go on with");
      return {};
  }
  return broken(1002, "an opcode without a meaning");
}

WebSocketEvent WebSocketReader::read_head() {
  length_ = head_[1] & 0x7F;
  std::size_t at = 2;
  if (length_ >= 126) {
    const std::size_t end = at + (length_ == 126 ? 2 : 8);
    const bool wide = length_ == 127;
    for (length_ = 0; at < end; ++at) length_ = length_ << 8 | head_[at];
    if (length_ <= (wide ? 0xFFFFU : 125U)) return broken(1002, "a length is written as short as it can be");
    if (length_ >> 63 != 0) return broken(1002, "a length has 63 bits");
  }
  std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(at), 4, mask_.begin());
  taken_ = 0;
  in_payload_ = true;
  if (opcode_ >= Opcode::close) return {};
  if (length_ > message_max_ - message_.size()) return broken(1009, "the message is too long");
  if (opcode_ != Opcode::continuation) message_kind_ = opcode_;
  return {};
}

WebSocketEvent WebSocketReader::take_payload(std::string_view& bytes) {
  const bool is_control = opcode_ >= Opcode::close;
  std::string& to = is_control ? control_ : message_;
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(length_ - taken_, bytes.size()));
  const std::size_t before = to.size();
  to.resize(before + count);
  for (std::size_t i = 0; i < count; ++i)
    to[before + i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ mask_[(taken_ + i) & 3]);
  bytes.remove_prefix(count);
  taken_ += count;
  if (!is_control && message_kind_ == Opcode::text && !utf8_.take(std::string_view(to).substr(before)))
    return broken(1007, "the text is not UTF-8");
  return taken_ == length_ ? frame_end() : WebSocketEvent{};
}

WebSocketEvent WebSocketReader::frame_end() {
  in_payload_ = false;
  head_size_ = 0;
  if (opcode_ >= Opcode::close) return control_end();
  if (!final_) return {};
  if (!utf8_.is_whole()) return broken(1007, "the text ends in the middle of a character");
  const bool is_text = message_kind_ == Opcode::text;
  message_kind_.reset();
  return {is_text ? WebSocketEvent::Kind::text : WebSocketEvent::Kind::binary, std::exchange(message_, {})};
}

WebSocketEvent WebSocketReader::control_end() {
  std::string payload = std::exchange(control_, {});
  if (opcode_ == Opcode::ping) return {WebSocketEvent::Kind::ping, std::move(payload)};
  if (opcode_ == Opcode::pong) return {WebSocketEvent::Kind::pong, std::move(payload)};
  if (payload.empty()) return {WebSocketEvent::Kind::close, {}, 1005};
  if (payload.size() == 1) return broken(1002, "half a close code");
  const int code = static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  if (!is_close_code(code)) return broken(1002, "a close code that is never sent");
  payload.erase(0, 2);
  Utf8Check reason;
  if (!reason.take(payload) || !reason.is_whole()) return broken(1007, "the reason is not UTF-8");
  return {WebSocketEvent::Kind::close, std::move(payload), code};
}

void append_frame_head(std::string& out, Opcode opcode, std::size_t payload_size) {
  out.push_back(static_cast<char>(0x80 | static_cast<int>(opcode)));
  if (payload_size <= 125) {
    out.push_back(static_cast<char>(payload_size));
    return;
  }
  const bool wide = payload_size > 0xFFFF;
  out.push_back(static_cast<char>(wide ? 127 : 126));
  for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(payload_size >> shift & 0xFF));
}

std::string close_frame(int code, std::string_view reason) {
  std::string frame;
  if (code == 1005) {
    append_frame_head(frame, Opcode::close, 0);
    return frame;
  }
  reason = reason.substr(0, 123);
  append_frame_head(frame, Opcode::close, 2 + reason.size());
  frame.push_back(static_cast<char>(code >> 8));
  frame.push_back(static_cast<char>(code & 0xFF));
  return frame.append(reason);
}

}  // namespace millrace::server
