#include "server/internal/rows.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::server {

std::string_view judgement(const ingest::SourceStatus& source) {
  using State = ingest::SourceState;
  switch (source.state) {
    case State::live:
    case State::polling:
      return source.rejections == 0 && source.message.empty() ? "good" : "fair";
    case State::starting:
    case State::scanning:
    case State::paused:
      return "fair";
    case State::stopped:
    case State::held:
    case State::failed:
      return "poor";
  }
  return "poor";
}

namespace {
std::int64_t age_seconds(Instant then, Instant now) {
  return std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(now - then).count());
}

void write_age(JsonWriter& json, const std::optional<Instant>& then, Instant now) {
  json.key("age_s");
  if (then) {
    json.number(age_seconds(*then, now));
  } else {
    json.null();
  }
}

void write_run(JsonWriter& json, const ingest::SyncRun& run) {
  json.begin_object();
  write_instant(json, "started", run.started);
  json.field("took_ms", std::int64_t{run.took.count()}).field("calls", run.calls).field("bytes", run.bytes);
  json.field("rows_read", run.rows_read).field("documents_read", run.documents_read);
  json.field("rows_written", run.rows_written).field("rows_gone", run.rows_gone);
  json.field("outcome", run.outcome).field("message", run.message);
  json.end_object();
}

void write_stream(JsonWriter& json, const ingest::StreamStatus& stream, Instant now) {
  json.begin_object();
  json.field("name", stream.name).field("phase", stream.phase);
  json.field("rows", stream.rows).field("rows_open", stream.rows_open);
  write_instant(json, "last_good", stream.last_good);
  write_age(json, stream.last_good, now);
  write_instant(json, "verified_as_of", stream.verified_as_of);
  json.field("verified_by", stream.verified_by).key("verified_share").ratio(stream.verified_share, 4);
  json.field("progress_done", stream.progress_done).field("progress_total", stream.progress_total);
  json.key("runs").begin_array();
  for (const ingest::SyncRun& run : stream.runs) write_run(json, run);
  json.end_array().end_object();
}

void write_calls(JsonWriter& json, const ingest::CallsByKind& calls) {
  json.begin_object();
  json.field("kind", calls.kind).field("calls", calls.calls).field("retries", calls.retries);
  json.field("failed", calls.failed).field("bytes", calls.bytes);
  json.field("time_us", std::int64_t{calls.time.count()});
  json.end_object();
}

void write_service(JsonWriter& json, const ingest::SourceStatus& source, Instant now) {
  json.key("service");
  if (!source.service) {
    json.null();
    return;
  }
  const ingest::ServiceStatus& service = *source.service;
  json.begin_object();
  json.field("dialect", service.dialect).field("address", service.address).field("company", service.company);
  json.field("insecure", service.insecure);
  json.key("streams").begin_array();
  for (const auto& stream : service.streams) write_stream(json, stream, now);
  json.end_array().key("calls").begin_array();
  for (const auto& calls : service.calls) write_calls(json, calls);
  json.end_array().field("breaker", service.breaker);
  write_instant(json, "breaker_until", service.breaker_until);
  json.field("calls_this_hour", service.calls_this_hour).field("calls_per_hour", service.calls_per_hour);
  json.key("capabilities").begin_array();
  for (const auto& capability : service.capabilities)
    json.begin_object().field("name", capability.name).field("value", capability.value).end_object();
  json.end_array().key("held").begin_array();
  for (const auto& held : service.held) write_held(json, source.id, held);
  json.end_array().end_object();
}

}  // namespace

void write_held(JsonWriter& json, std::string_view source, const ingest::HeldSync& held) {
  json.begin_object();
  json.field("source", source).field("stream", held.stream);
  write_instant(json, "since", held.since);
  json.field("why", held.why).field("rows_before", held.rows_before);
  json.field("rows_gone", held.rows_gone).field("rows_closed", held.rows_closed);
  json.key("totals").begin_array();
  for (const auto& total : held.totals) {
    json.begin_object().field("currency", total.currency);
    for (const auto& [name, minor] : {std::pair{"before", total.before}, std::pair{"after", total.after}})
      json.key(name).begin_object().field("minor", minor).field("currency", total.currency).end_object();
    json.end_object();
  }
  json.end_array().key("examples").begin_array();
  for (const auto& example : held.examples)
    json.begin_object()
        .field("key", example.key)
        .field("number", example.number)
        .field("customer", example.customer)
        .field("what", example.what)
        .end_object();
  json.end_array().end_object();
}

void write_source(JsonWriter& json, const ingest::SourceStatus& source, Instant now) {
  const bool running = source.state == ingest::SourceState::scanning || source.progress_done < source.progress_total;
  json.begin_object();
  json.field("id", source.id).field("kind", source.kind).field("root", printable(source.root));
  json.field("state", ingest::word(source.state)).field("state_word", judgement(source));
  json.field("message", source.message).field("needs_person", source.needs_person);
  write_instant(json, "as_of_time", source.as_of_time);
  write_age(json, source.as_of_time, now);
  json.key("refresh").begin_object();
  json.field("running", running).field("count", source.refresh_count);
  json.field("with_changes", source.refresh_with_changes);
  write_instant(json, "started", source.refresh_started);
  write_instant(json, "next", source.refresh_next);
  json.field("took_ms", std::int64_t{source.refresh_took.count()});
  json.field("interval_s", std::int64_t{source.refresh_interval.count()});
  json.end_object();
  json.field("files", source.files).field("files_read", source.files_read);
  json.field("files_unchanged", source.files_unchanged).field("bytes_read", source.bytes_read);
  json.field("orders", source.orders).field("rejections", source.rejections).field("ignored", source.ignored);
  json.field("pending", source.pending);
  json.key("progress").begin_object();
  json.field("done", source.progress_done).field("total", source.progress_total).field("unit", source.service ? "rows" : "files");
  json.end_object();
  json.field("events", source.events).field("event_overflows", source.event_overflows);
  json.field("watching", source.watching).field("file_system", source.file_system);
  json.field("poll_interval_ms", std::int64_t{source.poll_interval.count()});
  json.field("delay_max_ms", std::int64_t{source.delay_max.count()}).field("delay_why", source.delay_why);
  write_instant(json, "hangs_since", source.hangs_since);
  write_service(json, source, now);
  json.end_object();
}

}  // namespace millrace::server
