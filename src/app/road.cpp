#include "app/road.h"

#include <algorithm>
#include <future>
#include <iterator>

#include "app/commands.h"
#include "app/source_wiring.h"
#include "base/log.h"
#include "query/fields.h"

namespace millrace::app {
namespace {

constexpr std::size_t load_page = 4096;    // changes read from the record at once
constexpr std::size_t apply_batches = 64;  // batches published as one Snapshot when the applier is behind
// Many orders that come one batch after the other (a first sync, a copied folder) are shown together: each Snapshot makes
// every kept answer old, and readers pay for new ones.
constexpr std::size_t bulk_changes = 100;  // a batch of so many is no person's doing
constexpr std::size_t bulk_held_max = 8192;
constexpr auto bulk_pause = std::chrono::milliseconds(500);

}  // namespace

Result<std::unique_ptr<Road>> Road::open(const Settings& settings, const Clock& clock, const Progress& progress,
                                         std::function<void()> news) {
  if (const auto named = query::set_own_columns(settings.own_columns); !named) return pass_on(named);
  std::unique_ptr<Road> road(new Road);
  store::SqliteOptions options{.path = record_path(settings), .clock = &clock, .metrics = &road->metrics_};
  options.on_condition = [raw = road.get()](const store::RecordCondition& now) {
    raw->metrics_.gauge("millrace_record_condition").set(static_cast<std::int64_t>(now.state));
  };
  road->metrics_.gauge("millrace_record_condition").set(0);
  auto record = store::open_sqlite_record(std::move(options));
  if (!record) return pass_on(record);
  road->record_ = std::move(*record);
  road->finance_writer_ = std::make_unique<ingest::FinanceWriter>(*road->record_);
  const auto position = road->record_->position();
  if (!position) return pass_on(position);
  road->warm_path_ = warm_path(settings);
  if (auto warm = WarmFile::open(road->warm_path_, *position); warm) {
    road->warm_ = std::move(*warm);
    road->warm_written_ = {road->warm_->model_as_of(), road->warm_->revision()};
  } else if (warm.error().code() != ErrorCode::not_found) {
    road->note_refused_warm(warm.error());
  }
  road->record_->on_commit([raw = road.get()](const std::vector<feed::Change>& changes) { raw->committed_.push(changes); });
  // The sources begin to list while the model is loaded up to here; what they commit meanwhile waits in the queue.
  auto sources = std::async(std::launch::async, [&] { return road->start_sources(settings, clock, std::move(news)); });
  const auto loaded = road->load(position->sequence, progress);
  const auto started = sources.get();
  if (!loaded) return pass_on(loaded, "loading the record");
  if (!started) return pass_on(started);
  road->warm_.reset();
  return road;
}

Road::~Road() { stop(); }

void Road::note_refused_warm(const Error& why) {
  // Read model and order book may each find the same file wanting: it is one file.
  if (!warm_refused_.exchange(true)) metrics_.counter("millrace_warm_start_refused_total", traits(why.code()).name).add();
  log_warning("warm_start_refused", {{"path", warm_path_}, {"reason", why.text()}});
}

void Road::load_warm() {
  if (!warm_) return;
  auto parts = warm_->model();
  if (!parts) return note_refused_warm(parts.error());
  model_.restore(std::move(*parts));
  loaded_.warm_as_of = warm_->model_as_of();
}

Result<void> Road::load(feed::Sequence last, const Progress& progress) {
  const auto began = Stopwatch::now();
  load_warm();
  feed::Sequence done = loaded_.warm_as_of;
  while (done < last) {
    const auto changes = record_->changes_after(done, load_page);
    if (!changes) return pass_on(changes);
    if (changes->empty()) return fail(ErrorCode::corrupt, "changes after " + std::to_string(done.value) + " are missing; restore the last backup");
    // What a source commits meanwhile comes through the queue.
    const auto until = std::ranges::upper_bound(*changes, last, {}, &feed::Change::sequence);
    if (const auto applied = model_.apply(std::span(changes->begin(), until)); !applied) return pass_on(applied);
    done = std::prev(until)->sequence;
    if (progress) progress(done.value, last.value);
  }
  loaded_.changes = last.value - loaded_.warm_as_of.value;
  loaded_.took = std::chrono::duration_cast<std::chrono::microseconds>(Stopwatch::now() - began);
  return {};
}

Result<void> Road::start_sources(const Settings& settings, const Clock& clock, std::function<void()> news) {
  auto parsers = parser_options(settings);
  if (!parsers) return pass_on(parsers);
  ingest::SourcesOptions options;
  options.parsers = std::move(*parsers);
  options.join = settings.join;
  options.overlay = OverlayFields(settings.own_columns);
  if (warm_) options.warm = WarmFile::book(warm_);
  options.prepare_parsers = !settings.listen.empty();  // a scan ends where a server begins to wait for changes
  options.warm_refused = [this](const Error& why) { note_refused_warm(why); };
  const auto tell = [this, news, gate = news_gate_] {
    const std::lock_guard lock(gate->mutex);
    if (!gate->open) return;
    if (WarmKeeper* const keeper = keeper_heard_) keeper->nudge();
    if (news) news();
  };
  for (const std::string& root : settings.orders) {
    ingest::FolderSourceOptions folder;
    folder.root = root;
    folder.watch = settings.watch;
    folder.refresh_interval = settings.refresh_interval;
    folder.poll = settings.poll;
    folder.hang_patience = settings.share_patience;
    folder.news = tell;
    options.folders.push_back(std::move(folder));
  }
  const Environment environment = process_environment();
  const ingest::ParserPoolOptions parsers_of_pushed = options.parsers;
  finance_desk_ = std::make_unique<ingest::FinanceDesk>(*record_, *finance_writer_, options.parsers);
  options.services = wire_sources(settings.sources, {environment, parsers_of_pushed, push_, metrics_, clock, tell});
  // A damaged record takes no changes: reading the folders would find nothing that could be kept.
  const auto damaged = [this] { return record_->condition().state == store::RecordCondition::State::damaged; };
  const ingest::SourcesOptions without_folders{{}, options.parsers};
  auto sources = ingest::Sources::start(damaged() ? without_folders : std::move(options), *record_, metrics_, clock);
  if (!sources && damaged()) sources = ingest::Sources::start(without_folders, *record_, metrics_, clock);
  if (!sources) return pass_on(sources);
  sources_ = std::move(*sources);
  return {};
}

// Every source was looked at once, or cannot be.
bool Road::looked() const {
  return std::ranges::all_of(sources_->sources(), [](const ingest::SourceStatus& source) {
    return source.refresh_count > 0 || source.state == ingest::SourceState::held || source.state == ingest::SourceState::failed;
  });
}

void Road::follow(Listener listener) {
  listener_ = std::move(listener);
  keeper_ = std::make_unique<WarmKeeper>(WarmKeeperOptions{.path = warm_path_}, *record_, sources_->intake(), metrics_,
                                         [this] { return model_.current(); }, [this] { return looked(); },
                                         warm_refused_ ? WarmKeeper::Written{} : warm_written_);
  keeper_->start();
  keeper_heard_ = keeper_.get();
  keeper_->nudge();  // the first look may have ended before
  applier_ = std::thread([this] {
    while (apply_step()) {
    }
  });
}

// The next batch for the same Snapshot: what waits, and after bulk alone what comes before the pause is over. A small
// batch ends the wait, and so does stopping.
std::optional<std::vector<feed::Change>> Road::next_batch(bool only_bulk, std::size_t held) {
  auto more = committed_.try_pop();
  if (more || !only_bulk || held >= bulk_held_max) return more;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(published_ + bulk_pause - Stopwatch::now());
  return left.count() > 0 ? committed_.pop_for(left) : std::nullopt;
}

bool Road::apply_step() {
  auto first = committed_.pop();
  if (!first) return false;
  std::vector<feed::Change> changes = std::move(*first);
  bool only_bulk = changes.size() >= bulk_changes;
  for (std::size_t i = 1; i < apply_batches; ++i) {
    auto more = next_batch(only_bulk, changes.size());
    if (!more) break;
    only_bulk = only_bulk && more->size() >= bulk_changes;
    changes.insert(changes.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  }
  if (broken_) return true;
  const auto began = Stopwatch::now();
  if (const auto applied = model_.apply(changes); !applied) {
    broken_ = true;
    log_error("apply_failed", {{"reason", applied.error().text()}});
    return true;
  }
  published_ = Stopwatch::now();
  metrics_.timing("millrace_apply_seconds").record(published_ - began);
  metrics_.gauge("millrace_queue_depth", "apply").set(static_cast<std::int64_t>(committed_.size()));
  for (const feed::Change& change : changes) metrics_.counter("millrace_changes_total", feed::word(change.kind)).add();
  if (listener_) listener_(changes, model_.current());
  return true;
}

void Road::stop() {
  if (stopped_.exchange(true)) return;
  if (!applier_.joinable()) committed_.close();  // nobody empties it
  if (sources_) sources_->stop();
  if (finance_desk_) finance_desk_->stop();
  {
    const std::lock_guard lock(news_gate_->mutex);
    news_gate_->open = false;
  }
  committed_.close();
  if (applier_.joinable()) applier_.join();
  if (keeper_) keeper_->stop();
  record_.reset();
}

}  // namespace millrace::app
