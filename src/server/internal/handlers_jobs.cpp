// Work for later: what waits, runs and has ended, and what people do about it.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "jobs/control.h"
#include "server/internal/handlers.h"
#include "server/internal/json_in.h"
#include "server/internal/rows.h"
#include "server/internal/who_asks.h"
#include "server/internal/write_down.h"

namespace millrace::server {
namespace {

using namespace std::chrono_literals;

constexpr auto wait_max = 30s;  // of Prefer: wait
constexpr std::size_t block_bytes = 256 << 10;

Response json_response(int status) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.header("Cache-Control", "no-store");
  return response;
}

std::string address_of(const jobs::Job& job) { return "/api/v1/jobs/" + job.id; }

void write_raw_or_null(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) json.null();
  else json.raw(text);
}

// Seconds until it is done, at the pace so far; null when nothing can be said.
void write_eta(JsonWriter& json, const jobs::Job& job, Instant now) {
  json.key("eta_s");
  const jobs::Progress& progress = job.progress;
  if (job.state != jobs::JobState::running || !job.started || progress.done == 0 || progress.total < progress.done) {
    json.null();
    return;
  }
  const double spent = std::chrono::duration<double>(now - *job.started).count();
  json.number(static_cast<std::int64_t>(spent * static_cast<double>(progress.total - progress.done) / static_cast<double>(progress.done) + 0.5));
}

void write_attempts(JsonWriter& json, const jobs::Job& job) {
  json.key("attempts").begin_array();
  for (const jobs::Attempt& attempt : job.attempts) {
    json.begin_object().field("number", attempt.number);
    write_instant(json, "began", attempt.began);
    write_instant(json, "ended", attempt.ended);
    json.field("reason", attempt.reason).end_object();
  }
  json.end_array();
}

void write_file(JsonWriter& json, const jobs::Job& job) {
  json.key("file");
  if (!job.file) {
    json.null();
    return;
  }
  json.begin_object().field("name", job.file->name).field("type", job.file->type).field("bytes", job.file->bytes).end_object();
}

void write_addresses(JsonWriter& json, const jobs::Job& job) {
  const std::string address = address_of(job);
  const auto write = [&](std::string_view name, bool there, std::string_view tail) {
    json.key(name);
    if (there) json.text(address + std::string(tail));
    else json.null();
  };
  const bool ended = has_ended(job.state);
  json.field("url", address);
  write("log_url", true, "/log");
  write("cancel_url", !ended || job.state == jobs::JobState::dead, "/cancel");
  write("retry_url", ended && job.state != jobs::JobState::done, "/retry");
  write("result_url", job.state == jobs::JobState::done, "/result");
}

void write_job(JsonWriter& json, const jobs::Job& job, Instant now) {
  json.begin_object().field("id", job.id).field("kind", job.kind).field("state", word(job.state)).field("priority", job.priority);
  write_raw_or_null(json, "payload", job.payload);
  json.field("unique_key", job.unique_key).field("created_by", job.created_by).field("schedule", job.schedule);
  write_instant(json, "created_at", job.created);
  write_instant(json, "run_after", job.run_after);
  write_instant(json, "started_at", job.started);
  write_instant(json, "ended_at", job.ended);
  write_instant(json, "heartbeat_at", job.heartbeat);
  json.field("tries", job.tries).field("tries_max", job.tries_max).field("cancel_wanted", job.cancel_wanted).field("error", job.error);
  json.key("progress").begin_object().field("done", job.progress.done).field("total", job.progress.total);
  json.field("unit", job.progress.unit).field("text", job.progress.text).end_object();
  write_eta(json, job, now);
  write_attempts(json, job);
  write_raw_or_null(json, "result", job.result);
  write_file(json, job);
  write_addresses(json, job);
  json.end_object();
}

Response job_response(Backend& backend, int status, const jobs::Job& job) {
  Response response = json_response(status);
  JsonWriter json(response.body);
  json.begin_object().key("job");
  write_job(json, job, backend.services.clock.now());
  json.end_object();
  return response;
}

