// How we are doing: request times, kept results, files proven unchanged, and what a person can do about it.
#include <unistd.h>

#include <fstream>

#include "server/internal/handlers.h"
#include "server/internal/live_hub.h"
#include "server/internal/rows.h"
#include "server/internal/write_down.h"

namespace millrace::server {

namespace {

struct HitRate {
  std::uint64_t hits = 0, misses = 0;
  bool known() const { return hits + misses > 0; }
  double percent() const {
    return known() ? 100.0 * static_cast<double>(hits) / static_cast<double>(hits + misses) : 0;
  }
  // From 80 % good, from 60 % fair, below poor.
  std::string_view word() const {
    if (!known() || percent() >= 80) return "good";
    return percent() >= 60 ? "fair" : "poor";
  }
};

void write_hit_rate(JsonWriter& json, const HitRate& rate) {
  json.field("hits", rate.hits).field("misses", rate.misses);
  json.key("hit_rate");
  if (rate.known()) {
    json.ratio(rate.percent(), 1);
  } else {
    json.null();
  }
  json.field("word", rate.word());
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

HitRate file_hits(const std::vector<ingest::SourceStatus>& sources) {
  HitRate rate;
  for (const auto& source : sources) {
    rate.hits += source.files_unchanged;
    rate.misses += source.files_read;
  }
  return rate;
}

// A hint names the cause and the number; there are no general tips.
std::vector<std::string> tips_for(const std::vector<ingest::SourceStatus>& sources, const HitRate& files,
                                  const RequestStatistics::Line& requests) {
  std::vector<std::string> tips;
  for (const auto& source : sources) {
    const std::string name = "Source " + source.id + ": ";
    if (!source.message.empty()) tips.push_back(name + source.message);
    if (source.state == ingest::SourceState::polling)
      tips.push_back(name + source.delay_why + "; a change is seen after " + std::to_string((source.delay_max.count() + 999) / 1000) + " s at most.");
    if (source.event_overflows > 0)
      tips.push_back(
          name + std::to_string(source.event_overflows) +
          " times more files changed at once than the system reports; each time the folder was listed again.");
    if (source.rejections > 0)
      tips.push_back(name + std::to_string(source.rejections) + " files or rows were refused; the list says why.");
    if (source.state == ingest::SourceState::paused)
      tips.push_back(name + "paused; nothing new is read until somebody resumes it.");
  }
  if (files.known() && files.percent() < 80)
    tips.push_back("Files: " + std::to_string(files.misses) + " of " + std::to_string(files.hits + files.misses) +
                   " files were read at the last refresh because they were new or changed; the next one finds them "
                   "unchanged.");
  if (requests.errors > 0)
    tips.push_back(std::to_string(requests.errors) + " of " + std::to_string(requests.count) +
                   " requests failed on our side; the log names each with its request id.");
  return tips;
}

void write_tips(JsonWriter& json, const std::vector<std::string>& tips) {
  json.key("tips").begin_array();
  for (const std::string& tip : tips) json.begin_object().field("text", tip).end_object();
  json.end_array();
}

void write_times(JsonWriter& json, const RequestStatistics::Line& line) {
  json.key("p50_ms").ratio(line.p50_ms, 3);
  json.key("p95_ms").ratio(line.p95_ms, 3);
  json.key("p99_ms").ratio(line.p99_ms, 3);
  json.field("errors", line.errors);
}

void write_loads(JsonWriter& json, const std::vector<LiveHub::Load>& loads) {
  const auto maybe = [&](std::string_view name, const std::optional<std::uint64_t>& value) {
    json.key(name);
    if (value) {
      json.number(*value);
    } else {
      json.null();
    }
  };
  json.key("loads").begin_array();
  for (const auto& load : loads) {
    json.begin_object().field("source", load.source);
    maybe("fresh_ms", load.fresh_ms);
    json.field("fresh_files", load.fresh_files);
    maybe("unchanged_ms", load.unchanged_ms);
    json.field("unchanged_files", load.unchanged_files).end_object();
  }
  json.end_array();
}

}  // namespace

Response show_performance(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::no, [&](const Moment&) -> Result<std::string> {
    const auto sources = backend.services.sources.sources();
    const auto all = backend.statistics.all();
    const auto kept = backend.services.results.statistics();
    const RecordFacts record = backend.services.record_facts();
    const HitRate files = file_hits(sources);
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.key("requests").begin_object().field("count", all.count);
    json.key("rate_1m").ratio(backend.statistics.rate_1m(), 2);
    write_times(json, all);
    json.end_object();
    json.key("routes").begin_array();
    for (const auto& line : backend.statistics.routes()) {
      json.begin_object().field("route", line.route).field("count", line.count);
      write_times(json, line);
      json.end_object();
    }
    json.end_array();
    json.key("cache").begin_object();
    write_hit_rate(json, {kept.hits, kept.misses});
    json.field("entries", kept.entries).field("bytes", kept.bytes).field("bytes_max", kept.bytes_max);
    json.field("evictions", kept.evictions).end_object();
    json.key("files").begin_object();
    write_hit_rate(json, files);
    json.end_object();
    json.key("memory").begin_object().field("rss_bytes", resident_bytes()).end_object();
    json.key("live").begin_object().field("clients", std::uint64_t{backend.hub.client_count()}).end_object();
    json.key("record").begin_object().field("database_bytes", record.database_bytes);
    json.field("log_bytes", record.log_bytes).field("commits", record.commits).end_object();
    write_tips(json, tips_for(sources, files, all));
    write_loads(json, backend.hub.loads());
    json.end_object();
    return out;
  });
}

namespace {

// The state of the refresh service over all sources: running when any of them works.
std::string_view service_status(const std::vector<ingest::SourceStatus>& sources) {
  using State = ingest::SourceState;
  bool any_paused = false;
  for (const auto& source : sources) {
    if (source.state == State::paused) any_paused = true;
    if (source.state != State::paused && source.state != State::stopped) return "running";
  }
  return any_paused ? "paused" : "stopped";
}

void write_refresh_service(JsonWriter& json, const std::vector<ingest::SourceStatus>& sources, Instant now) {
  std::uint64_t count = 0, with_changes = 0;
  std::optional<Instant> last, next;
  std::int64_t interval = 0;
  for (const auto& source : sources) {
    count += source.refresh_count;
    with_changes += source.refresh_with_changes;
    if (source.refresh_started && (!last || *source.refresh_started > *last)) last = source.refresh_started;
    if (source.refresh_next && (!next || *source.refresh_next < *next)) next = source.refresh_next;
    const std::int64_t seconds = source.refresh_interval.count();
    if (interval == 0 || seconds < interval) interval = seconds;
  }
  json.field("status", service_status(sources)).field("refresh_count", count);
  json.field("refreshes_with_changes", with_changes).field("interval_s", interval);
  write_instant(json, "last_refresh", last);
  write_instant(json, "next_refresh", next);
  json.key("sources").begin_array();
  for (const auto& source : sources) write_source(json, source, now);
  json.end_array();
}

Response refresh_all(const Request& request, Backend& backend, bool reread) {
  const auto sources = backend.services.sources.sources();
  for (const auto& source : sources) {
    const Result<void> done = do_and_write_down(request, backend, {"source.refresh", "source:" + source.id, "", reread ? R"({"reread":true})" : ""},
                                                [&] { return backend.services.sources.refresh(source.id, reread); });
    if (!done) return problem_response(request, problem_of(done.error()));
  }
  Response response;
  response.status = 202;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  JsonWriter json(response.body);
  json.begin_object().field("state", "queued").field("sources", std::uint64_t{sources.size()}).end_object();
  return response;
}

}  // namespace

Response so_performance(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::no, [&](const Moment& at) -> Result<std::string> {
    const auto sources = backend.services.sources.sources();
    const auto kept = backend.services.results.statistics();
    const RecordFacts record = backend.services.record_facts();
    const HitRate files = file_hits(sources);
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.field("orders_loaded", at.snapshot->order_count()).field("lines_loaded", at.snapshot->line_count());
    write_loads(json, backend.hub.loads());
    json.key("hit_rate").begin_object();
    write_hit_rate(json, files);
    json.end_object();
    json.key("cache_size").begin_object();
    json.field("disk_bytes", record.database_bytes + record.log_bytes);
    json.field("memory_bytes", resident_bytes()).field("results_bytes", kept.bytes).end_object();
    json.key("refresh").begin_object();
    write_refresh_service(json, sources, at.now);
    json.end_object();
    write_tips(json, tips_for(sources, files, backend.statistics.all()));
    json.end_object();
    return out;
  });
}

Response so_performance_refresh(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return refresh_all(request, backend, true);
}

Response so_background_refresh(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  Response response;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  JsonWriter json(response.body);
  json.begin_object();
  write_refresh_service(json, backend.services.sources.sources(), backend.services.clock.now());
  json.end_object();
  return response;
}

Response so_background_refresh_force(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return refresh_all(request, backend, false);
}

}  // namespace millrace::server
