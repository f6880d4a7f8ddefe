// `sync`: one sync of one ERP, by the running server or on our own.
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "app/commands.h"
#include "app/loopback_http.h"
#include "app/people_desk.h"
#include "app/source_wiring.h"
#include "app/sync_report.h"
#include "base/log.h"
#include "base/text.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto step_patience = 200ms;
constexpr auto look_pause = 100ms;
constexpr std::uint64_t log_moved_from = 3'500'000;
constexpr auto log_moved_after = 10ms;
constexpr auto answer_patience = 5s;

// Nothing where the kernel does not say. (getrusage would count what the program that started us held.)
std::optional<std::uint64_t> memory_peak() {
  std::ifstream status("/proc/self/status");
  constexpr std::string_view name = "VmHWM:";
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(name)) continue;
    const std::string_view text = trim(std::string_view(line).substr(name.size()));
    std::uint64_t kibibytes = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), kibibytes).ec != std::errc()) return std::nullopt;
    return kibibytes * 1024;
  }
  return std::nullopt;
}

// The first sync ended, also when part of it waits for a person; or nobody could be asked.
bool ended(const ingest::SourceStatus& status) {
  return status.refresh_count > 0 || status.state == ingest::SourceState::failed;
}

void show(Progress& progress, const ingest::SourceStatus& status) {
  progress.update(status.progress_done, status.progress_total, Stopwatch::now());
}

// Ends a call that takes long as soon as somebody asks to stop.
class StopWatcher {
 public:
  StopWatcher(const std::atomic<bool>& stop, ingest::Source& source)
      : thread_([this, &stop, &source] {
          std::unique_lock lock(mutex_);
          while (!stop)  // a signal only sets a flag
            if (ended_.wait_for(lock, look_pause, [this] { return done_; })) return;
          source.request_stop();
        }) {}
  ~StopWatcher() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;  // guarded by mutex_
  std::thread thread_;
};

std::vector<ingest::CallsByKind> calls_of(const ingest::SourceStatus& status) {
  return status.service ? status.service->calls : std::vector<ingest::CallsByKind>{};
}

// Opens the record, which nobody else may hold, and steps the source until its first sync ended.
Result<SyncReport> sync_here(const CommandContext& context, const SourceSettings& source, Progress& progress) {
  const Settings& settings = context.settings.values;
  std::error_code made;
  std::filesystem::create_directories(settings.data, made);
  if (made) return fail(ErrorCode::unavailable, "cannot create the data folder " + settings.data + ": " + made.message() + "; choose another one with --data");
  auto options = service_options(source, process_environment());
  if (!options) return pass_on(options);
  options->one_sync = true;
  auto parsers = parser_options(settings);
  if (!parsers) return pass_on(parsers);
  store::SqliteOptions record_options{.path = record_path(settings), .clock = &context.clock};
  // While the ERP prepares the next page the log is moved into the record, so that little is left to do at the end.
  record_options.checkpoint_bytes_idle = log_moved_from;
  record_options.idle_after = log_moved_after;
  auto record = store::open_sqlite_record(std::move(record_options));
  if (!record) return pass_on(record);
  metrics::Registry metrics;
  ingest::Intake intake(**record, parsers->profile);
  if (const auto restored = intake.restore(source_ids(settings), nullptr, [](const Error&) {}); !restored) return pass_on(restored);
  auto made_source = erp::make_service_source(std::move(*options), intake, **record, metrics, context.clock);
  if (!made_source) return pass_on(made_source);
  ingest::Source& running = **made_source;
  const StopWatcher watcher(context.stop, running);
  const store::RecordStatistics before = (*record)->statistics();
  SyncReport report;
  report.began = context.clock.now();
  const auto began = Stopwatch::now();
  while (!context.stop && !ended(running.status())) {
    running.step(step_patience);
    show(progress, running.status());
  }
  // Names that changed reach their open orders when the sync is over; then there is nothing left to do.
  while (!context.stop && running.step(0ms)) {}
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - began);
  report.status = running.status();
  // Signing out is a call of this sync too: the report counts what the ERP counts.
  running.request_stop();
  running.step(0ms);
  report.calls = calls_of(running.status());
  const store::RecordStatistics after = (*record)->statistics();
  report.rows_committed = after.rows_written - before.rows_written;
  report.commits = after.commits - before.commits;
  report.statements = after.statements - before.statements;
  report.memory_peak = memory_peak();
  if (context.stop) return fail(ErrorCode::cancelled, "stopped; what was read so far is kept and the next sync goes on from there");
  return report;
}