void write_counts(JsonWriter& json, const jobs::JobCounts& counts) {
  json.begin_object().field("waiting", counts.waiting).field("paused", counts.paused).field("running", counts.running);
  json.field("done", counts.done).field("failed", counts.failed).field("dead", counts.dead).field("cancelled", counts.cancelled);
  // The words of S3's statistics.
  json.field("pending", counts.waiting + counts.paused).field("completed", counts.done).end_object();
}

// What a form asks for.
void write_members(JsonWriter& json, const std::vector<jobs::PayloadMember>& members) {
  json.begin_array();
  for (const jobs::PayloadMember& member : members) {
    json.begin_object().field("name", member.name).field("type", word(member.type)).field("help", member.help);
    json.field("standard", member.standard).field("required", member.required).key("choices").begin_array();
    for (const std::string& choice : member.choices) json.text(choice);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_kinds(JsonWriter& json, const std::vector<jobs::KindStatus>& kinds) {
  json.begin_array();
  for (const jobs::KindStatus& kind : kinds) {
    json.begin_object().field("name", kind.name).field("summary", kind.summary).field("payload", kind.payload_help);
    json.field("place", word(kind.place)).field("time_max_s", std::int64_t{kind.time_max.count()}).field("tries_max", kind.tries_max);
    json.field("right", kind.right).field("paused", kind.paused).key("members");
    write_members(json, kind.members);
    json.end_object();
  }
  json.end_array();
}

Response refused(const Request& request, const Error& error) {
  Problem problem = problem_of(error);
  if (error.code() == ErrorCode::limit_reached) problem.status = 429, problem.code = "too-many-requests";  // as for pushed batches
  Response response = problem_response(request, problem);
  if (error.code() == ErrorCode::limit_reached || error.code() == ErrorCode::unavailable) response.header("Retry-After", "5");
  return response;
}

bool is_json(const Request& request) {
  const std::string_view type = request.header("Content-Type");
  return equal_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json");
}

Response not_json(const Request& request) { return problem_response(request, {415, "unsupported-media-type", "Send it as application/json.", {}}); }

// The seconds of "Prefer: wait=5", 0 without such a wish.
std::chrono::seconds wanted_wait(const Request& request) {
  for (const std::string_view part : split(request.header("Prefer"), ',')) {
    const std::string_view wish = trim(part);
    if (!wish.starts_with("wait=")) continue;
    std::int64_t seconds = 0;
    const auto [end, code] = std::from_chars(wish.data() + 5, wish.data() + wish.size(), seconds);
    if (code == std::errc() && end == wish.data() + wish.size() && seconds > 0) return std::min(std::chrono::seconds(std::min<std::int64_t>(seconds, 3600)), std::chrono::seconds(wait_max));
  }
  return 0s;
}

// A wait holds one of the few threads for slow answers, so only one at a time is granted: it is a preference.
class WaitPlace {
 public:
  WaitPlace() : granted_(!taken().exchange(true)) {}
  ~WaitPlace() {
    if (granted_) taken() = false;
  }
  WaitPlace(const WaitPlace&) = delete;
  WaitPlace& operator=(const WaitPlace&) = delete;
  bool granted() const { return granted_; }

 private:
  static std::atomic<bool>& taken() {
    static std::atomic<bool> value{false};
    return value;
  }
  const bool granted_;
};

Response enqueued_response(const Request& request, Backend& backend, const jobs::Enqueued& enqueued) {
  auto job = backend.services.jobs.show(enqueued.id);
  if (!job) return refused(request, job.error());
  bool waited = false;
  if (const auto patience = wanted_wait(request); patience > 0s && !has_ended(job->state)) {
    const WaitPlace place;
    waited = place.granted();
    if (waited) job = backend.services.jobs.wait_for_end(enqueued.id, patience);
    if (!job) return refused(request, job.error());
  }
  Response response = job_response(backend, has_ended(job->state) && waited ? 200 : 202, *job);
  response.header("Location", address_of(*job));
  if (enqueued.replayed) response.header("Idempotency-Replayed", "true");
  if (waited) response.header("Preference-Applied", "wait=" + std::to_string(wanted_wait(request).count()));
  return response;
}

// A result file while it is sent.
class FileStream final : public BodyStream {
 public:
  FileStream(UniqueFd file, std::uint64_t bytes) : file_(std::move(file)), left_(bytes) {}
  Result<bool> next(std::string& out) override {
    const std::size_t before = out.size();
    const std::size_t wanted = std::min<std::uint64_t>(left_, block_bytes);
    out.resize(before + wanted);
    const ssize_t got = wanted == 0 ? 0 : ::read(file_.get(), out.data() + before, wanted);
    if (got < 0 && errno == EINTR) return out.resize(before), true;
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return fail(ErrorCode::unavailable, std::string("reading the result: ") + std::strerror(errno));
    if (got == 0 && left_ > 0) return fail(ErrorCode::corrupt, "the result file is shorter than it was");
    left_ -= static_cast<std::uint64_t>(got);
    return left_ > 0;
  }
  std::optional<std::uint64_t> length() const override { return left_; }

 private:
  const UniqueFd file_;
  std::uint64_t left_;
};

// A worker names its file; only harmless letters reach a header.
std::string harmless_name(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
    text += good ? c : '_';
  }
  return text.empty() ? "result" : text;
}

// As the audit trail keeps it.
std::string job_json(const jobs::Job& job) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("kind", job.kind).field("state", word(job.state)).end_object();
  return out;
}
std::string wish_json(const std::string& kind, const std::string& payload, std::string_view timing) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("kind", kind).key("payload").raw(payload);
  if (!timing.empty()) json.field("timing", timing);
  json.end_object();
  return out;
}

