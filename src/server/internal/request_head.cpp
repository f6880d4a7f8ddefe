#include "server/internal/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace millrace::server {

namespace {

Problem bad(std::string detail) { return {400, "bad-request", std::move(detail), {}}; }
Problem head_too_large(std::size_t head_max) {
  return {431, "head-too-large", "The request head is larger than " + std::to_string(head_max) + " bytes.", {}};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_token_char(char c) {
  if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::optional<Problem> check_first_line(std::string_view line, HeadCheck& check) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return bad("The first line is not METHOD target HTTP/1.1.");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > 32) return bad("The method is not a word.");
  if (target.size() > uri_max) return Problem{414, "uri-too-long", "The address is longer than 8 KB.", {}};
  const bool visible = std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!visible || target.empty() || target.find('#') != std::string_view::npos)
    return bad("The address has characters that belong percent-encoded.");
  check.method = method;
  check.target = target;
  check.http_1_0 = version == "HTTP/1.0";
  if (check.http_1_0 || version == "HTTP/1.1") return std::nullopt;
  const bool looks_like =
      version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' && is_digit(version[5]) && is_digit(version[7]);
  if (looks_like) return Problem{505, "version-not-supported", "HTTP/1.1 and HTTP/1.0 are spoken here.", {}};
  return bad("The first line does not end with HTTP/1.1.");
}

// Lines after the first, as far as they are complete.
std::optional<Problem> check_field_lines(std::string_view lines) {
  std::size_t count = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) break;
    if (end > 0) {
      if (++count > field_count_max)
        return Problem{431, "head-too-large", "A request has at most 100 header fields.", {}};
      if (auto problem = check_field_line(lines.substr(0, end))) return problem;
    }
    lines.remove_prefix(end + 2);
  }
  return std::nullopt;
}

// A carriage return is only ever the first half of a line end. The last byte may be that half.
bool has_bare_return(std::string_view bytes) {
  for (std::size_t at = bytes.find('\r'); at != std::string_view::npos; at = bytes.find('\r', at + 1))
    if (at + 1 < bytes.size() && bytes[at + 1] != '\n') return true;
  return false;
}
bool has_bare_newline(std::string_view bytes) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1))
    if (at == 0 || bytes[at - 1] != '\r') return true;
  return false;
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

std::optional<Problem> check_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return bad("A header field is folded over two lines.");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return bad("A header field has no name, or a blank before its colon.");
  const bool clean = std::all_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7F : c == '\t';
  });
  if (!clean) return bad("A header field has control characters.");
  return std::nullopt;
}

HeadCheck check_head(std::string_view bytes, std::size_t head_max) {
  HeadCheck check;
  const auto wrong = [&](Problem problem) {
    check.problem = std::move(problem);
    return check;
  };
  // TLS or another protocol on this port: its first byte is no letter.
  if (!bytes.empty() && !is_token_char(bytes.front())) return wrong(bad("This port speaks plain HTTP/1.1."));
  const std::size_t line_end = bytes.find('\n');
  if (line_end == std::string_view::npos) {
    if (bytes.size() > uri_max + 64) return wrong({414, "uri-too-long", "The address is longer than 8 KB.", {}});
    if (has_bare_return(bytes)) return wrong(bad("Lines of a request end with CR LF."));
    return check;
  }
  if (line_end == 0 || bytes[line_end - 1] != '\r') return wrong(bad("Lines of a request end with CR LF."));
  if (auto problem = check_first_line(bytes.substr(0, line_end - 1), check)) return wrong(std::move(*problem));
  const std::size_t end = bytes.find("\r\n\r\n", line_end - 1);
  if (end == std::string_view::npos) {
    if (bytes.size() > head_max) return wrong(head_too_large(head_max));
    const std::string_view rest = bytes.substr(line_end + 1);
    if (has_bare_return(rest) || has_bare_newline(rest)) return wrong(bad("Lines of a request end with CR LF."));
    check.problem = check_field_lines(rest);
    return check;
  }
  if (end + 4 > head_max) return wrong(head_too_large(head_max));
  if (end > line_end) check.field_lines = bytes.substr(line_end + 1, end + 2 - line_end - 1);
  check.problem = check_field_lines(check.field_lines);
  check.size = end + 4;
  check.complete = true;
  return check;
}

namespace {

// Fields that mean something once and are ambiguous twice.
enum Once : std::size_t { host, content_length, transfer_encoding, content_encoding, content_type, expect, upgrade, authorization, origin,
                          websocket_key, websocket_version, once_count };
constexpr std::array<std::string_view, once_count> once_names = {
    "Host", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Type", "Expect", "Upgrade", "Authorization", "Origin",
    "Sec-WebSocket-Key", "Sec-WebSocket-Version"};

std::size_t once_index(std::string_view name) {
  for (std::size_t i = 0; i < once_count; ++i)
    if (once_names[i].size() == name.size() && equal_ignoring_case(once_names[i], name)) return i;
  return once_count;
}

// The options of a Connection field. What frames the message cannot be declared an affair of one hop.
std::optional<Problem> read_connection(std::string_view value, bool& close, bool& keep) {
  if (equal_ignoring_case(value, "keep-alive")) {
    keep = true;
    return std::nullopt;
  }
  for (std::string_view option : split(value, ',')) {
    option = trim(option);
    if (option.empty()) continue;
    if (!is_token(option)) return bad("The Connection field is not a list of words.");
    if (equal_ignoring_case(option, "close")) close = true;
    else if (equal_ignoring_case(option, "keep-alive")) keep = true;
    const std::size_t known = once_index(option);
    if (known < once_count && known != upgrade && known != expect)
      return bad("The Connection field names " + std::string(once_names[known]) + ", which belongs to the request.");
  }
  return std::nullopt;
}

bool is_host(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view inside = text.substr(1, end - 1);
    if (inside.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos || inside.size() < 2) return false;
    text.remove_prefix(end + 1);
    if (!text.empty() && !text.starts_with(':')) return false;
    port = text.empty() ? text : text.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    const bool right = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
    });
    if (!right) return false;
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  return port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

