#include "server/test_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

#include "base/text.h"

namespace millrace::server {

TestConnection::TestConnection(const std::string& address, int receive_buffer) : host_(address) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  REQUIRE(::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) == 1);
  socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{20, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (receive_buffer > 0) ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr generic{};
  std::memcpy(&generic, &to, sizeof generic);
  REQUIRE(::connect(socket_.get(), &generic, sizeof to) == 0);
}

void TestConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server refused in the middle; its answer says why
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool TestConnection::read_more() {
  char block[16384];
  const ssize_t got = ::recv(socket_.get(), block, sizeof block, 0);
  if (got < 0) REQUIRE_MESSAGE((errno == ECONNRESET || errno == EPIPE), "the server did not answer in time");
  if (got <= 0) return false;
  buffer.append(block, static_cast<std::size_t>(got));
  return true;
}

TestAnswer TestConnection::read_answer(bool head_only) {
  TestAnswer answer;
  std::size_t end;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
    if (!read_more()) return answer;
  const std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  REQUIRE(head.starts_with("HTTP/1.1 "));
  answer.status = std::stoi(head.substr(9, 3));
  std::size_t line = head.find("\r\n") + 2;
  while (line < head.size()) {
    const std::size_t next = head.find("\r\n", line);
    const std::size_t colon = head.find(':', line);
    answer.headers[lower_ascii(head.substr(line, colon - line))] =
        std::string(trim(std::string_view(head).substr(colon + 1, next - colon - 1)));
    line = next + 2;
  }
  if (head_only || answer.status == 304 || answer.status == 204 || answer.status == 101) return answer;
  if (answer.header("transfer-encoding") == "chunked") {
    for (;;) {
      std::size_t mark;
      while ((mark = buffer.find("\r\n")) == std::string::npos)
        if (!read_more()) return answer;
      const std::size_t size = std::stoul(buffer.substr(0, mark), nullptr, 16);
      while (buffer.size() < mark + 2 + size + 2)
        if (!read_more()) return answer;
      answer.body += buffer.substr(mark + 2, size);
      buffer.erase(0, mark + 2 + size + 2);
      if (size == 0) return answer;
    }
  }
  const std::string length = answer.header("content-length");
  if (length.empty()) {
    answer.body = read_all();
    return answer;
  }
  while (buffer.size() < std::stoul(length))
    if (!read_more()) break;
  answer.body = buffer.substr(0, std::stoul(length));
  buffer.erase(0, answer.body.size());
  return answer;
}

std::string TestConnection::read_all() {
  while (read_more()) {
  }
  return std::exchange(buffer, {});
}

bool TestConnection::closed_by_server() { return !read_more(); }

void TestConnection::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

TestAnswer TestConnection::upgrade(const std::string& extra_headers) {
  send("GET /api/v1/live HTTP/1.1\r\nHost: " + host_ +
       "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
       extra_headers + "\r\n");
  return read_answer();
}

void TestConnection::send_frame(int opcode, std::string_view payload, bool masked) {
  std::string frame;
  frame += static_cast<char>(0x80 | opcode);
  const int mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    frame += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else {
    REQUIRE(payload.size() < 65536);
    frame += static_cast<char>(mask_bit | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xFF);
  }
  const char mask[4] = {1, 2, 3, 4};
  if (masked) frame.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i];
  send(frame);
}

std::optional<TestConnection::Frame> TestConnection::read_frame() {
  const auto need = [&](std::size_t count) {
    while (buffer.size() < count)
      if (!read_more()) return false;
    return true;
  };
  if (!need(2)) return std::nullopt;
  Frame frame;
  frame.opcode = buffer[0] & 0x0F;
  std::size_t size = buffer[1] & 0x7F;
  std::size_t start = 2;
  const auto number = [&](std::size_t bytes) {
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i) size = size * 256 + static_cast<unsigned char>(buffer[2 + i]);
    start = 2 + bytes;
  };
  if (size == 126) {
    if (!need(4)) return std::nullopt;
    number(2);
  } else if (size == 127) {
    if (!need(10)) return std::nullopt;
    number(8);
  }
  if (!need(start + size)) return std::nullopt;
  frame.payload = buffer.substr(start, size);
  buffer.erase(0, start + size);
  return frame;
}

std::string TestConnection::read_text_with(std::string_view part) {
  while (auto frame = read_frame()) {
    if (frame->opcode == 9) send_frame(10, frame->payload);
    if (frame->opcode == 1 && frame->payload.find(part) != std::string::npos) return frame->payload;
  }
  FAIL("the connection ended before a message with " << std::string(part));
  return {};
}

TestAnswer ask(const std::string& address, std::string_view method, std::string_view target, const std::string& headers,
               std::string_view body) {
  TestConnection connection(address);
  std::string text =
      std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + address + "\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  connection.send(text + "\r\n" + std::string(body));
  return connection.read_answer(method == "HEAD");
}

}  // namespace millrace::server
