#include "server/internal/message.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"

namespace millrace::server {

void Request::reset() {
  method = raw_path = raw_query = {};
  parameters.clear();
  headers.clear();
  path_values.clear();
  body.clear();
  id.clear();
  host.clear();
  caller.reset();
  keep_alive = true;
  http_1_0 = false;
  host_is_ours = false;
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (equal_ignoring_case(key, name)) return value;
  return {};
}

std::string_view Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

bool Request::has_parameter(std::string_view name) const {
  return std::any_of(parameters.begin(), parameters.end(), [&](const auto& pair) { return pair.first == name; });
}

const std::vector<ProblemKind>& problem_kinds() {
  static const std::vector<ProblemKind> kinds = {
      {"bad-request", 400, "The request is not well-formed"},
      {"invalid-input", 400, "Something in the request is wrong"},
      {"unknown-parameter", 400, "A parameter is not known here"},
      {"bad-value", 400, "A parameter has a wrong value"},
      {"cursor-mismatch", 400, "The cursor belongs to another filter"},
      {"tls-required", 400, "This address speaks HTTPS"},
      {"unauthorized", 401, "The right token or signature is missing"},
      {"sign-in-refused", 401, "Login or password is wrong"},
      {"host-refused", 403, "This host name is not ours"},
      {"origin-refused", 403, "Another site may not do this"},
      {"denied", 403, "Not allowed"},
      {"not-found", 404, "There is no such thing"},
      {"method-not-allowed", 405, "This address does not take that method"},
      {"not-acceptable", 406, "None of the accepted formats exists here"},
      {"request-timeout", 408, "The request took too long to arrive"},
      {"conflict", 409, "Somebody else was first"},
      {"precondition-failed", 412, "Somebody changed it meanwhile"},
      {"body-too-large", 413, "The body is too large"},
      {"uri-too-long", 414, "The address is too long"},
      {"unsupported-media-type", 415, "The body has a type that is not read here"},
      {"expectation-failed", 417, "The expectation cannot be met"},
      {"limit-reached", 422, "A limit was reached"},
      {"upgrade-required", 426, "This address speaks WebSocket"},
      {"precondition-required", 428, "Say which state you looked at"},
      {"too-many-requests", 429, "Too many requests"},
      {"head-too-large", 431, "The request head is too large"},
      {"internal", 500, "We made a mistake"},
      {"corrupt", 500, "Our own data is damaged"},
      {"not-implemented", 501, "This method does not exist here"},
      {"unavailable", 503, "Not possible now, try again"},
      {"overloaded", 503, "Too much to do at this moment"},
      {"version-not-supported", 505, "This HTTP version is not spoken here"},
  };
  return kinds;
}

namespace {
std::string_view title_of(std::string_view code) {
  for (const ProblemKind& kind : problem_kinds())
    if (kind.code == code) return kind.title;
  return "Problem";
}

std::string dashed(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}
}  // namespace

std::string problem_json(const Problem& problem, std::string_view instance) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("type", "/problems/" + problem.code);
  json.field("title", title_of(problem.code));
  json.field("status", problem.status);
  json.field("detail", problem.detail);
  json.field("instance", instance);
  if (!problem.errors.empty()) {
    json.key("errors").begin_array();
    for (const ProblemPart& part : problem.errors) {
      json.begin_object();
      if (!part.parameter.empty()) json.field("parameter", part.parameter);
      if (!part.pointer.empty()) json.field("pointer", part.pointer);
      json.field("code", part.code);
      json.field("detail", part.detail);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  return out;
}

Response problem_response(const Request& request, const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body = problem_json(problem, request.id);
  response.header("Cache-Control", "no-store");
  if (problem.status == 503 || problem.status == 429) response.header("Retry-After", "1");
  return response;
}

Problem problem_of(const Error& error) {
  Problem problem;
  problem.status = traits(error.code()).http_status;
  problem.code = dashed(traits(error.code()).name);
  problem.detail = error.text();
  return problem;
}

Problem problem_of(const std::vector<query::ParameterError>& errors) {
  Problem problem;
  problem.status = 400;
  problem.code = errors.empty() || errors.size() > 1 ? "invalid-input" : errors.front().code;
  const auto& kinds = problem_kinds();
  if (std::none_of(kinds.begin(), kinds.end(), [&](const ProblemKind& kind) { return kind.code == problem.code; }))
    problem.code = "invalid-input";
  for (const auto& error : errors) {
    if (!problem.detail.empty()) problem.detail += " ";
    problem.detail += error.detail;
    problem.errors.push_back({error.parameter, "", error.code, error.detail});
  }
  return problem;
}

std::string_view status_text(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

namespace {
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c != '%' && c != '+' && c != '\0'; });
  if (plain) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

std::optional<query::Parameters> parse_query_string(std::string_view text) {
  query::Parameters parameters;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value || name->empty()) return std::nullopt;
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

}  // namespace millrace::server
