// Alive, ready, measured, described.
#include "base/hash.h"
#include "server/internal/handlers.h"
#include "server/internal/router.h"
#include "server/internal/rows.h"
#include "server/internal/who_asks.h"

namespace millrace::server {

namespace {

Response plain(std::string_view type, std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.content_type = type;
  response.header("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

struct Check {
  std::string name;
  bool good;
  std::string detail;
};

std::vector<Check> checks_of(Backend& backend) {
  std::vector<Check> checks;
  std::string why;
  const bool ready = backend.services.ready(why);
  checks.push_back({"ready", ready, why});
  const RecordFacts record = backend.services.record_facts();
  checks.push_back({"record", !record.refuses, record.refuses ? record.refuses->text() : std::to_string(record.free_bytes / 1'000'000) + " MB free on its disk"});
  for (const auto& source : backend.services.sources.sources()) {
    const bool good = source.state != ingest::SourceState::failed && source.state != ingest::SourceState::held;
    checks.push_back({"source " + source.id, good, source.message});
  }
  return checks;
}

// Whether somebody may look behind "ok": who may see how we are doing, and programs of this machine that watch it.
bool sees_details(const Request& request) { return request.caller->may(people::Right::see_performance) || is_local(request); }

}  // namespace

Response livez(const Request&, Backend&) { return plain("text/plain; charset=utf-8", "ok\n"); }

Response readyz(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"verbose"})) return problem_response(request, *problem);
  std::string why;
  if (!backend.services.ready(why)) {
    Problem problem{503, "unavailable", why.empty() || !sees_details(request) ? "Not ready yet." : why, {}};
    return problem_response(request, problem);
  }
  if (!request.has_parameter("verbose") || !sees_details(request)) return plain("text/plain; charset=utf-8", "ok\n");
  std::string text;
  for (const Check& check : checks_of(backend))
    text += (check.good ? "[+] " : "[-] ") + check.name + (check.detail.empty() ? "" : ": " + check.detail) + "\n";
  return plain("text/plain; charset=utf-8", std::move(text));
}

Response health(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const std::vector<Check> checks = checks_of(backend);
  const bool ready = checks.front().good;
  bool all_good = true;
  for (const Check& check : checks) all_good = all_good && check.good;
  const auto snapshot = backend.services.snapshot();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("status", !ready ? "unavailable" : all_good ? "ok" : "degraded");
  if (!sees_details(request)) {
    json.end_object();
    return plain("application/json", std::move(out), ready ? 200 : 503);
  }
  json.field("version", backend.services.build.version).field("commit", backend.services.build.commit);
  json.field("as_of", snapshot->as_of().value).field("orders", snapshot->order_count());
  json.key("checks").begin_array();
  for (const Check& check : checks)
    json.begin_object().field("name", check.name).field("good", check.good).field("detail", check.detail).end_object();
  json.end_array().field("record_free_bytes", backend.services.record_facts().free_bytes).end_object();
  return plain("application/json", std::move(out), ready ? 200 : 503);
}

Response metrics_text(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (!sees_details(request))
    return problem_response(request, request.caller->by == people::Identity::By::nobody
                                         ? Problem{401, "unauthorized", "Send a token with the right see_performance, or ask from this machine.", {}}
                                         : *missing_right(*request.caller, people::Rights{people::Right::see_performance}, "see the metrics"));
  // What has no moment of its own at which it changes is looked at when somebody asks.
  metrics::Registry& metrics = backend.services.metrics;
  const auto snapshot = backend.services.snapshot();
  metrics.gauge("millrace_orders").set(static_cast<std::int64_t>(snapshot->order_count()));
  metrics.gauge("millrace_rejections").set(static_cast<std::int64_t>(snapshot->rejections().size()));
  metrics.gauge("millrace_cache_bytes").set(static_cast<std::int64_t>(backend.services.results.statistics().bytes));
  metrics.gauge("millrace_record_memory_bytes").set(static_cast<std::int64_t>(backend.services.record_facts().memory_bytes));
  return plain("text/plain; version=0.0.4; charset=utf-8", metrics.prometheus_text());
}

Response openapi(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const Moment at = moment(backend.services);
  query::OrderQuery first;
  first.limit = 1;
  std::string order = "43659", source = "orders", rejection = "1";
  // Examples are from the data, for whoever sees all of it.
  const bool sees_all = view_of(*request.caller).whole() && request.caller->may(people::Right::see_sources);
  if (const auto page = query::orders(*at.snapshot, first, at.today); sees_all && page && !page->rows.empty())
    order = page->rows.front().order;
  if (const auto sources = backend.services.sources.sources(); sees_all && !sources.empty()) source = sources.front().id;
  if (sees_all && !at.snapshot->rejections().empty()) rejection = std::to_string(at.snapshot->rejections().front()->id);
  Response response;
  if (not_modified(request, at, sees_all ? "openapi" : "openapi without data", response)) return response;
  response.content_type = "application/json";
  response.body = openapi_json(backend.router.routes(), backend.services.build.version, order, source, rejection);
  return response;
}

}  // namespace millrace::server
