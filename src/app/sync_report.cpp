#include "app/sync_report.h"

#include <algorithm>
#include <boost/json.hpp>

#include "app/console.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace millrace::app {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}
std::uint64_t number_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::uint64_t>(error);
  return error ? 0 : number;
}
bool flag_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}
template <class Take>
void each_object(const json::object& object, std::string_view key, Take take) {
  const json::value* const list = object.if_contains(key);
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& one : list->get_array())
    if (one.is_object()) take(one.get_object());
}
const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

ingest::SyncRun run_of(const json::object& from) {
  ingest::SyncRun run;
  if (const auto started = parse_instant(text_at(from, "started"))) run.started = *started;
  run.took = std::chrono::milliseconds(number_at(from, "took_ms"));
  run.calls = number_at(from, "calls");
  run.bytes = number_at(from, "bytes");
  run.rows_read = number_at(from, "rows_read");
  run.documents_read = number_at(from, "documents_read");
  run.rows_written = number_at(from, "rows_written");
  run.rows_gone = number_at(from, "rows_gone");
  run.outcome = text_at(from, "outcome");
  run.message = text_at(from, "message");
  return run;
}

ingest::ServiceStatus service_of(const json::object& from) {
  ingest::ServiceStatus service;
  service.breaker = text_at(from, "breaker");
  each_object(from, "streams", [&](const json::object& one) {
    ingest::StreamStatus& stream = service.streams.emplace_back();
    stream.name = text_at(one, "name");
    stream.phase = text_at(one, "phase");
    stream.rows = number_at(one, "rows");
    stream.progress_done = number_at(one, "progress_done");
    stream.progress_total = number_at(one, "progress_total");
    each_object(one, "runs", [&](const json::object& run) { stream.runs.push_back(run_of(run)); });
  });
  each_object(from, "calls", [&](const json::object& one) {
    service.calls.push_back({text_at(one, "kind"), number_at(one, "calls"), number_at(one, "retries"), number_at(one, "failed"),
                             number_at(one, "bytes"), std::chrono::microseconds(number_at(one, "time_us"))});
  });
  return service;
}

ingest::SourceState state_of(std::string_view text) {
  using enum ingest::SourceState;
  for (const auto state : {starting, scanning, live, polling, paused, stopped, held, failed})
    if (ingest::word(state) == text) return state;
  return failed;
}

// The newest run of the stream, when it belongs to this sync.
const ingest::SyncRun* run_of_sync(const SyncReport& report, const ingest::StreamStatus& stream) {
  return !stream.runs.empty() && stream.runs.front().started >= report.began ? &stream.runs.front() : nullptr;
}

struct Sums {
  std::uint64_t calls = 0, bytes = 0, rows_read = 0, rows_written = 0, rows_gone = 0;
};
Sums sums_of(const SyncReport& report) {
  Sums sums;
  if (!report.status.service) return sums;
  for (const auto& stream : report.status.service->streams) {
    const ingest::SyncRun* const run = run_of_sync(report, stream);
    if (run == nullptr) continue;
    sums.rows_read += run->rows_read;
    sums.rows_written += run->rows_written;
    sums.rows_gone += run->rows_gone;
  }
  for (const auto& calls : report.calls) {
    sums.calls += calls.calls;
    sums.bytes += calls.bytes;
  }
  return sums;
}

}  // namespace

std::vector<ingest::CallsByKind> calls_since(const std::vector<ingest::CallsByKind>& before, const std::vector<ingest::CallsByKind>& after) {
  std::vector<ingest::CallsByKind> difference;
  for (ingest::CallsByKind calls : after) {
    const auto old = std::ranges::find(before, calls.kind, &ingest::CallsByKind::kind);
    if (old != before.end()) {
      calls.calls -= std::min(old->calls, calls.calls);
      calls.retries -= std::min(old->retries, calls.retries);
      calls.failed -= std::min(old->failed, calls.failed);
      calls.bytes -= std::min(old->bytes, calls.bytes);
      calls.time -= std::min(old->time, calls.time);
    }
    if (calls.calls > 0) difference.push_back(std::move(calls));
  }
  return difference;
}

