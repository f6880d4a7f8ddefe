#include "server/internal/request_head.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::server {

namespace {

Problem bad(std::string detail) { return {400, "bad-request", std::move(detail), {}}; }

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

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
  if (!visible || target.find('#') != std::string_view::npos)
    return bad("The address has characters that belong percent-encoded.");
  check.method = method;
  check.target = target;
  check.http_1_0 = version == "HTTP/1.0";
  if (check.http_1_0 || version == "HTTP/1.1") return std::nullopt;
  const bool looks_like = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                          version[5] >= '0' && version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
  if (looks_like) return Problem{505, "version-not-supported", "HTTP/1.1 and HTTP/1.0 are spoken here.", {}};
  return bad("The first line does not end with HTTP/1.1.");
}

// Lines after the first: no bare CR or LF, no NUL, no folding, a name directly before the colon.
std::optional<Problem> check_field_lines(std::string_view lines) {
  std::size_t count = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 2);
    if (line.empty()) continue;
    if (++count > field_count_max)
      return Problem{431, "head-too-large", "A request has at most 100 header fields.", {}};
    if (line.front() == ' ' || line.front() == '\t') return bad("A header field is folded over two lines.");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return bad("A header field has no name, or a blank before its colon.");
    const bool clean = std::all_of(line.begin(), line.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x20 ? byte != 0x7F : c == '\t';
    });
    if (!clean) return bad("A header field has control characters.");
  }
  return std::nullopt;
}

}  // namespace

HeadCheck check_head(std::string_view bytes, std::size_t head_max) {
  HeadCheck check;
  // TLS or another protocol on this port: its first byte is no letter.
  if (!bytes.empty() && !is_token_char(bytes.front())) {
    check.problem = bad("This port speaks plain HTTP/1.1.");
    return check;
  }
  const std::size_t line_end = bytes.find('\n');
  if (line_end == std::string_view::npos) {
    if (bytes.size() > uri_max + 64)
      check.problem = Problem{414, "uri-too-long", "The address is longer than 8 KB.", {}};
    return check;
  }
  if (line_end == 0 || bytes[line_end - 1] != '\r') {
    check.problem = bad("Lines of a request end with CR LF.");
    return check;
  }
  check.problem = check_first_line(bytes.substr(0, line_end - 1), check);
  if (check.problem) return check;
  const std::size_t end = bytes.find("\r\n\r\n", line_end - 1);
  if (end == std::string_view::npos) {
    if (bytes.size() > head_max) {
      check.problem =
          Problem{431, "head-too-large", "The request head is larger than " + std::to_string(head_max) + " bytes.", {}};
      return check;
    }
    // An empty line with bare LF is never completed by the strict rule: refuse it now instead of waiting.
    if (bytes.find("\n\n") != std::string_view::npos) check.problem = bad("Lines of a request end with CR LF.");
    return check;
  }
  if (end + 4 > head_max) {
    check.problem =
        Problem{431, "head-too-large", "The request head is larger than " + std::to_string(head_max) + " bytes.", {}};
    return check;
  }
  if (end > line_end) check.field_lines = bytes.substr(line_end + 1, end - line_end - 1);
  check.problem = check_field_lines(check.field_lines);
  check.size = end + 4;
  check.complete = true;
  return check;
}

bool read_plain_head(const HeadCheck& check, Request& request) {
  request.method = check.method;
  request.http_1_0 = check.http_1_0;
  bool close = false, keep = false;
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
    if (equal_ignoring_case(name, "Connection")) {
      if (equal_ignoring_case(value, "close")) close = true;
      else if (equal_ignoring_case(value, "keep-alive")) keep = true;
      else return false;
    }
    for (const std::string_view other : {"Content-Length", "Transfer-Encoding", "Upgrade", "Expect", "Proxy-Connection"})
      if (equal_ignoring_case(name, other)) return false;
    request.headers.emplace_back(name, value);
  }
  request.keep_alive = !close && (keep || !check.http_1_0);
  return true;
}

std::optional<Problem> check_fields(const Request& request, unsigned version) {
  std::size_t hosts = 0, lengths = 0, codings = 0;
  std::string_view host, coding;
  for (const auto& [name, value] : request.headers) {
    if (equal_ignoring_case(name, "Host")) {
      ++hosts;
      host = value;
    } else if (equal_ignoring_case(name, "Content-Length")) {
      ++lengths;
      if (value.empty() || value.size() > 18 ||
          !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return bad("Content-Length is not a plain number.");
    } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
      ++codings;
      coding = value;
    }
  }
  if (hosts > 1 || (hosts == 0 && version >= 11)) return bad("A request names its Host exactly once.");
  if (host.find_first_of("/\\@ ,?#") != std::string_view::npos) return bad("The Host is not a host name.");
  if (hosts == 1 && host.empty() && version >= 11) return bad("The Host is empty.");
  if (lengths > 1) return bad("Content-Length is given twice.");
  if (codings > 0) {
    if (lengths > 0) return bad("Transfer-Encoding and Content-Length contradict each other.");
    if (version < 11) return bad("HTTP/1.0 has no Transfer-Encoding.");
    if (codings > 1 || !equal_ignoring_case(coding, "chunked"))
      return bad("The only Transfer-Encoding read here is chunked.");
  }
  const std::string_view expect = request.header("Expect");
  if (!expect.empty() && !equal_ignoring_case(expect, "100-continue"))
    return Problem{417, "expectation-failed", "The only expectation met here is 100-continue.", {}};
  const std::string_view content_coding = request.header("Content-Encoding");
  if (!content_coding.empty() && !equal_ignoring_case(content_coding, "identity"))
    return Problem{415, "unsupported-media-type", "Bodies are read uncompressed only.", {}};
  return std::nullopt;
}

std::optional<Problem> split_target(std::string_view target, Request& request) {
  request.host = std::string(request.header("Host"));
  std::string_view rest = target;
  if (rest == "*") {
    if (request.method != "OPTIONS") return bad("The address * belongs to OPTIONS.");
    request.raw_path = "*";
    return std::nullopt;
  }
  if (rest.size() > 7 && equal_ignoring_case(rest.substr(0, 7), "http://")) {
    rest.remove_prefix(7);
    const std::size_t slash = std::min(rest.find('/'), rest.find('?'));
    request.host = std::string(rest.substr(0, slash));
    if (request.host.empty()) return bad("The address names no host.");
    rest = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
  }
  if (!rest.starts_with('/')) return bad("The address does not start with a slash.");
  const std::size_t mark = rest.find('?');
  request.raw_path = rest.substr(0, mark);
  if (mark == std::string_view::npos) return std::nullopt;
  request.raw_query = rest.substr(mark + 1);
  auto parameters = parse_query_string(request.raw_query);
  if (!parameters) return bad("The query of the address is not well-formed: names, = and percent codes.");
  request.parameters = std::move(*parameters);
  return std::nullopt;
}

}  // namespace millrace::server
