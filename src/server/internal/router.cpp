#include "server/internal/router.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::server {

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::remove:
      return "DELETE";
  }
  return "";
}

RateClass rate_class_of(const Route& route) {
  if (route.rate != RateClass::by_method) return route.rate;
  return route.method == Method::get ? RateClass::read : RateClass::write;
}

namespace {
std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts = split(path.substr(path.starts_with('/') ? 1 : 0), '/');
  return parts;
}
}  // namespace

Router::Router(const std::vector<Route>& routes) : routes_(routes) {
  for (const Route& route : routes_) {
    Pattern pattern;
    for (const std::string_view part : parts_of(route.path))
      pattern.parts.push_back(part.starts_with('{') ? std::string_view("{}") : part);
    patterns_.push_back(std::move(pattern));
    if (rate_class_of(route) == RateClass::none) health_.push_back(&route);
  }
}

bool Router::fits(const Pattern& pattern, const std::vector<std::string>& parts) const {
  if (pattern.parts.size() != parts.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_name = pattern.parts[i] == "{}";
    if (is_name ? parts[i].empty() : pattern.parts[i] != parts[i]) return false;
  }
  return true;
}

Response Router::options(const std::string& allow) const {
  Response response;
  response.status = 204;
  response.header("Allow", allow);
  return response;
}

bool Router::is_health(std::string_view target) const {
  const std::string_view path = target.substr(0, target.find('?'));
  return std::ranges::any_of(health_, [&](const Route* route) { return route->path == path; });
}

Router::Match Router::match(Request& request) const {
  Match match;
  match.index = routes_.size();
  if (request.raw_path == "*" && request.method == "OPTIONS") {
    match.refusal = options("GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
    return match;
  }
  std::vector<std::string> parts;
  for (const std::string_view part : parts_of(request.raw_path)) {
    auto decoded = percent_decoded(part, false);
    if (!decoded || *decoded == "." || *decoded == ".." || !is_valid_utf8(*decoded)) {
      match.refusal = problem_response(
          request,
          {400, "bad-request", "The path of the address is not well-formed: percent codes or dots in it.", {}});
      return match;
    }
    parts.push_back(std::move(*decoded));
  }
  const bool is_head = request.method == "HEAD";
  std::string allow;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!fits(patterns_[i], parts)) continue;
    const std::string_view method = name_of(routes_[i].method);
    const bool wanted = method == request.method || (is_head && routes_[i].method == Method::get);
    if (wanted) {
      match.route = &routes_[i];
      match.index = i;
      match.head = is_head;
      for (std::size_t k = 0; k < parts.size(); ++k)
        if (patterns_[i].parts[k] == "{}") request.path_values.push_back(std::move(parts[k]));
      return match;
    }
    if (allow.find(method) == std::string::npos) {
      allow += (allow.empty() ? "" : ", ") + std::string(method);
      if (routes_[i].method == Method::get) allow += ", HEAD";
    }
  }
  if (allow.empty()) return match;  // not found; static files may still know it
  allow += ", OPTIONS";
  if (request.method == "OPTIONS") {
    match.refusal = options(allow);
  } else {
    match.refusal = problem_response(
        request, {405,
                  "method-not-allowed",
                  "This address takes " + allow + ", not " + printable(request.method.substr(0, 20)) + ".",
                  {}});
    match.refusal->header("Allow", allow);
  }
  return match;
}

}  // namespace millrace::server
