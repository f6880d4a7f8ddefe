// One HTTP exchange as libcurl's callbacks fill it in.
//
// Invariants
//   * Nothing is kept beyond `body_max` of the call and `headers_size_max`; what comes after ends the exchange.
//   * Only the header of the final answer is kept, not of interim ones (100, 103).
#pragma once
#include <curl/curl.h>

#include <string>

#include "outbound/http.h"

namespace millrace::outbound::internal {

inline constexpr std::size_t headers_size_max = 256 << 10;

struct Exchange {
  const Call& call;
  bool loopback_allowed;
  Reply reply{};
  std::size_t headers_size = 0;
  std::string content_length{};  // as the server wrote it
  std::string denied_address{};  // the first that was refused
  const char* broken = nullptr;  // what is wrong with the header, for a person
  bool body_too_large = false;
  bool header_whole = false;  // the library takes a header cut by the end of the connection for a whole one

  void set_callbacks(CURL* easy);

 private:
  void take_header_line(std::string_view line);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
};

}  // namespace millrace::outbound::internal
