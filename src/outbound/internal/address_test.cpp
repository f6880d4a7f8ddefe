#include "outbound/internal/address.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

namespace millrace::outbound::internal {
namespace {

struct AnyAddress {
  sockaddr_storage storage{};
  const sockaddr& get() const { return reinterpret_cast<const sockaddr&>(storage); }
};

AnyAddress address(const std::string& text) {
  AnyAddress result;
  auto& v4 = reinterpret_cast<sockaddr_in&>(result.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(result.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
  } else {
    REQUIRE(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
    v6.sin6_family = AF_INET6;
  }
  return result;
}

}  // namespace

TEST_CASE("D6: a source may be called at ordinary and private addresses, never where clouds keep secrets") {
  for (const char* const good : {"10.1.2.3", "192.168.1.9", "172.16.0.1", "100.64.0.1", "8.8.8.8", "169.253.1.1",
                                 "2001:db8::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::8.8.8.8"}) {
    CAPTURE(good);
    CHECK(may_be_called(address(good).get(), false));
  }
  CHECK(address_text(address("10.1.2.3").get()) == "10.1.2.3");
  CHECK(address_text(address("2001:db8::1").get()) == "2001:db8::1");
  for (const char* const bad :
       {"169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "255.255.255.255",
        "240.0.0.1", "fe80::1", "febf::1", "ff02::1", "::", "::ffff:169.254.169.254", "::169.254.169.254",
        "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0", "::ffff:224.0.0.1"}) {
    CAPTURE(bad);
    CHECK_FALSE(may_be_called(address(bad).get(), true));
  }
  for (const char* const own : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"}) {
    CAPTURE(own);
    CHECK(may_be_called(address(own).get(), true));
    CHECK_FALSE(may_be_called(address(own).get(), false));
  }
  AnyAddress local;
  local.storage.ss_family = AF_UNIX;
  CHECK_FALSE(may_be_called(local.get(), true));
}

}  // namespace millrace::outbound::internal