// The kind of a job says what somebody must be allowed to do who starts, ends or holds up one. `kind` "": all kinds.
std::optional<Problem> may_command(const Request& request, const Backend& backend, std::string_view kind) {
  for (const jobs::KindStatus& known : backend.services.jobs.kinds()) {
    if (!kind.empty() && known.name != kind) continue;
    const auto right = people::parse_right(known.right);
    if (!right) continue;
    if (auto problem = missing_right(*request.caller, people::Rights{*right}, "command jobs of the kind " + known.name)) return problem;
  }
  return std::nullopt;  // an unknown kind: the queue says which there are
}

// Who has signed in is who asks. Where nobody does, whoever sits at this machine may say his name.
void sign(const Request& request, std::string& created_by) {
  if (request.caller->by != people::Identity::By::local || created_by.empty()) created_by = request.caller->name;
}

// What is asked about a job by its id alone.
Response on_job(const Request& request, Backend& backend, int status, std::string_view verb, Result<jobs::Job> (jobs::Control::*act)(const std::string&)) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  const std::string& id = request.path_values.at(0);
  const auto before = backend.services.jobs.show(id);
  if (!before) return refused(request, before.error());
  if (const auto problem = may_command(request, backend, before->kind)) return problem_response(request, *problem);
  const Deed deed{"job." + std::string(verb), "job:" + before->id, job_json(*before), ""};
  const auto job = do_and_write_down(request, backend, deed, [&] { return (backend.services.jobs.*act)(id); });
  if (!job) return refused(request, job.error());
  return job_response(backend, status, *job);
}

Response set_paused(const Request& request, Backend& backend, bool paused) {
  if (auto problem = unknown_parameters(request, {"kind"})) return problem_response(request, *problem);
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  const std::string kind(request.parameter("kind"));
  if (const auto problem = may_command(request, backend, kind)) return problem_response(request, *problem);
  const Deed deed{paused ? "jobs.pause" : "jobs.resume", kind.empty() ? "jobs" : "jobs:" + printable(kind)};
  const auto done = do_and_write_down(request, backend, deed, [&] { return paused ? backend.services.jobs.pause(kind) : backend.services.jobs.resume(kind); });
  if (!done) return refused(request, done.error());
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().field("paused", backend.services.jobs.paused()).key("kinds");
  write_kinds(json, backend.services.jobs.kinds());
  json.end_object();
  return response;
}

