#include "server/internal/dispatch.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <random>

#include "base/log.h"
#include "base/text.h"
#include "server/internal/encoding.h"
#include "server/internal/handlers.h"
#include "server/internal/who_asks.h"

namespace millrace::server {

namespace {

constexpr std::string_view security_headers =
    "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; "
    "object-src 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_ipv4_loopback(std::string_view host) {
  if (host == "127.0.0.1") return true;
  const auto parts = split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), is_digit);
  });
}

// "Sat, 21 Nov 2026 08:14:02 GMT"
std::string http_date(Instant now) {
  static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto whole = std::chrono::floor<std::chrono::days>(now);
  const Day day(whole);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - whole));
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                days[std::chrono::weekday(whole).c_encoding()], unsigned{day.day()}, months[unsigned{day.month()} - 1],
                int{day.year()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

}  // namespace

bool is_loopback_authority(std::string_view authority) {
  std::string_view host = authority;
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!port.empty() && !port.starts_with(':')) return false;
    if (!port.empty()) port.remove_prefix(1);
    if (!std::all_of(port.begin(), port.end(), is_digit)) return false;
    return host == "::1";
  }
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (!std::all_of(port.begin(), port.end(), is_digit) || port.size() > 5) return false;
  return equal_ignoring_case(host, "localhost") || equal_ignoring_case(host, "localhost.") || is_ipv4_loopback(host);
}

std::string rate_identity(const Request& request) {
  using By = people::Identity::By;
  if (!request.caller || request.caller->by == By::nobody || request.caller->by == By::local) return {};
  if (request.caller->by == By::token) return "token " + std::to_string(request.caller->credential);
  return "user " + std::to_string(request.caller->user.value);
}

std::string request_id(std::string_view offered) {
  const auto harmless = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  };
  if (!offered.empty() && offered.size() <= 64 && std::all_of(offered.begin(), offered.end(), harmless))
    return std::string(offered);
  static const std::uint64_t start = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  static std::atomic<std::uint64_t> next{0};
  const std::uint64_t value = start + next.fetch_add(0x9E3779B97F4A7C15ULL, std::memory_order_relaxed);
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
  return text;
}

std::optional<Problem> guard(const Request& request, bool changes_or_listens, bool sign_in) {
  // A foreign name would let pages of that site read everything. With sign-in there is nothing to read: a session's
  // cookie goes to the name it was given under, and to no other.
  if (!sign_in && !request.host.empty() && !request.host_is_ours && !is_loopback_authority(request.host))
    return Problem{403,
                   "host-refused",
                   "Millrace answers on this machine only: open it as localhost or 127.0.0.1, not as " +
                       printable(std::string_view(request.host).substr(0, 100)) + ".",
                   {}};
  if (!changes_or_listens) return std::nullopt;
  const std::string_view origin = request.header("Origin");
  const std::string_view site = request.header("Sec-Fetch-Site");
  // A proxy speaks TLS for us, so the page's scheme may be another one than ours.
  const std::size_t scheme = origin.starts_with("https://") ? 8 : origin.starts_with("http://") ? 7 : std::string_view::npos;
  const bool same_origin = origin.empty() || (scheme != std::string_view::npos && !request.host.empty() &&
                                              equal_ignoring_case(origin.substr(scheme), request.host));
  const bool same_site = site.empty() || site == "same-origin" || site == "none";
  if (same_origin && same_site) return std::nullopt;
  return Problem{
      403, "origin-refused", "A page of another site (" + printable(origin.substr(0, 100)) + ") may not do this.", {}};
}

namespace {

// A slash at the end of a page's address is a slip of the hand, not another page. Only what the table of routes knows
// is named, so that nobody is sent to another host.
std::optional<Response> page_without_slash(const Request& request, const Router& router) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || request.raw_path.size() < 2 || !request.raw_path.ends_with('/')) return std::nullopt;
  Request wanted;
  wanted.method = "GET";
  wanted.raw_path = request.raw_path.substr(0, request.raw_path.size() - 1);
  const Router::Match match = router.match(wanted);
  if (!match.route || match.route->answer != Answer::page) return std::nullopt;
  std::string place(wanted.raw_path);
  char separator = '?';
  for (const auto& [name, value] : request.parameters) {
    place += separator + percent_encoded(name) + "=" + percent_encoded(value);
    separator = '&';
  }
  Response response;
  response.status = 308;
  response.header("Location", std::move(place));
  return response;
}

}  // namespace

