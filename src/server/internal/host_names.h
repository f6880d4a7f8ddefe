// By which names this server may be called. A browser that was led here under a foreign name (DNS rebinding) is told no.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace millrace::server {

// "plant.example.com:8443" without its port, "[::1]:80" without port and brackets.
std::string_view host_of(std::string_view authority);

// Whether an authority names one of `names`: hosts, addresses, and "*.example.com" for one label before it.
bool is_named(std::string_view authority, const std::vector<std::string>& names);

}  // namespace millrace::server
