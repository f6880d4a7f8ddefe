#include "ingest/sources.h"

#include <pthread.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "base/turns.h"
#include "ingest/parser_pool_on_demand.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto step_patience = 500ms;
constexpr auto interval_min = 10s;
constexpr auto interval_max = std::chrono::seconds(7 * 24h);
constexpr auto stop_patience = 5s;      // for a source that hangs in the kernel; a parser's time comes on top
constexpr auto watchdog_interval = 1s;
constexpr int source_bits = 40;  // job ids: the source above these bits, a running number below

}  // namespace

std::string source_id_of(std::string_view root) {
  while (root.size() > 1 && root.ends_with('/')) root.remove_suffix(1);
  std::string id;
  for (const char c : search_fold(root.substr(root.rfind('/') + 1))) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) {
      id += c;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  while (id.ends_with('-')) id.pop_back();
  return id.empty() ? "orders" : id;
}

namespace {

// Names the folders that have no name yet, and answers the ids of all sources.
Result<std::vector<std::string>> ids_of(SourcesOptions& options) {
  std::vector<std::string> ids;
  for (FolderSourceOptions& folder : options.folders) {
    if (folder.id.empty()) folder.id = source_id_of(folder.root);
    if (std::ranges::count(ids, folder.id) > 0)
      return fail(ErrorCode::invalid_input, "two sources are called " + folder.id + "; give the folders different names or ids");
    ids.push_back(folder.id);
  }
  for (const ServiceOptions& service : options.services) {
    if (service.id.empty()) return fail(ErrorCode::invalid_input, "a source that is no folder has no id; give it one");
    if (std::ranges::count(ids, service.id) > 0)
      return fail(ErrorCode::invalid_input, "two sources are called " + printable(service.id) + "; give one of them another id");
    ids.push_back(service.id);
  }
  return ids;
}

}  // namespace

struct Sources::Running {
  std::atomic<bool> stop{false};
  std::mutex mutex;
  // guarded by mutex
  std::condition_variable changed;
  std::vector<bool> ended;  // by source
};

namespace {

JoinRules rules_of(const SourcesOptions& options) {
  JoinRules rules = options.join;
  for (const ServiceOptions& service : options.services)
    if (service.is_erp) rules.services.push_back(service.id);
  std::ranges::sort(rules.services);
  return rules;
}

}  // namespace

Sources::Sources(store::Record& record, const SourcesOptions& options, const Clock& clock)
    : clock_(clock),
      intake_(std::make_unique<Intake>(record, options.parsers.profile, rules_of(options), options.overlay)),
      overlays_(*intake_, options.parsers),
      running_(std::make_shared<Running>()) {}
Sources::~Sources() { stop(); }

Result<std::unique_ptr<Sources>> Sources::start(SourcesOptions options, store::Record& record, metrics::Registry& metrics,
                                                const Clock& clock) {
  const auto ids = ids_of(options);
  if (!ids) return pass_on(ids);
  std::unique_ptr<Sources> sources(new Sources(record, options, clock));
  if (const auto restored = sources->intake_->restore(*ids, options.warm ? &*options.warm : nullptr, options.warm_refused); !restored)
    return pass_on(restored);
  if (const auto started = sources->start_parsers(options, metrics); !started) return pass_on(started);
  sources->make_folders(options, metrics, clock);
  if (const auto made = sources->make_services(options, record); !made) return pass_on(made);
  sources->start_threads(metrics);
  return sources;
}

Result<void> Sources::start_parsers(SourcesOptions& options, metrics::Registry& metrics) {
  options.parsers.metrics = &metrics;
  const auto take_answers = [this](std::vector<ParseAnswer> together) { hand_out(std::move(together)); };
  if (options.warm || options.folders.empty()) {
    // Most often nothing changed while we were away: the parsers may come after the first look. Services need none.
    auto pool = std::make_unique<ParserPoolOnDemand>(options.parsers, take_answers);
    if (options.prepare_parsers) prepare_ = [raw = pool.get()] { raw->prepare(); };
    pool_ = std::move(pool);
    return {};
  }
  auto pool = ParserPool::start(options.parsers, take_answers);
  if (!pool) return pass_on(pool);
  pool_ = std::move(*pool);
  return {};
}