namespace {

Response refusal(const Request& request, const Problem& problem) {
  Response response = problem_response(request, problem);
  if (problem.status == 401) response.header("WWW-Authenticate", "Bearer realm=\"millrace\"");
  return response;
}

bool is_safe(const Request& request) { return request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS"; }

Dispatch routed(Request& request, Backend& backend) {
  Dispatch result;
  Router::Match match = backend.router.match(request);
  result.index = match.index;
  result.head = match.head || request.method == "HEAD";
  if (match.refusal) {
    result.response = std::move(match.refusal);
  } else if (!match.route) {
    auto moved = page_without_slash(request, backend.router);
    result.response = moved ? std::move(*moved) : static_file(request);
  } else {
    result.route = match.route;
  }
  return result;
}

// Machines that prove themselves to the handler carry a secret that is none of ours.
std::optional<Problem> let_in(Request& request, const Route& route, const Services& services) {
  if (auto problem = find_caller(request, services); problem && !route.right.asks_own_key()) return problem;
  return check_right(request, route);
}

}  // namespace

Dispatch dispatch(Request& request, Backend& backend) {
  const bool live = !request.header("Upgrade").empty();
  const auto stopped = [&](const Problem& problem, std::size_t index, bool head) {
    return Dispatch{nullptr, index, head, refusal(request, problem)};
  };
  if (const auto problem = guard(request, !is_safe(request) || live, backend.services.sign_in)) {
    Dispatch refused = stopped(*problem, backend.router.routes().size(), false);
    refused.response->close = true;  // another host's or site's request: nothing more is read from it
    return refused;
  }
  Dispatch found = routed(request, backend);
  if (!found.route) return found;
  if (const auto problem = let_in(request, *found.route, backend.services)) return stopped(*problem, found.index, found.head);
  if (const auto problem = is_safe(request) ? std::nullopt : check_csrf(request)) return stopped(*problem, found.index, found.head);
  return found;
}

Dispatch dispatch_own(Request& request, Backend& backend, people::Rights rights) {
  people::Identity own = people::local_identity();
  own.name = "job";
  own.rights = rights;
  request.caller = std::make_shared<const people::Identity>(std::move(own));
  Dispatch found = routed(request, backend);
  if (!found.route) return found;
  if (const auto problem = check_right(request, *found.route)) return {nullptr, found.index, found.head, problem_response(request, *problem)};
  return found;
}

Response run(const Route& route, const Request& request, Backend& backend) {
  try {
    return route.handler(request, backend);
  } catch (const std::exception& failure) {
    log_error("request_failed",
              {{"route", std::string(route.path)}, {"request", request.id}, {"reason", failure.what()}});
    return problem_response(request, {500, "internal", "We made a mistake; the log has it under this request id.", {}});
  }
}

void pack(const Request& request, Response& response) {
  if (response.encoded || response.stream || response.status != 200) return;
  if (response.size() <= packed_from_bytes) return;
  const Coding coding = preferred(request.header("Accept-Encoding"));
  if (coding == Coding::identity) return;
  std::string both;
  if (!response.second().empty()) both.append(response.first()).append(response.second());
  std::string small = packed(both.empty() ? response.first() : std::string_view(both), coding);
  if (small.empty()) return;
  response.body = std::move(small);
  response.kept.reset();
  response.fixed = {};
  response.encoded = true;
  response.header("Content-Encoding", std::string(name_of(coding)));
  const bool varies = std::any_of(response.headers.begin(), response.headers.end(),
                                  [](const auto& header) { return header.first == "Vary"; });
  if (!varies) response.header("Vary", "Accept-Encoding");
}

namespace {

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

// Written once a second per thread: a busy thread would otherwise spell the same second thousands of times.
std::string_view date_line(Instant now) {
  static thread_local std::chrono::sys_seconds spelled{};
  static thread_local std::string text;
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (text.empty() || second != spelled) {
    spelled = second;
    text = "\r\nDate: " + http_date(now) + "\r\nX-Request-Id: ";
  }
  return text;
}

}  // namespace

void append_head(std::string& out, const Request& request, const Response& response, Instant now, bool keep_alive) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(status_text(response.status)).append(date_line(now)).append(request.id).append("\r\n");
  out.append(security_headers);
  if (request.secure) out.append("Strict-Transport-Security: max-age=31536000\r\n");
  if (!response.content_type.empty()) out.append("Content-Type: ").append(response.content_type).append("\r\n");
  const bool bodiless = response.status == 304 || response.status == 204 || response.status == 101;
  if (!bodiless) {
    const auto length = response.stream ? response.stream->length() : std::optional<std::uint64_t>(response.size());
    if (length) {
      out.append("Content-Length: ");
      append_number(out, *length);
      out.append("\r\n");
    } else if (!request.http_1_0) {
      out.append("Transfer-Encoding: chunked\r\n");
    }
  }
  bool connection_said = false;
  for (const auto& [name, value] : response.headers) {
    out.append(name).append(": ").append(value).append("\r\n");
    if (name == "Connection") connection_said = true;
  }
  if (!connection_said) {
    if (!keep_alive) {
      out.append("Connection: close\r\n");
    } else if (request.http_1_0) {
      out.append("Connection: keep-alive\r\n");
    }
  }
  out.append("\r\n");
}

}  // namespace millrace::server