std::optional<Problem> read_framing(const std::array<std::optional<std::string_view>, once_count>& once, bool http_1_0, Framing& framing) {
  if (once[transfer_encoding]) {
    if (once[content_length]) return bad("Transfer-Encoding and Content-Length contradict each other.");
    if (http_1_0) return bad("HTTP/1.0 has no Transfer-Encoding.");
    if (!equal_ignoring_case(*once[transfer_encoding], "chunked")) return bad("The only Transfer-Encoding read here is chunked.");
    framing.body = Framing::Body::chunked;
  } else if (once[content_length]) {
    const std::string_view text = *once[content_length];
    if (text.empty() || text.size() > 18 || !std::all_of(text.begin(), text.end(), is_digit))
      return bad("Content-Length is not a plain number.");
    std::from_chars(text.data(), text.data() + text.size(), framing.length);
    if (framing.length > 0) framing.body = Framing::Body::length;
  }
  if (once[expect] && !once[expect]->empty()) {
    if (!equal_ignoring_case(*once[expect], "100-continue"))
      return Problem{417, "expectation-failed", "The only expectation met here is 100-continue.", {}};
    framing.says_continue = !http_1_0 && framing.body != Framing::Body::none;
  }
  if (once[content_encoding] && !once[content_encoding]->empty() && !equal_ignoring_case(*once[content_encoding], "identity"))
    return Problem{415, "unsupported-media-type", "Bodies are read uncompressed only.", {}};
  return std::nullopt;
}

}  // namespace

std::optional<Problem> read_fields(const HeadCheck& check, Request& request, Framing& framing) {
  request.method = check.method;
  request.http_1_0 = check.http_1_0;
  bool close = false, keep = false;
  std::array<std::optional<std::string_view>, once_count> once;
  std::string_view lines = check.field_lines;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 2);
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    if (const std::size_t known = once_index(name); known < once_count) {
      if (once[known]) return bad("A request has " + std::string(once_names[known]) + " at most once.");
      once[known] = value;
    } else if (name.size() == 10 && equal_ignoring_case(name, "Connection")) {
      if (auto problem = read_connection(value, close, keep)) return problem;
    }
    request.headers.emplace_back(name, value);
  }
  if (!once[host] && !check.http_1_0) return bad("A request names its Host exactly once.");
  if (once[host] && !is_host(*once[host]) && !(check.http_1_0 && once[host]->empty())) return bad("The Host is not a host name.");
  // Another protocol than the one that is spoken after an upgrade here: answered in HTTP/1.1, and nothing may follow.
  if (once[upgrade] && !equal_ignoring_case(*once[upgrade], "websocket")) close = true;
  request.keep_alive = !close && (keep || !check.http_1_0);
  return read_framing(once, check.http_1_0, framing);
}

namespace {

// Browsers encode these in a path; raw they come from those who hope for a second reading.
bool is_path(std::string_view path) { return path.find_first_of("\"<>\\`") == std::string_view::npos; }

std::optional<Problem> split_query(std::string_view query, Request& request) {
  request.raw_query = query;
  if (query.find_first_of("\"<>") != std::string_view::npos) return bad("The query of the address has characters that belong percent-encoded.");
  if (std::count(query.begin(), query.end(), '&') >= static_cast<std::ptrdiff_t>(parameter_count_max))
    return bad("An address has at most " + std::to_string(parameter_count_max) + " parameters.");
  auto parameters = parse_query_string(query);
  if (!parameters) return bad("The query of the address is not well-formed: names, = and percent codes.");
  request.parameters = std::move(*parameters);
  return std::nullopt;
}

}  // namespace

std::optional<Problem> split_target(std::string_view target, Request& request) {
  request.host = std::string(request.header("Host"));
  std::string_view rest = target;
  if (rest == "*") {
    if (request.method != "OPTIONS") return bad("The address * belongs to OPTIONS.");
    request.raw_path = "*";
    return std::nullopt;
  }
  const std::string_view scheme = request.secure ? "https://" : "http://";
  if (rest.size() > scheme.size() && equal_ignoring_case(rest.substr(0, scheme.size()), scheme)) {
    rest.remove_prefix(scheme.size());
    const std::size_t slash = std::min(rest.find('/'), rest.find('?'));
    request.host = std::string(rest.substr(0, slash));
    if (!is_host(request.host)) return bad("The address names no host.");
    rest = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
  }
  if (!rest.starts_with('/')) return bad("The address does not start with a slash.");
  const std::size_t mark = rest.find('?');
  request.raw_path = rest.substr(0, mark);
  if (!is_path(request.raw_path)) return bad("The path of the address has characters that belong percent-encoded.");
  if (mark == std::string_view::npos) return std::nullopt;
  return split_query(rest.substr(mark + 1), request);
}

}  // namespace millrace::server
