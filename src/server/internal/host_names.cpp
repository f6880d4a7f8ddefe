#include "server/internal/host_names.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::server {

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_named(std::string_view authority, const std::vector<std::string>& names) {
  const std::string_view host = host_of(authority);
  return !host.empty() && std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    if (!name.starts_with("*.")) return equal_ignoring_case(name, host);
    const std::size_t dot = host.find('.');
    return dot != std::string_view::npos && dot > 0 && equal_ignoring_case(name.substr(1), host.substr(dot));
  });
}

}  // namespace millrace::server