Result<ingest::SourceStatus> source_of_answer(const std::string& body, std::string_view id) {
  boost::system::error_code error;
  const json::value answer = json::parse(body, error);
  const json::object* const top = error ? nullptr : answer.if_object();
  if (top == nullptr) return fail(ErrorCode::unavailable, "the server did not answer in JSON: is that a Millrace?");
  std::optional<ingest::SourceStatus> found;
  each_object(*top, "data", [&](const json::object& one) {
    if (text_at(one, "id") != id) return;
    ingest::SourceStatus& status = found.emplace();
    status.id = id;
    status.kind = text_at(one, "kind");
    status.root = text_at(one, "root");
    status.state = state_of(text_at(one, "state"));
    status.message = text_at(one, "message");
    status.needs_person = flag_at(one, "needs_person");
    status.orders = number_at(one, "orders");
    if (const json::object* refresh = object_at(one, "refresh")) status.refresh_count = number_at(*refresh, "count");
    if (const json::object* service = object_at(one, "service")) status.service = service_of(*service);
  });
  if (!found) return fail(ErrorCode::not_found, "the running server has no source \"" + printable(id) + "\"; it was started with other settings");
  return std::move(*found);
}

std::string sync_text(const SyncReport& report) {
  std::string text = printable(report.status.id) + " " + printable(report.status.root) + "\n";
  Table table({{"stream"}, {"outcome"}, {"rows", true}, {"read", true}, {"documents", true}, {"written", true}, {"gone", true}, {"calls", true},
               {"bytes", true}, {"took", true}});
  for (const auto& stream : report.status.service ? report.status.service->streams : std::vector<ingest::StreamStatus>{}) {
    const ingest::SyncRun* const run = run_of_sync(report, stream);
    if (run == nullptr) {
      table.row({stream.name, stream.phase == "off" ? "off" : "not reached", grouped(stream.rows), "", "", "", "", "", "", ""});
      continue;
    }
    table.row({stream.name, run->outcome, grouped(stream.rows), grouped(run->rows_read), grouped(run->documents_read), grouped(run->rows_written),
               grouped(run->rows_gone), grouped(run->calls), grouped(run->bytes), duration_text(run->took)});
  }
  text += table.text() + "\n";
  Table kinds({{"calls"}, {"number", true}, {"again", true}, {"failed", true}, {"bytes", true}, {"took", true}});
  for (const auto& calls : report.calls)
    kinds.row({calls.kind, grouped(calls.calls), grouped(calls.retries), grouped(calls.failed), grouped(calls.bytes),
               duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(calls.time))});
  text += kinds.text() + "\n" + "in " + duration_text(report.took);
  if (report.rows_committed) text += ", " + grouped(*report.rows_committed) + " rows of the record in " + grouped(report.commits.value_or(0)) + " commits and " +
                                   grouped(report.statements.value_or(0)) + " statements";
  if (report.memory_peak) text += ", at most " + grouped(*report.memory_peak >> 20) + " MiB of memory";
  return text + "\n";
}

std::string sync_json(const SyncReport& report) {
  const Sums sums = sums_of(report);
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("source", report.status.id).field("state", ingest::word(report.status.state)).field("message", report.status.message);
  json.key("seconds").ratio(static_cast<double>(report.took.count()) / 1000.0, 3);
  json.field("calls", sums.calls).field("bytes", sums.bytes);
  json.field("rows_read", sums.rows_read).field("rows_written", sums.rows_written).field("rows_gone", sums.rows_gone);
  const auto optional_number = [&](std::string_view name, const std::optional<std::uint64_t>& number) {
    json.key(name);
    if (number) json.number(*number);
    else json.null();
  };
  optional_number("rows_committed", report.rows_committed);
  optional_number("commits", report.commits);
  optional_number("statements", report.statements);
  optional_number("memory_peak_bytes", report.memory_peak);
  json.key("calls_by_kind").begin_array();
  for (const auto& calls : report.calls) {
    json.begin_object().field("kind", calls.kind).field("calls", calls.calls).field("retries", calls.retries);
    json.field("failed", calls.failed).field("bytes", calls.bytes).field("time_us", std::int64_t{calls.time.count()}).end_object();
  }
  json.end_array().key("streams").begin_array();
  for (const auto& stream : report.status.service ? report.status.service->streams : std::vector<ingest::StreamStatus>{}) {
    const ingest::SyncRun* const run = run_of_sync(report, stream);
    json.begin_object().field("name", stream.name).field("phase", stream.phase).field("rows", stream.rows);
    json.field("outcome", run == nullptr ? "" : run->outcome).field("message", run == nullptr ? "" : run->message);
    const ingest::SyncRun numbers = run == nullptr ? ingest::SyncRun{} : *run;
    json.field("calls", numbers.calls).field("bytes", numbers.bytes).field("rows_read", numbers.rows_read);
    json.field("documents_read", numbers.documents_read).field("rows_written", numbers.rows_written).field("rows_gone", numbers.rows_gone);
    json.field("took_ms", std::int64_t{numbers.took.count()}).end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

}  // namespace millrace::app