void write_schedule(JsonWriter& json, const jobs::ScheduleStatus& status) {
  const jobs::Schedule& schedule = status.schedule;
  json.begin_object().field("name", schedule.name).field("kind", schedule.kind).field("timing", schedule.timing).field("time_zone", status.zone);
  write_raw_or_null(json, "payload", schedule.payload);
  json.field("priority", schedule.priority).field("enabled", schedule.enabled).field("created_by", schedule.created_by);
  write_instant(json, "since", schedule.since);
  write_instant(json, "last_due", schedule.last_due);
  write_instant(json, "next_due", status.next);
  json.field("last_job", schedule.last_job).field("turns", schedule.turns).field("skipped", schedule.skipped).end_object();
}

}  // namespace

std::string jobs_news(const jobs::Control& control, Instant now) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("revision", control.revision()).field("paused", control.paused()).key("counts");
  write_counts(json, control.counts());
  json.key("running").begin_array();
  jobs::JobQuery running;
  running.state = jobs::JobState::running;
  if (const auto page = control.list(running))
    for (const jobs::Job& job : page->jobs) write_job(json, job, now);
  json.end_array().end_object();
  return out;
}

Response list_jobs(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {"state", "kind", "limit", "cursor"})) return problem_response(request, *problem);
  jobs::JobQuery query;
  std::vector<query::ParameterError> errors;
  if (const std::string_view state = request.parameter("state"); !state.empty()) {
    query.state = jobs::job_state(state);
    if (!query.state) errors.push_back({"state", "bad-value", "state is waiting, paused, running, done, failed, dead or cancelled."});
  }
  query.kind = request.parameter("kind");
  query.before = request.parameter("cursor");
  if (const auto limit = number_parameter(request, {"limit", 50, 1, 1000}, errors)) query.limit = static_cast<std::size_t>(*limit);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  const auto page = backend.services.jobs.list(query);
  if (!page) return refused(request, page.error());
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const jobs::Job& job : page->jobs) write_job(json, job, backend.services.clock.now());
  json.end_array().key("next_cursor");
  if (page->next.empty()) json.null();
  else json.text(page->next);
  json.key("counts");
  write_counts(json, backend.services.jobs.counts());
  json.field("paused", backend.services.jobs.paused()).key("kinds");
  write_kinds(json, backend.services.jobs.kinds());
  json.end_object();
  return response;
}

Response show_job(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const auto job = backend.services.jobs.show(request.path_values.at(0));
  if (!job) return refused(request, job.error());
  return job_response(backend, 200, *job);
}

Response show_job_log(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const auto job = backend.services.jobs.show(request.path_values.at(0));
  if (!job) return refused(request, job.error());
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.header("Cache-Control", "no-store");
  std::string& out = response.body;
  out += rfc3339(job->created) + " asked for by " + printable(job->created_by.empty() ? "nobody named" : job->created_by) + "\n";
  for (const jobs::Attempt& attempt : job->attempts)
    out += rfc3339(attempt.ended) + " try " + std::to_string(attempt.number) + ", begun " + rfc3339(attempt.began) + ": " + printable(attempt.reason) + "\n";
  if (job->started && job->state == jobs::JobState::running) out += rfc3339(*job->started) + " try " + std::to_string(job->tries) + " began\n";
  if (job->ended) out += rfc3339(*job->ended) + " " + std::string(word(job->state)) + (job->error.empty() ? "" : ": " + printable(job->error)) + "\n";
  return response;
}

