// Which addresses a source may be called at.
//
// Invariants
//   * Judged is the address the socket would connect to, whatever name or spelling led there.
//   * Never: link-local (169.254/16, fe80::/10: clouds keep their secrets there), "this host" (0/8, ::), multicast,
//     broadcast; nor IPv6 spellings of such IPv4 addresses (mapped, compatible, NAT64, 6to4).
//   * Private networks are where an ERP lives: allowed.
#pragma once
#include <sys/socket.h>

#include <string>

namespace millrace::outbound::internal {

bool may_be_called(const sockaddr& address, bool loopback_allowed);
std::string address_text(const sockaddr& address);  // without the port

}  // namespace millrace::outbound::internal
