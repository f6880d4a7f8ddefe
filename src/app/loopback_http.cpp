#include "app/loopback_http.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "app/internal/loopback_tls.h"
#include "app/internal/socket_wait.h"
#include "base/text.h"
#include "base/time.h"

namespace millrace::app {
namespace {

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Result<AddressList> resolve(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return fail(ErrorCode::invalid_input,
                "\"" + printable(address) + "\" is not an address with a port, such as 127.0.0.1:8080");
  std::string host = address.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found); error != 0) {
    return fail(ErrorCode::invalid_input,
                "\"" + printable(address) + "\" is not a numeric address with a port: " + ::gai_strerror(error));
  }
  return AddressList(found, ::freeaddrinfo);
}

Failure nobody(const std::string& address, const std::string& why) {
  return fail(ErrorCode::unavailable, "no answer from " + address + ": " + why);
}

Result<UniqueFd> connect_to(const std::string& address, Stopwatch::time_point deadline) {
  const auto resolved = resolve(address);
  if (!resolved) return pass_on(resolved);
  const addrinfo& target = **resolved;
  UniqueFd fd(::socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return nobody(address, std::strerror(errno));
  if (::connect(fd.get(), target.ai_addr, target.ai_addrlen) != 0 && errno != EINPROGRESS)
    return nobody(address, std::strerror(errno));
  if (!wait_for(fd.get(), POLLOUT, deadline)) return nobody(address, "time is over");
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return nobody(address, std::strerror(error != 0 ? error : errno));
  return fd;
}

// The length the head announces, or nothing when the body ends with the connection.
std::optional<std::size_t> announced_length(std::string_view head) {
  for (const auto line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(trim(line.substr(0, colon)), "content-length"))
      continue;
    const auto value = trim(line.substr(colon + 1));
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (error == std::errc{} && end == value.data() + value.size()) return length;
  }
  return std::nullopt;
}

Result<HttpAnswer> parse_answer(const std::string& address, const std::string& received, std::size_t head_end,
                                std::optional<std::size_t> length) {
  HttpAnswer answer;
  if (!received.starts_with("HTTP/1.")) return nobody(address, "whatever listens there does not speak HTTP");
  if (received.size() < 12 ||
      std::from_chars(received.data() + 9, received.data() + 12, answer.status).ec != std::errc{}) {
    return nobody(address, "the answer has no status");
  }
  answer.body = received.substr(head_end);
  if (length && answer.body.size() < *length) return nobody(address, "the answer ended too early");
  return answer;
}

// The bytes of one connection, plain or over TLS.
class Channel {
 public:
  static Result<Channel> open(const std::string& address, bool secure, Stopwatch::time_point deadline) {
    auto fd = connect_to(address, deadline);
    if (!fd) return pass_on(fd);
    Channel channel(std::move(*fd));
    if (!secure) return channel;
    auto tls = LoopbackTls::over(channel.fd_.get(), deadline);
    if (!tls) return nobody(address, tls.error().text());
    channel.tls_ = std::move(*tls);
    return channel;
  }