Response show_job_result(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  const auto job = backend.services.jobs.show(request.path_values.at(0));
  if (!job) return refused(request, job.error());
  if (job->state != jobs::JobState::done)
    return problem_response(request, {409, "conflict", "Job " + job->id + " has no result: it is " + std::string(word(job->state)) + ".", {}});
  Response response = json_response(200);
  if (!job->file) {
    response.body = job->result;
    return response;
  }
  auto file = backend.services.jobs.open_result(*job);
  if (!file) return refused(request, file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0 || static_cast<std::uint64_t>(status.st_size) != job->file->bytes)
    return problem_response(request, {500, "corrupt", "The result file of job " + job->id + " is not what was written; run the job again.", {}});
  response.content_type = "application/octet-stream";
  for (const std::string_view known : {"text/csv; charset=utf-8", "application/json", "application/x-ndjson", "text/plain; charset=utf-8",
                                       "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"})
    if (job->file->type == known) response.content_type = known;
  response.header("Content-Disposition", "attachment; filename=\"" + harmless_name(job->file->name) + "\"");
  response.stream = std::make_unique<FileStream>(std::move(*file), job->file->bytes);
  return response;
}

Response start_job(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (!is_json(request)) return not_json(request);
  auto wish = parse_new_job(request.body);
  if (!wish) return refused(request, wish.error());
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  if (const auto problem = may_command(request, backend, wish->kind)) return problem_response(request, *problem);
  wish->idempotency_key = std::string(request.header("Idempotency-Key"));
  sign(request, wish->created_by);
  const Deed deed{"job.start", "jobs:" + printable(wish->kind), "", wish_json(wish->kind, wish->payload, "")};
  const auto enqueued = do_and_write_down(request, backend, deed, [&] { return backend.services.jobs.enqueue(std::move(*wish)); });
  if (!enqueued) return refused(request, enqueued.error());
  return enqueued_response(request, backend, *enqueued);
}

Response cancel_job(const Request& request, Backend& backend) { return on_job(request, backend, 202, "cancel", &jobs::Control::cancel); }
Response retry_job(const Request& request, Backend& backend) { return on_job(request, backend, 202, "retry", &jobs::Control::retry); }
Response pause_jobs(const Request& request, Backend& backend) { return set_paused(request, backend, true); }
Response resume_jobs(const Request& request, Backend& backend) { return set_paused(request, backend, false); }

Response list_schedules(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().key("data").begin_array();
  for (const auto& status : backend.services.jobs.schedules()) write_schedule(json, status);
  json.end_array().end_object();
  return response;
}

namespace {

std::string schedule_before(const Backend& backend, const std::string& name) {
  for (const auto& status : backend.services.jobs.schedules())
    if (status.schedule.name == name) return wish_json(status.schedule.kind, status.schedule.payload, status.schedule.timing);
  return "";
}

}  // namespace

Response put_schedule(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (!is_json(request)) return not_json(request);
  auto schedule = parse_schedule(request.body);
  if (!schedule) return refused(request, schedule.error());
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  if (const auto problem = may_command(request, backend, schedule->kind)) return problem_response(request, *problem);
  schedule->name = request.path_values.at(0);
  sign(request, schedule->created_by);
  const Deed deed{"schedule.put", "schedule:" + printable(schedule->name), schedule_before(backend, schedule->name), wish_json(schedule->kind, schedule->payload, schedule->timing)};
  const auto status = do_and_write_down(request, backend, deed, [&] { return backend.services.jobs.put_schedule(std::move(*schedule)); });
  if (!status) return refused(request, status.error());
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().key("schedule");
  write_schedule(json, *status);
  json.end_object();
  return response;
}

Response remove_schedule(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  if (const auto none = backend.services.record_facts().refuses) return problem_response(request, problem_of(*none));
  const std::string& name = request.path_values.at(0);
  for (const auto& status : backend.services.jobs.schedules())
    if (status.schedule.name == name)
      if (const auto problem = may_command(request, backend, status.schedule.kind)) return problem_response(request, *problem);
  const Deed deed{"schedule.remove", "schedule:" + printable(name), schedule_before(backend, name), ""};
  const auto removed = do_and_write_down(request, backend, deed, [&] { return backend.services.jobs.remove_schedule(name); });
  if (!removed) return refused(request, removed.error());
  Response response = json_response(200);
  JsonWriter json(response.body);
  json.begin_object().field("name", name).field("state", "removed").end_object();
  return response;
}

}  // namespace millrace::server
