#include "outbound/internal/exchange.h"

#include <fcntl.h>

#include <new>

#include "base/text.h"
#include "outbound/internal/address.h"

namespace millrace::outbound::internal {

void Exchange::set_callbacks(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Exchange::on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
}

void Exchange::take_header_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    reply.headers.clear();
    content_length.clear();
    header_whole = false;
    return;
  }
  if (line == "\r\n" || line == "\n") header_whole = true;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() &&
         (value.back() == '\n' || value.back() == '\r' || value.back() == ' ' || value.back() == '\t'))
    value.remove_suffix(1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  if (equal_ignoring_case(name, "Content-Length")) {
    if (value.empty() || value.find_first_not_of("0123456789") != std::string_view::npos)
      broken = "its Content-Length is not a number";
    if (!content_length.empty() && content_length != value) broken = "it gives two different lengths";
    content_length = value;
  }
  reply.headers.emplace_back(name, value);
}

// Exceptions must not run through the library: an answer that does not fit the memory is too large.
std::size_t Exchange::on_header(char* bytes, std::size_t size, std::size_t count, void* self_pointer) noexcept {
  Exchange& self = *static_cast<Exchange*>(self_pointer);
  const std::string_view line(bytes, size * count);
  self.headers_size += line.size();
  if (self.headers_size > headers_size_max) self.broken = "its header is larger than 256 KB";
  if (self.broken != nullptr) return 0;
  try {
    self.take_header_line(line);
  } catch (const std::bad_alloc&) {
    self.body_too_large = true;
  }
  return self.broken == nullptr && !self.body_too_large ? line.size() : 0;
}

std::size_t Exchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self_pointer) noexcept {
  Exchange& self = *static_cast<Exchange*>(self_pointer);
  const std::string_view piece(bytes, size * count);
  self.body_too_large = piece.size() > self.call.body_max - self.reply.body.size();
  if (self.body_too_large) return 0;
  try {
    self.reply.body += piece;
  } catch (const std::bad_alloc&) {
    self.body_too_large = true;
    return 0;
  }
  return piece.size();
}

// Called with the address that is about to be connected to, after the name was resolved.
curl_socket_t Exchange::on_socket(void* self_pointer, curlsocktype, curl_sockaddr* address) noexcept {
  Exchange& self = *static_cast<Exchange*>(self_pointer);
  if (!may_be_called(address->addr, self.loopback_allowed)) {
    try {
      if (self.denied_address.empty()) self.denied_address = address_text(address->addr);
    } catch (const std::bad_alloc&) {
      self.body_too_large = true;
    }
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace millrace::outbound::internal
