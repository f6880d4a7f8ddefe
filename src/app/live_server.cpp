#include "app/live_server.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/build_info.h"
#include "app/commands.h"
#include "base/log.h"
#include "ingest/layout_profile.h"

namespace millrace::app {
namespace {

constexpr std::size_t load_page = 4096;     // changes read from the record at once
constexpr std::size_t apply_batches = 64;   // batches published as one Snapshot when the applier is behind

Result<ingest::LayoutProfile> layout_profile(const std::string& path) {
  if (path.empty()) return ingest::built_in_profile();
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "the layout profile " + path + " cannot be read; check the path");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto profile = ingest::parse_layout_profile(text);
  if (!profile) return pass_on(profile, path);
  return profile;
}

std::string_view kind_word(feed::ChangeKind kind) {
  switch (kind) {
    case feed::ChangeKind::order_put: return "order_put";
    case feed::ChangeKind::order_removed: return "order_removed";
    case feed::ChangeKind::rejection_put: return "rejection_put";
    case feed::ChangeKind::rejection_removed: break;
  }
  return "rejection_removed";
}

}  // namespace

Result<ingest::ParserPoolOptions> parser_options(const Settings& settings) {
  auto profile = layout_profile(settings.layout_profile);
  if (!profile) return pass_on(profile);
  ingest::ParserPoolOptions parsers;
  // Resolved here: inside the sandbox the link would mean the sandbox's own program.
  std::error_code error;
  parsers.executable = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return fail(ErrorCode::unavailable, "cannot find the program file of this process: " + error.message());
  parsers.worker_count = settings.parser_workers;
  if (settings.parser_memory > 0) parsers.memory_max = settings.parser_memory;
  if (settings.file_size_max > 0) parsers.file_size_max = settings.file_size_max;
  parsers.time_max = settings.parser_time;
  parsers.hash_method = settings.hash_method;
  parsers.profile = std::move(*profile);
  return parsers;
}

Result<std::unique_ptr<LiveServer>> LiveServer::start(const Settings& settings, const Clock& clock,
                                                      const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::unique_ptr<LiveServer> live(new LiveServer);
  live->results_ = std::make_unique<cache::MemoryCache>(settings.cache_memory);
  auto record = store::open_sqlite_record({.path = record_path(settings), .clock = &clock});
  if (!record) return pass_on(record);
  live->record_ = std::move(*record);
  if (const auto loaded = live->load(progress); !loaded) return pass_on(loaded, "loading the record");
  live->record_->on_commit([raw = live.get()](const std::vector<feed::Change>& changes) { raw->committed_.push(changes); });
  if (const auto started = live->start_sources(settings, clock); !started) return pass_on(started);
  if (const auto started = live->start_server(settings, clock); !started) return pass_on(started);
  live->applier_ = std::thread([raw = live.get()] { raw->apply_loop(); });
  return live;
}

LiveServer::~LiveServer() { stop(std::chrono::milliseconds{0}); }

Result<void> LiveServer::load(const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const auto began = Stopwatch::now();
  const auto last = record_->last_sequence();
  if (!last) return pass_on(last);
  feed::Sequence done;
  while (done < *last) {
    const auto changes = record_->changes_after(done, load_page);
    if (!changes) return pass_on(changes);
    if (changes->empty()) return fail(ErrorCode::corrupt, "changes after " + std::to_string(done.value) + " are missing; restore the last backup");
    if (const auto applied = model_.apply(*changes); !applied) return pass_on(applied);
    done = changes->back().sequence;
    if (progress) progress(done.value, last->value);
  }
  loaded_ = {last->value, std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - began)};
  return {};
}

Result<void> LiveServer::start_sources(const Settings& settings, const Clock& clock) {
  auto parsers = parser_options(settings);
  if (!parsers) return pass_on(parsers);
  ingest::SourcesOptions options;
  options.parsers = std::move(*parsers);
  for (const std::string& root : settings.orders) {
    ingest::FolderSourceOptions folder;
    folder.root = root;
    folder.watch = settings.watch;
    folder.refresh_interval = settings.refresh_interval;
    options.folders.push_back(std::move(folder));
  }
  auto sources = ingest::Sources::start(std::move(options), *record_, metrics_, clock);
  if (!sources) return pass_on(sources);
  sources_ = sources->get();
  control_ = std::move(*sources);
  return {};
}

Result<void> LiveServer::start_server(const Settings& settings, const Clock& clock) {
  server::Services services{
      .snapshot = [this] { return model_.current(); },
      .history = *record_,
      .sources = *control_,
      .metrics = metrics_,
      .results = *results_,
      .clock = clock,
      .record_facts =
          [this] {
            const store::RecordStatistics numbers = record_->statistics();
            return server::RecordFacts{numbers.database_bytes, numbers.log_bytes, numbers.commits};
          },
      .ready = [this](std::string& why_not) { return ready(why_not); },
      .build = build_info(),
      .company = settings.company,
  };
  server::ServerOptions options;
  options.listen = settings.listen;
  options.thread_count = settings.server_threads;
  options.connections_max = settings.connections_max;
  auto server = server::Server::start(std::move(services), std::move(options));
  if (!server) return pass_on(server);
  server_ = std::move(*server);
  return {};
}

bool LiveServer::ready(std::string& why_not) const {
  if (broken_) {
    why_not = "the read model could not follow the record; restart, and run `millrace doctor` if it happens again";
    return false;
  }
  for (const ingest::SourceStatus& source : sources_->sources()) {
    const bool first_look = source.refresh_count == 0 && (source.state == ingest::SourceState::starting || source.state == ingest::SourceState::scanning);
    if (first_look && source.orders == 0) {
      why_not = "source " + source.id + " is read for the first time: " + std::to_string(source.progress_done) + " of " +
                std::to_string(source.progress_total) + " files";
      return false;
    }
  }
  return true;
}

void LiveServer::apply_loop() {
  while (apply_step()) {
  }
}

bool LiveServer::apply_step() {
  auto first = committed_.pop();
  if (!first) return false;
  std::vector<feed::Change> changes = std::move(*first);
  for (std::size_t i = 1; i < apply_batches; ++i) {
    auto more = committed_.try_pop();
    if (!more) break;
    changes.insert(changes.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  }
  if (broken_) return true;
  const auto began = Stopwatch::now();
  if (const auto applied = model_.apply(changes); !applied) {
    broken_ = true;
    log_error("apply_failed", {{"reason", applied.error().text()}});
    return true;
  }
  metrics_.timing("millrace_apply_seconds").record(Stopwatch::now() - began);
  metrics_.gauge("millrace_queue_depth", "apply").set(static_cast<std::int64_t>(committed_.size()));
  for (const feed::Change& change : changes) metrics_.counter("millrace_changes_total", kind_word(change.kind)).add();
  server_->publish(changes, model_.current());
  return true;
}

void LiveServer::refresh_all() {
  for (const ingest::SourceStatus& source : sources_->sources())
    if (const auto asked = sources_->refresh(source.id, false); !asked) log_error("refresh_failed", {{"reason", asked.error().text()}});
}

void LiveServer::stop(std::chrono::milliseconds patience) {
  if (stopped_.exchange(true)) return;
  if (server_) server_->stop(patience);
  if (sources_ != nullptr) sources_->stop();
  committed_.close();
  if (applier_.joinable()) applier_.join();
  record_.reset();
}

}  // namespace millrace::app