void Sources::make_folders(SourcesOptions& options, metrics::Registry& metrics, const Clock& clock) {
  for (FolderSourceOptions& folder : options.folders) {
    folder.job_id_base = std::uint64_t{folders_.size()} << source_bits;
    folder.file_size_max = options.parsers.file_size_max;
    auto made = std::make_unique<FolderSource>(std::move(folder), *intake_, *pool_, metrics, clock);
    folders_.push_back(made.get());
    sources_.push_back(std::move(made));
  }
}

Result<void> Sources::make_services(const SourcesOptions& options, store::Record& record) {
  for (const ServiceOptions& service : options.services) {
    auto made = service.make(*intake_, record);
    if (!made) return pass_on(made, "the source " + service.id);
    check((*made)->status().id == service.id, "a service has the id it was announced with");
    if (service.is_erp) patient_.push_back(made->get());
    sources_.push_back(std::move(*made));
  }
  return {};
}

void Sources::start_threads(metrics::Registry& metrics) {
  running_->ended.resize(sources_.size(), false);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto prepare = i < folders_.size() ? prepare_ : std::function<void()>();
    const bool patient = std::ranges::find(patient_, sources_[i].get()) != patient_.end();
    threads_.emplace_back([running = running_, i, source = sources_[i].get(), prepare, patient] {
      ::pthread_setname_np(::pthread_self(), "source");
      if (patient) let_others_first();
      while (prepare && !running->stop && source->status().refresh_count == 0) source->step(step_patience);
      if (prepare && !running->stop) prepare();
      while (!running->stop) source->step(step_patience);
      const std::lock_guard lock(running->mutex);
      running->ended[i] = true;
      running->changed.notify_all();
    });
  }
  watchdog_ = std::thread([this, &metrics] { watch_for_hangs(metrics); });
}

// Runs of answers of one source, most often all of them.
void Sources::hand_out(std::vector<ParseAnswer> together) {
  for (auto begin = together.begin(); begin != together.end();) {
    const std::uint64_t source = begin->id >> source_bits;
    const auto end = std::find_if(begin, together.end(), [&](const ParseAnswer& answer) { return answer.id >> source_bits != source; });
    folders_[source]->on_answers({std::make_move_iterator(begin), std::make_move_iterator(end)});
    begin = end;
  }
}

// Says once when a source begins and ends to hang; `status` shows it meanwhile.
void Sources::watch_for_hangs(metrics::Registry& metrics) {
  ::pthread_setname_np(::pthread_self(), "watchdog");
  std::vector<bool> hangs(sources_.size(), false);
  std::unique_lock lock(running_->mutex);
  while (!running_->changed.wait_for(lock, watchdog_interval, [&] { return running_->stop.load(); })) {
    lock.unlock();
    end_overlays();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const bool hangs_now = sources_[i]->hangs_since().has_value();
      if (hangs_now == hangs[i]) continue;
      hangs[i] = hangs_now;
      const SourceStatus status = sources_[i]->status();
      if (hangs_now) {
        metrics.counter("millrace_source_hangs_total", status.id).add();
        log_error("source_hangs", {{"source", status.id}, {"reason", status.message}});
      } else {
        log_info("source_answers_again", {{"source", status.id}});
      }
      sources_[i]->tell_news();
    }
    lock.lock();
  }
}

// What people wrote for a while only; refused by the record, it is tried again with whatever is committed next.
void Sources::end_overlays() {
  if (const auto ended = intake_->end_overlays(clock_.now()); !ended) log_warning("overlay_end_refused", {{"reason", ended.error().text()}});
}

void Sources::stop() {
  {
    const std::lock_guard lock(running_->mutex);
    if (running_->stop.exchange(true)) return;
  }
  running_->changed.notify_all();
  if (watchdog_.joinable()) watchdog_.join();
  overlays_.stop();
  for (const auto& source : sources_) source->request_stop();
  const std::vector<std::size_t> left = wait_for_threads();
  if (pool_) pool_->stop();
  if (left.empty()) return;
  // These threads are in a system call that may return at any time: what they touch first stays for ever.
  for (const std::size_t i : left) (void)sources_[i].release();
  (void)pool_.release();
  (void)intake_.release();
}