Result<ingest::SourceStatus> status_from(const LocalServer& server, const std::string& id) {
  const std::string& address = server.address;
  const auto answer = get_from(server, "/api/v1/sources", answer_patience);
  if (!answer) return pass_on(answer);
  if (answer->status != 200) return fail(ErrorCode::unavailable, address + " answered " + std::to_string(answer->status));
  return source_of_answer(answer->body, id);
}

Result<SyncReport> sync_there(const CommandContext& context, const std::string& id, Progress& progress) {
  const LocalServer server = local_server(context.settings.values);
  const std::string& address = server.address;
  const auto before = status_from(server, id);
  if (!before) return pass_on(before);
  SyncReport report;
  report.began = context.clock.now();
  const auto began = Stopwatch::now();
  const auto asked = post_to(server, "/api/v1/sources/" + id + "/refresh", answer_patience);
  if (!asked) return pass_on(asked);
  if (asked->status != 202) return fail(ErrorCode::unavailable, address + " refused to sync " + id + " now: it answered " + std::to_string(asked->status));
  bool running = false;
  for (;;) {
    auto now = status_from(server, id);
    if (!now) return pass_on(now);
    show(progress, *now);
    // It may be failed from before: only what came after our wish is an answer.
    running |= now->state == ingest::SourceState::scanning || now->state == ingest::SourceState::starting;
    const bool new_end = now->refresh_count > before->refresh_count;
    const bool stands = now->state == ingest::SourceState::failed;
    const bool stood = before->state == now->state && !running && Stopwatch::now() - began < answer_patience;
    if (new_end || (stands && !stood)) {
      report.status = std::move(*now);
      break;
    }
    if (context.stop) return fail(ErrorCode::cancelled, "no longer watching; the server goes on with the sync");
    std::this_thread::sleep_for(look_pause);
  }
  report.took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - began);
  report.calls = calls_since(calls_of(*before), calls_of(report.status));
  return report;
}

int exit_code_of_sync(const CommandContext& context, const SyncReport& report) {
  using State = ingest::SourceState;
  if (report.status.state == State::held) {
    context.console.error(report.status.message.empty() ? "the sync is held until a person decides" : report.status.message);
    return exit_conflict;
  }
  if (report.status.state != State::failed) return report.status.rejections > 0 ? exit_partial : exit_ok;
  context.console.error(report.status.message);
  return report.status.needs_person ? exit_usage : exit_try_again;
}

}  // namespace

int run_sync(const CommandContext& context) {
  const Settings& settings = context.settings.values;
  const std::string& id = context.invocation.arguments.front();
  const auto source = find_source(settings, id);
  if (!source) return report(context.console, source.error());
  if (!is_service(source->kind))
    return report(context.console, Error(ErrorCode::invalid_input, "source " + id + " is pushed to and has nothing to sync; batches go to /api/v1/ingest/" + id + "/orders"));
  set_log_level(std::max(settings.log_level, LogLevel::warning));
  Progress progress(context.console, "sync", "rows", Stopwatch::now());
  auto done = sync_here(context, *source, progress);
  // Another program holds the record: the server, which then does it.
  if (!done && done.error().code() == ErrorCode::unavailable && server_answers(settings.listen)) done = sync_there(context, id, progress);
  progress.finish();
  if (!done) return report(context.console, done.error());
  context.console.out() << (context.invocation.json ? sync_json(*done) : sync_text(*done)) << std::flush;
  return exit_code_of_sync(context, *done);
}

}  // namespace millrace::app
