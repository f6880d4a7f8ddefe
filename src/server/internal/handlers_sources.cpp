// Where the data comes from, what can be done to it, and what was refused.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "server/internal/exports.h"
#include "server/internal/handlers.h"
#include "server/internal/json_in.h"
#include "server/internal/rows.h"
#include "server/internal/write_down.h"

namespace millrace::server {

namespace {

Response source_response(const Request& request, Backend& backend, std::string_view id, int status) {
  const Instant now = backend.services.clock.now();
  for (const auto& source : backend.services.sources.sources()) {
    if (source.id != id) continue;
    Response response;
    response.status = status;
    response.content_type = "application/json";
    response.header("Cache-Control", "no-store");
    JsonWriter json(response.body);
    json.begin_object().key("source");
    write_source(json, source, now);
    json.end_object();
    return response;
  }
  return problem_response(request, {404, "not-found", "There is no source \"" + printable(id) + "\".", {}});
}

// What the audit trail says a source was: what people can change of it, and what waits for them.
std::string source_before(const Backend& backend, std::string_view id) {
  for (const auto& source : backend.services.sources.sources()) {
    if (source.id != id) continue;
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("state", ingest::word(source.state)).field("interval_s", std::int64_t{source.refresh_interval.count()});
    if (source.service) json.field("held", std::uint64_t{source.service->held.size()});
    json.end_object();
    return out;
  }
  return "";
}

template <class Act>
Response act_on_source(const Request& request, Backend& backend, std::string_view verb, std::string after, Act act) {
  const std::string& id = request.path_values.at(0);
  if (const auto refused = backend.services.record_facts().refuses) return problem_response(request, problem_of(*refused));
  const Result<void> done = do_and_write_down(request, backend, {"source." + std::string(verb), "source:" + printable(id), source_before(backend, id), std::move(after)},
                                              [&] { return act(backend.services.sources, id); });
  if (!done) return problem_response(request, problem_of(done.error()));
  return source_response(request, backend, id, 202);
}

}  // namespace

Response list_sources(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::no, [&](const Moment& at) -> Result<std::string> {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& source : backend.services.sources.sources()) write_source(json, source, at.now);
    json.end_array().end_object();
    return out;
  });
}

Response refresh_source(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"reread"})) return problem_response(request, *problem);
  const std::string_view text = request.parameter("reread");
  if (!text.empty() && text != "0" && text != "1")
    return problem_response(
        request, problem_of(std::vector<query::ParameterError>{{"reread", "bad-value", "reread is 0 or 1."}}));
  return act_on_source(request, backend, "refresh", text == "1" ? R"({"reread":true})" : "", [&](ingest::Control& sources, const std::string& id) {
    return sources.refresh(id, text == "1");
  });
}

Response pause_source(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return act_on_source(request, backend, "pause", R"({"state":"paused"})",
                       [](ingest::Control& sources, const std::string& id) { return sources.pause(id); });
}

Response resume_source(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return act_on_source(request, backend, "resume", R"({"paused":false})",
                       [](ingest::Control& sources, const std::string& id) { return sources.resume(id); });
}

Response accept_vanished(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return act_on_source(request, backend, "accept", R"({"held":"accepted"})",
                       [](ingest::Control& sources, const std::string& id) { return sources.accept_vanished(id); });
}

Response reject_held(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return act_on_source(request, backend, "reject", R"({"held":"rejected"})",
                       [](ingest::Control& sources, const std::string& id) { return sources.reject_held(id); });
}

Response list_held(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::no, [&](const Moment&) -> Result<std::string> {
    std::string out;
    JsonWriter json(out);
    std::uint64_t total = 0;
    json.begin_object().key("data").begin_array();
    for (const auto& source : backend.services.sources.sources()) {
      if (!source.service) continue;
      for (const auto& held : source.service->held) write_held(json, source.id, held);
      total += source.service->held.size();
    }
    json.end_array().field("total", total).end_object();
    return out;
  });
}

