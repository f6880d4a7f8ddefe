#include "server/internal/backend.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"
#include "server/internal/access.h"
#include "server/internal/encoding.h"
#include "server/internal/rows.h"

namespace millrace::server {

Moment moment(const Services& services) {
  Moment at;
  at.snapshot = services.snapshot();
  at.as_of = at.snapshot->as_of();
  at.as_of_time = at.snapshot->as_of_time();
  at.now = services.clock.now();
  at.today = utc_day(at.now);
  return at;
}

std::string envelope(const Moment& at, const std::vector<ingest::SourceStatus>& sources) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("as_of", at.as_of.value);
  write_instant(json, "as_of_time", at.as_of_time);
  json.key("sources").begin_array();
  for (const auto& source : sources) {
    json.begin_object().field("id", source.id).field("state", ingest::word(source.state));
    write_instant(json, "as_of_time", source.as_of_time);
    json.key("age_s");
    if (source.as_of_time) {
      json.number(
          std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(at.now - *source.as_of_time).count()));
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array().end_object();
  return out.substr(1, out.size() - 2);
}

namespace {

// The address as it was asked, and what of the answer the asker may see. Another spelling of the same question is another resource to HTTP, and to us.
void append_address(std::string& out, const Request& request) {
  out.append(request.raw_path).append("?").append(request.raw_query).append(view_of(*request.caller).key());
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

bool matches_tag(std::string_view if_none_match, std::string_view tag) {
  for (std::string_view part : split(if_none_match, ',')) {
    part = trim(part);
    if (part == "*") return true;
    if (part.starts_with("W/")) part.remove_prefix(2);
    if (part == tag) return true;
  }
  return false;
}

void add_data_headers(Response& response, const Moment& at, std::string tag) {
  response.headers.reserve(8);
  response.header("ETag", std::move(tag));
  response.header("Millrace-As-Of", std::to_string(at.as_of.value));
  response.header("Millrace-As-Of-Time", rfc3339(at.as_of_time));
  response.header("Cache-Control", "private, no-cache");
  response.header("Vary", "Accept, Accept-Encoding, Authorization, Cookie");
}

// "12-20780-1234": Sequence, day, and a hash of what else decides the bytes.
std::string tag_of(const Moment& at, std::string_view variant) {
  std::string tag = "\"";
  append_number(tag, static_cast<std::int64_t>(at.as_of.value));
  tag += '-';
  append_number(tag, day_number(at.today));
  tag += '-';
  tag += std::to_string(hash64(variant));
  tag += '"';
  return tag;
}

// A held or failed source changes what the numbers mean, its age alone does not.
void append_states(std::string& out, const std::vector<ingest::SourceStatus>& sources) {
  for (const auto& source : sources) out.append(source.id).append(":").append(ingest::word(source.state)).append(";");
}

std::shared_ptr<const std::string> kept_or_null(Backend& backend, const std::string& key) {
  auto found = backend.services.results.find(key);
  backend.statistics.count_cache(found != nullptr);
  return found;
}

}  // namespace

bool not_modified(const Request& request, const Moment& at, std::string_view variant, Response& response) {
  std::string text(variant);
  append_address(text, request);
  const std::string tag = tag_of(at, text);
  add_data_headers(response, at, tag);
  if (!matches_tag(request.header("If-None-Match"), tag)) return false;
  response.status = 304;
  return true;
}

namespace {

// The kept text is what follows the envelope: the fields of the object with its closing brace.
std::string behind_envelope(std::string object) {
  if (object == "{}") return "}";
  object.front() = ',';
  return object;
}

// Packed answers carry the ages of the sources, so they are kept under them too: one packing per second at most.
void send_packed(Response& response, Backend& backend, Keep keep, Coding coding, const std::string& packed_key) {
  std::string whole;
  whole.append(response.first()).append(response.second());
  std::string small = packed(whole, coding);
  if (small.empty()) return;
  response.kept = std::make_shared<const std::string>(std::move(small));
  if (keep == Keep::yes) backend.services.results.keep(packed_key, response.kept);
  response.body.clear();
  response.encoded = true;
  response.header("Content-Encoding", std::string(name_of(coding)));
}

}  // namespace

Response data_response(const Request& request, Backend& backend, Keep keep,
                       const std::function<Built(const Moment&)>& build, std::string_view also) {
  const Moment at = moment(backend.services);
  const std::vector<ingest::SourceStatus> sources = backend.services.sources.sources();
  const Coding coding = preferred(request.header("Accept-Encoding"));
  std::string key;
  key.reserve(256);
  append_number(key, static_cast<std::int64_t>(at.as_of.value));
  key += '|';
  append_number(key, day_number(at.today));
  key += '|';
  append_address(key, request);
  key.append(also);
  std::string variant = key;
  variant.append("|").append(name_of(coding)).append("|");
  append_states(variant, sources);
  Response response;
  std::string tag = tag_of(at, variant);
  const bool known = keep == Keep::yes && matches_tag(request.header("If-None-Match"), tag);
  add_data_headers(response, at, std::move(tag));
  if (known) {
    response.status = 304;
    return response;
  }
  response.content_type = "application/json";
  response.body = "{" + envelope(at, sources);
  const std::string packed_key =
      coding == Coding::identity ? std::string() : std::string(name_of(coding)) + '|' + key + '|' + response.body;
  if (keep == Keep::yes && coding != Coding::identity) {
    if (auto found = backend.services.results.find(packed_key)) {
      backend.statistics.count_cache(true);
      response.body.clear();
      response.kept = std::move(found);
      response.encoded = true;
      response.header("Content-Encoding", std::string(name_of(coding)));
      return response;
    }
  }
  response.kept = keep == Keep::yes ? kept_or_null(backend, key) : nullptr;
  if (!response.kept) {
    Built built = build(at);
    if (built.problem) return problem_response(request, *built.problem);
    response.kept = std::make_shared<const std::string>(behind_envelope(std::move(built.text)));
    if (keep == Keep::yes && !built.is_cheap) backend.services.results.keep(key, response.kept);
  }
  if (coding != Coding::identity && response.size() > packed_from_bytes)
    send_packed(response, backend, keep, coding, packed_key);
  return response;
}

std::optional<Problem> unknown_parameters(const Request& request, std::initializer_list<std::string_view> known) {
  std::vector<query::ParameterError> errors;
  const std::vector<std::string_view> words(known);
  for (const auto& [name, value] : request.parameters) {
    if (std::find(words.begin(), words.end(), name) != words.end()) continue;
    const std::string_view near = closest(name, words);
    std::string detail = "The parameter \"" + printable(name) + "\" is not known here";
    detail += near.empty() ? "." : "; did you mean \"" + std::string(near) + "\"?";
    errors.push_back({printable(name), "unknown-parameter", std::move(detail)});
    if (errors.size() == 10) break;
  }
  if (errors.empty()) return std::nullopt;
  return problem_of(errors);
}

std::optional<std::int64_t> number_parameter(const Request& request, const NumberParameter& parameter,
                                             std::vector<query::ParameterError>& errors) {
  if (!request.has_parameter(parameter.name)) return parameter.fallback;
  const std::string_view text = request.parameter(parameter.name);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc() && end == text.data() + text.size() && value >= parameter.smallest &&
      value <= parameter.largest)
    return value;
  errors.push_back({std::string(parameter.name), "bad-value",
                    std::string(parameter.name) + "=" + printable(text.substr(0, 40)) +
                        " is not a whole number between " + std::to_string(parameter.smallest) + " and " +
                        std::to_string(parameter.largest) + "."});
  return std::nullopt;
}

}  // namespace millrace::server