// Answers the sources whose threads hang and were left behind.
std::vector<std::size_t> Sources::wait_for_threads() {
  std::vector<std::size_t> left;
  const auto deadline = Stopwatch::now() + stop_patience;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    std::unique_lock lock(running_->mutex);
    const bool ended = running_->changed.wait_until(lock, deadline, [&] { return running_->ended[i]; });
    lock.unlock();
    if (ended) {
      threads_[i].join();
      continue;
    }
    log_error("source_left_behind", {{"source", sources_[i]->status().id}, {"reason", "it does not answer; the server ends without it"}});
    threads_[i].detach();
    left.push_back(i);
  }
  threads_.clear();
  return left;
}

std::vector<SourceStatus> Sources::sources() const {
  std::vector<SourceStatus> all;
  for (const auto& source : sources_) all.push_back(source->status());
  return all;
}

Result<Source*> Sources::find(std::string_view id) const {
  std::string there;
  for (const auto& source : sources_) {
    const std::string own = source->status().id;
    if (own == id) return source.get();
    there += (there.empty() ? "" : ", ") + own;
  }
  return fail(ErrorCode::not_found, "there is no source \"" + printable(id) + "\"; there is: " + there);
}

template <class Act>
Result<void> Sources::on(std::string_view id, Act act) {
  const auto found = find(id);
  if (!found) return pass_on(found);
  act(**found);
  return {};
}

Result<void> Sources::refresh(std::string_view source, bool reread_everything) {
  return on(source, [&](Source& found) { found.request_refresh(reread_everything); });
}

Result<void> Sources::pause(std::string_view source) {
  return on(source, [](Source& found) { found.request_pause(); });
}

Result<void> Sources::resume(std::string_view source) {
  return on(source, [](Source& found) { found.request_resume(); });
}

Result<void> Sources::set_interval(std::string_view source, std::chrono::seconds interval) {
  const auto found = find(source);
  if (!found) return pass_on(found);
  if (interval < interval_min || interval > interval_max)
    return fail(ErrorCode::invalid_input, "the refresh interval must be 10 seconds to 7 days, not " + std::to_string(interval.count()) + " s");
  (*found)->request_interval(interval);
  return {};
}

Result<void> Sources::accept_vanished(std::string_view source) {
  return on(source, [](Source& found) { found.request_accept(); });
}

Result<void> Sources::reject_held(std::string_view source) {
  return on(source, [](Source& found) { found.request_reject(); });
}

Result<void> Sources::hint(std::string_view source, std::string_view stream, std::vector<std::string> keys) {
  const auto found = find(source);
  if (!found) return pass_on(found);
  if (std::ranges::find(folders_, *found) != folders_.end())
    return fail(ErrorCode::invalid_input, "the source " + printable(source) + " is a folder and has no records to name; refresh it instead");
  (*found)->request_keys(stream, std::move(keys));
  return {};
}

Result<void> Sources::replay(std::uint64_t rejection_id) {
  const auto rejection = intake_->with_book([&](OrderBook& book) -> std::optional<feed::Rejection> {
    const feed::Rejection* found = book.find_rejection(rejection_id);
    return found == nullptr ? std::nullopt : std::optional(*found);
  });
  if (!rejection)
    return fail(ErrorCode::not_found, "there is no rejection " + std::to_string(rejection_id) + " (any more); it may be solved already");
  const auto source = find(rejection->source);
  if (!source) return pass_on(source);
  (*source)->request_replay(rejection->path);
  return {};
}

Result<feed::Change> Sources::decide(const DifferenceChoice& choice, const std::string& source, const std::string& by) {
  return intake_->decide(choice, source, by, clock_.now());
}

Result<feed::Change> Sources::undecide(const DifferenceChoice& choice) { return intake_->undecide(choice); }

std::string Sources::sandbox() const { return pool_->sandbox(); }

}  // namespace millrace::ingest
