#include "app/road.h"

#include <iterator>

#include "app/commands.h"
#include "base/log.h"

namespace millrace::app {
namespace {

constexpr std::size_t load_page = 4096;    // changes read from the record at once
constexpr std::size_t apply_batches = 64;  // batches published as one Snapshot when the applier is behind

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

Result<std::unique_ptr<Road>> Road::open(const Settings& settings, const Clock& clock, const Progress& progress) {
  std::unique_ptr<Road> road(new Road);
  store::SqliteOptions options{.path = record_path(settings), .clock = &clock};
  options.on_condition = [raw = road.get()](const store::RecordCondition& now) {
    raw->metrics_.gauge("millrace_record_condition").set(static_cast<std::int64_t>(now.state));
  };
  road->metrics_.gauge("millrace_record_condition").set(0);
  auto record = store::open_sqlite_record(std::move(options));
  if (!record) return pass_on(record);
  road->record_ = std::move(*record);
  if (const auto loaded = road->load(progress); !loaded) return pass_on(loaded, "loading the record");
  road->record_->on_commit([raw = road.get()](const std::vector<feed::Change>& changes) { raw->committed_.push(changes); });
  return road;
}

Road::~Road() { stop(); }

Result<void> Road::load(const Progress& progress) {
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

Result<void> Road::start_sources(const Settings& settings, const Clock& clock, std::function<void()> news) {
  auto parsers = parser_options(settings);
  if (!parsers) return pass_on(parsers);
  ingest::SourcesOptions options;
  options.parsers = std::move(*parsers);
  for (const std::string& root : settings.orders) {
    ingest::FolderSourceOptions folder;
    folder.root = root;
    folder.watch = settings.watch;
    folder.refresh_interval = settings.refresh_interval;
    folder.news = news;
    options.folders.push_back(std::move(folder));
  }
  // A damaged record takes no changes: reading the folders would find nothing that could be kept.
  const auto damaged = [this] { return record_->condition().state == store::RecordCondition::State::damaged; };
  const ingest::SourcesOptions without_folders{{}, options.parsers};
  auto sources = ingest::Sources::start(damaged() ? without_folders : std::move(options), *record_, metrics_, clock);
  if (!sources && damaged()) sources = ingest::Sources::start(without_folders, *record_, metrics_, clock);
  if (!sources) return pass_on(sources);
  sources_ = std::move(*sources);
  return {};
}

void Road::follow(Listener listener) {
  listener_ = std::move(listener);
  applier_ = std::thread([this] {
    while (apply_step()) {
    }
  });
}

bool Road::apply_step() {
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
  if (listener_) listener_(changes, model_.current());
  return true;
}

void Road::stop() {
  if (stopped_.exchange(true)) return;
  if (sources_) sources_->stop();
  committed_.close();
  if (applier_.joinable()) applier_.join();
  record_.reset();
}

}  // namespace millrace::app