  Result<void> send(std::string_view bytes, Stopwatch::time_point deadline) {
    if (tls_) return tls_->send(bytes, deadline);
    while (!bytes.empty()) {
      if (!wait_for(fd_.get(), POLLOUT, deadline)) return fail(ErrorCode::unavailable, "time is over");
      const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return fail(ErrorCode::unavailable, std::strerror(errno));
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  // 0 at the end.
  Result<std::size_t> receive(char* to, std::size_t size, Stopwatch::time_point deadline) {
    if (tls_) return tls_->receive(to, size, deadline);
    for (;;) {
      if (!wait_for(fd_.get(), POLLIN, deadline)) return fail(ErrorCode::unavailable, "time is over");
      const auto count = ::recv(fd_.get(), to, size, 0);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EAGAIN && errno != EINTR) return fail(ErrorCode::unavailable, std::strerror(errno));
    }
  }

 private:
  explicit Channel(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  std::optional<LoopbackTls> tls_;  // goes before the descriptor
};

Result<HttpAnswer> ask_once(const std::string& address, const std::string& request, bool secure, Stopwatch::time_point deadline) {
  auto channel = Channel::open(address, secure, deadline);
  if (!channel) return pass_on(channel);
  if (const auto sent = channel->send(request, deadline); !sent) return nobody(address, sent.error().text());
  std::string received;
  std::size_t head_end = std::string::npos;
  std::optional<std::size_t> length;
  std::array<char, 16384> block;
  for (;;) {
    if (head_end != std::string::npos && length && received.size() >= head_end + *length) break;
    const auto count = channel->receive(block.data(), block.size(), deadline);
    if (!count) return nobody(address, count.error().text());
    if (*count == 0) break;
    received.append(block.data(), *count);
    if (received.size() > answer_bytes_max) return nobody(address, "the answer is larger than 8 MiB");
    if (head_end != std::string::npos) continue;
    if (const auto blank = received.find("\r\n\r\n"); blank != std::string::npos) {
      head_end = blank + 4;
      length = announced_length(std::string_view(received).substr(0, blank));
    }
  }
  if (head_end == std::string::npos) return nobody(address, "whatever listens there does not speak HTTP");
  return parse_answer(address, received, head_end, length);
}

Result<HttpAnswer> ask(std::string_view method, const LocalServer& server, const std::string& path, const std::string& body, std::chrono::milliseconds patience) {
  const std::string& address = server.address;
  const auto deadline = Stopwatch::now() + patience;
  const std::string request =
      std::string(method) + " " + path + " HTTP/1.1\r\nHost: " + address + "\r\nAccept: application/json\r\n" +
      (method == "GET" ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
      (body.empty() ? "" : "Content-Type: application/json\r\n") + (server.pass.empty() ? "" : "Authorization: Bearer " + server.pass.reveal() + "\r\n") +
      "Connection: close\r\n\r\n" + body;
  auto answer = ask_once(address, request, false, deadline);
  // A server whose address speaks TLS does nothing with a plain request but say so.
  const bool wants_tls = answer && answer->body.find("\"/problems/tls-required\"") != std::string::npos;
  return wants_tls ? ask_once(address, request, true, deadline) : answer;
}

}  // namespace

Result<HttpAnswer> get_from(const LocalServer& server, const std::string& path, std::chrono::milliseconds patience) {
  return ask("GET", server, path, "", patience);
}

Result<HttpAnswer> post_to(const LocalServer& server, const std::string& path, std::chrono::milliseconds patience) {
  return ask("POST", server, path, "", patience);
}

Result<HttpAnswer> send_to(const LocalServer& server, const std::string& method, const std::string& path, const std::string& json,
                           std::chrono::milliseconds patience) {
  return ask(method, server, path, json, patience);
}

bool is_loopback(const std::string& address) {
  const auto resolved = resolve(address);
  if (!resolved) return false;
  const sockaddr* const target = (*resolved)->ai_addr;
  if (target->sa_family == AF_INET) return (ntohl(reinterpret_cast<const sockaddr_in*>(target)->sin_addr.s_addr) >> 24) == 127;
  return target->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(target)->sin6_addr);
}

Result<void> try_to_listen(const std::string& address) {
  const auto resolved = resolve(address);
  if (!resolved) return pass_on(resolved);
  const addrinfo& target = **resolved;
  const UniqueFd fd(::socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(ErrorCode::unavailable, std::strerror(errno));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes,
               sizeof yes);  // as the server does: old connections do not count
  if (::bind(fd.get(), target.ai_addr, target.ai_addrlen) != 0 || ::listen(fd.get(), 1) != 0) {
    if (errno == EADDRINUSE) return fail(ErrorCode::conflict, address + " is taken by another program");
    return fail(ErrorCode::unavailable, address + ": " + std::strerror(errno));
  }
  return {};
}

}  // namespace millrace::app
