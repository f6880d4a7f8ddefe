#include "outbound/internal/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace millrace::outbound::internal {
namespace {

bool v4_may_be_called(std::uint32_t host_order, bool loopback_allowed) {
  const std::uint32_t first = host_order >> 24;
  if (first == 127) return loopback_allowed;
  const bool this_host = first == 0;
  const bool link_local = (host_order >> 16) == 0xa9fe;
  const bool multicast_or_reserved = first >= 224;  // 224/4 multicast, 240/4 reserved, broadcast
  return !this_host && !link_local && !multicast_or_reserved;
}

std::uint32_t v4_at(const std::array<std::uint8_t, 16>& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

// The IPv4 address that packets to this IPv6 address reach in the end.
std::optional<std::uint32_t> v4_inside(const std::array<std::uint8_t, 16>& bytes) {
  const auto starts = [&bytes](std::initializer_list<std::uint8_t> prefix) {
    return std::ranges::equal(prefix, std::span(bytes).first(prefix.size()));
  };
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return v4_at(bytes, 12);  // mapped
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(bytes, 12);  // compatible (:: and ::1 came before)
  if (starts({0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(bytes, 12);  // NAT64
  if (starts({0x20, 0x02})) return v4_at(bytes, 2);                                       // 6to4
  return std::nullopt;
}

bool v6_may_be_called(const std::array<std::uint8_t, 16>& bytes, bool loopback_allowed) {
  const bool zeros = std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
  if (zeros && bytes[15] == 1) return loopback_allowed;
  if (const auto v4 = v4_inside(bytes)) return v4_may_be_called(*v4, loopback_allowed);
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  const bool multicast = bytes[0] == 0xff;
  return !link_local && !multicast;
}

}  // namespace

bool may_be_called(const sockaddr& address, bool loopback_allowed) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return v4_may_be_called(ntohl(v4.sin_addr.s_addr), loopback_allowed);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    return v6_may_be_called(std::to_array(v6.sin6_addr.s6_addr), loopback_allowed);
  }
  return false;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace millrace::outbound::internal