Response change_source(const Request& request, Backend& backend) {
  const std::string_view type = request.header("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  if (!equal_ignoring_case(media, "application/json") && !equal_ignoring_case(media, "application/merge-patch+json"))
    return problem_response(request, {415, "unsupported-media-type", "Send the change as application/json.", {}});
  const auto interval = parse_interval(request.body);
  if (!interval) {
    Problem problem = problem_of(interval.error());
    problem.errors.push_back({"", "/interval_s", "bad-value", interval.error().text()});
    return problem_response(request, problem);
  }
  // Beyond this no duration type overflows; the source knows the real bounds and says them.
  const std::int64_t bounded = std::clamp<std::int64_t>(*interval, -1, 1'000'000'000);
  const std::string& id = request.path_values.at(0);
  const Result<void> done = do_and_write_down(
      request, backend, {"source.change", "source:" + printable(id), source_before(backend, id), "{\"interval_s\":" + std::to_string(bounded) + "}"},
      [&] { return backend.services.sources.set_interval(id, std::chrono::seconds(bounded)); });
  if (!done) {
    Problem problem = problem_of(done.error());
    if (problem.status == 400) problem.errors.push_back({"", "/interval_s", "bad-value", done.error().text()});
    return problem_response(request, problem);
  }
  return source_response(request, backend, request.path_values.at(0), 200);
}

namespace {

inline constexpr std::string_view outcome_words[] = {"reject", "keep_previous", "ingest_and_flag", "superseded",
                                                     "held"};

struct RejectionFilter {
  std::string_view outcome;
  std::string folded;
  std::optional<Problem> problem;
};
RejectionFilter rejection_filter(const Request& request) {
  RejectionFilter filter;
  filter.problem = unknown_parameters(request, {"outcome", "q", "bom", "sep", "decimal"});
  filter.outcome = request.parameter("outcome");
  filter.folded = search_fold(request.parameter("q"));
  if (!filter.problem && !filter.outcome.empty() &&
      std::find(std::begin(outcome_words), std::end(outcome_words), filter.outcome) == std::end(outcome_words))
    filter.problem = problem_of(std::vector<query::ParameterError>{
        {"outcome", "bad-value", "outcome is one of reject, keep_previous, ingest_and_flag, superseded, held."}});
  return filter;
}

bool passes(const RejectionFilter& filter, const feed::Rejection& rejection) {
  if (!filter.outcome.empty() && feed::word(rejection.outcome) != filter.outcome) return false;
  if (filter.folded.empty()) return true;
  for (const std::string& text : {printable(rejection.path), rejection.reason, rejection.value, rejection.order_number})
    if (search_fold(text).find(filter.folded) != std::string::npos) return true;
  return false;
}

}  // namespace

Response list_rejections(const Request& request, Backend& backend) {
  const RejectionFilter filter = rejection_filter(request);
  if (filter.problem) return problem_response(request, *filter.problem);
  return data_response(request, backend, Keep::yes, [&](const Moment& at) -> Result<std::string> {
    std::string out;
    JsonWriter json(out);
    std::uint64_t total = 0;
    json.begin_object().key("data").begin_array();
    for (const auto& rejection : query::rejections(*at.snapshot)) {
      if (!passes(filter, rejection)) continue;
      write_rejection(json, rejection);
      ++total;
    }
    json.end_array().field("total", total).end_object();
    return out;
  });
}

Response rejections_csv(const Request& request, Backend& backend) {
  const RejectionFilter filter = rejection_filter(request);
  if (filter.problem) return problem_response(request, *filter.problem);
  std::vector<query::ParameterError> errors;
  const query::CsvStyle style = csv_style(request, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const Moment at = moment(backend.services);
  Response response;
  if (not_modified(request, at, "rejections", response)) return response;
  response.content_type = "text/csv; charset=utf-8; header=present";
  response.encoded = true;
  response.header("Content-Disposition", "attachment; filename=\"rejections_" + iso(at.today) + ".csv\"");
  std::string& out = response.body;
  if (style.bom) out += "\xEF\xBB\xBF";
  for (const std::string_view name :
       {"id", "source", "path", "place", "reason", "value", "outcome", "order", "since"}) {
    if (name != "id") out += style.separator;
    out += name;
  }
  out += style.line_end;
  std::size_t rows = 0;
  for (const auto& rejection : query::rejections(*at.snapshot)) {
    if (!passes(filter, rejection)) continue;
    ++rows;
    out += std::to_string(rejection.id);
    for (const std::string& text :
         {rejection.source, printable(rejection.path), rejection.place, rejection.reason, rejection.value,
          std::string(feed::word(rejection.outcome)), rejection.order_number, rfc3339(rejection.since)}) {
      out += style.separator;
      append_csv_text(out, text, style);
    }
    out += style.line_end;
  }
  (out += last_line(rows, at)) += style.line_end;
  return response;
}

Response replay_rejection(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const std::string& text = request.path_values.at(0);
  std::uint64_t id = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (code != std::errc() || end != text.data() + text.size())
    return problem_response(
        request, {404, "not-found", "A rejection is named by its number, not \"" + printable(text) + "\".", {}});
  if (const auto refused = backend.services.record_facts().refuses) return problem_response(request, problem_of(*refused));
  const Result<void> done =
      do_and_write_down(request, backend, {"rejection.replay", "rejection:" + std::to_string(id)}, [&] { return backend.services.sources.replay(id); });
  if (!done) return problem_response(request, problem_of(done.error()));
  Response response;
  response.status = 202;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  JsonWriter json(response.body);
  json.begin_object().field("id", id).field("state", "queued").end_object();
  return response;
}

}  // namespace millrace::server
