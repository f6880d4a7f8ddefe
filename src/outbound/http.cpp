#include "outbound/http.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::outbound {

std::string_view word(Failure failure) {
  switch (failure) {
    case Failure::none:
      return "none";
    case Failure::resolve:
      return "resolve";
    case Failure::connect:
      return "connect";
    case Failure::tls:
      return "tls";
    case Failure::timeout:
      return "timeout";
    case Failure::reset:
      return "reset";
    case Failure::too_large:
      return "too_large";
    case Failure::address_denied:
      return "address_denied";
    case Failure::protocol:
      return "protocol";
    case Failure::cancelled:
      return "cancelled";
    case Failure::not_sent:
      return "not_sent";
  }
  return "";
}

std::string_view host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const auto user = url.rfind('@');
  return user == std::string_view::npos ? url : url.substr(user + 1);
}

std::string_view Reply::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const auto& header) { return equal_ignoring_case(header.first, name); });
  return found == headers.end() ? std::string_view() : found->second;
}

std::vector<std::string_view> Reply::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) values.push_back(value);
  }
  return values;
}

}  // namespace millrace::outbound
