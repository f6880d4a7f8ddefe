#include "server/internal/backend.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"
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

// One text for all spellings of the same question: parameters by name, values in their order.
std::string canonical_url(const Request& request) {
  std::vector<const std::pair<std::string, std::string>*> sorted;
  for (const auto& pair : request.parameters) sorted.push_back(&pair);
  std::stable_sort(sorted.begin(), sorted.end(), [](auto* left, auto* right) { return left->first < right->first; });
  std::string text(request.raw_path);
  char separator = '?';
  for (const auto* pair : sorted) {
    text += separator;
    text += percent_encoded(pair->first) + "=" + percent_encoded(pair->second);
    separator = '&';
  }
  return text;
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

void add_data_headers(Response& response, const Moment& at, const std::string& tag) {
  response.header("ETag", tag);
  response.header("Millrace-As-Of", std::to_string(at.as_of.value));
  response.header("Millrace-As-Of-Time", rfc3339(at.as_of_time));
  response.header("Cache-Control", "private, no-cache");
  response.header("Vary", "Accept, Accept-Encoding, Authorization");
}

std::string tag_of(const Moment& at, std::string_view variant) {
  return "\"" + std::to_string(at.as_of.value) + "-" + std::to_string(day_number(at.today)) + "-" +
         std::to_string(hash64(variant)) + "\"";
}

// A held or failed source changes what the numbers mean, its age alone does not.
std::string state_text(const std::vector<ingest::SourceStatus>& sources) {
  std::string text;
  for (const auto& source : sources) text += source.id + ':' + std::string(ingest::word(source.state)) + ';';
  return text;
}

std::shared_ptr<const std::string> kept_or_null(Backend& backend, const std::string& key) {
  auto found = backend.services.results.find(key);
  backend.statistics.count_cache(found != nullptr);
  return found;
}

}  // namespace

bool not_modified(const Request& request, const Moment& at, std::string_view variant, Response& response) {
  const std::string tag = tag_of(at, std::string(variant) + canonical_url(request));
  add_data_headers(response, at, tag);
  if (!matches_tag(request.header("If-None-Match"), tag)) return false;
  response.status = 304;
  return true;
}

Response data_response(const Request& request, Backend& backend, Keep keep,
                       const std::function<Result<std::string>(const Moment&)>& build) {
  const Moment at = moment(backend.services);
  const std::vector<ingest::SourceStatus> sources = backend.services.sources.sources();
  const Coding coding = preferred(request.header("Accept-Encoding"));
  const std::string url = canonical_url(request);
  const std::string tag = tag_of(at, url + '|' + std::string(name_of(coding)) + '|' + state_text(sources));
  Response response;
  add_data_headers(response, at, tag);
  if (keep == Keep::yes && matches_tag(request.header("If-None-Match"), tag)) {
    response.status = 304;
    return response;
  }
  response.content_type = "application/json";
  const std::string head = envelope(at, sources);
  const std::string key = std::to_string(at.as_of.value) + '|' + std::to_string(day_number(at.today)) + '|' + url;
  // Packed answers carry the ages of the sources, so they are kept under them too: one packing per second at most.
  const std::string packed_key = std::string(name_of(coding)) + '|' + key + '|' + head;
  if (keep == Keep::yes && coding != Coding::identity) {
    if (auto found = backend.services.results.find(packed_key)) {
      backend.statistics.count_cache(true);
      response.kept = std::move(found);
      response.encoded = true;
      response.header("Content-Encoding", std::string(name_of(coding)));
      return response;
    }
  }
  std::shared_ptr<const std::string> rest = keep == Keep::yes ? kept_or_null(backend, key) : nullptr;
  if (!rest) {
    Result<std::string> built = build(at);
    if (!built) return problem_response(request, problem_of(built.error()));
    rest = std::make_shared<const std::string>(std::move(*built));
    if (keep == Keep::yes) backend.services.results.keep(key, rest);
  }
  response.body.reserve(head.size() + rest->size() + 3);
  response.body.append("{").append(head);
  if (!rest->empty()) response.body.append(",").append(*rest);
  response.body.append("}");
  if (keep == Keep::yes && coding != Coding::identity && response.body.size() > packed_from_bytes) {
    std::string small = packed(response.body, coding);
    if (!small.empty()) {
      response.kept = std::make_shared<const std::string>(std::move(small));
      backend.services.results.keep(packed_key, response.kept);
      response.body.clear();
      response.encoded = true;
      response.header("Content-Encoding", std::string(name_of(coding)));
    }
  }
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
