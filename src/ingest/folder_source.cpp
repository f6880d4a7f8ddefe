#include "ingest/folder_source.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

// Writers that never close: after this long without a further write the file is read as it is.
constexpr auto quiet_after_write = 1s;

}  // namespace

FolderSource::FolderSource(FolderSourceOptions options, Intake& intake, ParserPool& pool, metrics::Registry& metrics, const Clock& clock)
    : options_(std::move(options)),
      intake_(intake),
      pool_(pool),
      clock_(clock),
      files_read_metric_(metrics.counter("millrace_files_read_total", options_.id)),
      files_unchanged_metric_(metrics.counter("millrace_files_unchanged_total", options_.id)),
      files_refused_metric_(metrics.counter("millrace_files_refused_total", options_.id)),
      events_metric_(metrics.counter("millrace_file_events_total", options_.id)),
      overflows_metric_(metrics.counter("millrace_file_event_overflows_total", options_.id)),
      answers_(in_flight_max + 8),
      requests_(std::make_unique<Requests>()),
      next_job_(options_.job_id_base),
      refresh_due_(Stopwatch::now()) {
  now_.id = options_.id;
  now_.kind = "folder";
  now_.root = options_.root;
  now_.refresh_interval = options_.refresh_interval;
  publish_status();
}

FolderSource::~FolderSource() = default;

// ---- requests and status, from any thread

void FolderSource::request_refresh(bool reread) { requests_->put([&](auto& r) { r.refresh = true, r.reread |= reread; }), request_wake(); }
void FolderSource::request_pause() { requests_->put([](auto& r) { r.pause = true, r.resume = false; }), request_wake(); }
void FolderSource::request_resume() { requests_->put([](auto& r) { r.resume = true, r.pause = false; }), request_wake(); }
void FolderSource::request_interval(std::chrono::seconds interval) { requests_->put([&](auto& r) { r.interval = interval; }), request_wake(); }
void FolderSource::request_accept_vanished() { requests_->put([](auto& r) { r.accept_vanished = true; }), request_wake(); }
void FolderSource::request_replay(const std::string& path) { requests_->put([&](auto& r) { r.replay.insert(path); }), request_wake(); }

void FolderSource::request_stop() {
  stop_ = true;
  request_wake();
}

void FolderSource::request_wake() {
  answers_waiting_ = true;
  std::shared_ptr<FolderWatch> watch;
  {
    const std::lock_guard lock(status_mutex_);
    watch = watch_;
  }
  if (watch) watch->wake();
  requests_->wake();
}

void FolderSource::on_answers(std::vector<ParseAnswer> together) {
  for (ParseAnswer& answer : together) answers_.push(std::move(answer));
  request_wake();
}

SourceStatus FolderSource::status() const {
  const std::lock_guard lock(status_mutex_);
  return published_;
}

void FolderSource::publish_status() {
  const auto counts = intake_.with_book([&](OrderBook& book) { return std::pair(book.counts(options_.id), book.file_count(options_.id)); });
  now_.orders = counts.first.orders;
  now_.rejections = counts.first.rejections;
  now_.ignored = counts.first.ignored;
  now_.files = counts.second;
  now_.pending = pending_.size() + in_flight_.size();
  now_.watching = watch_ != nullptr;
  if (refresh_open_) now_.progress_done = now_.progress_total - std::min<std::uint64_t>(now_.progress_total, now_.pending);
  const bool current = !refresh_open_ && pending_.empty() && in_flight_.empty() && removals_.empty() && !commit_blocked_;
  if (now_.state == SourceState::live && current) now_.as_of_time = clock_.now();
  bool news = false;
  {
    const std::lock_guard lock(status_mutex_);
    news = published_.state != now_.state || published_.refresh_count != now_.refresh_count;
    published_ = now_;
  }
  if (news && options_.news) options_.news();
}

// ---- the loop

bool FolderSource::step(std::chrono::milliseconds patience) {
  take_requests();
  bool busy = wait_for_events(std::min(patience, until_next_due()));
  if (paused_ || stop_) {
    publish_status();
    return busy;
  }
  if (Stopwatch::now() >= refresh_due_) {
    refresh();
    busy = true;
  }
  busy |= take_answers();
  busy |= submit_ready();
  busy |= remove_gone();
  busy |= commit();
  finish_refresh_when_idle();
  publish_status();
  return busy;
}

void FolderSource::take_requests() {
  Requests::Taken asked = requests_->take();
  if (asked.interval) {
    now_.refresh_interval = *asked.interval;
    refresh_due_ = std::min(refresh_due_, Stopwatch::now() + *asked.interval);
  }
  if (asked.pause && !paused_) {
    paused_ = true;
    now_.state = SourceState::paused;
    now_.refresh_next.reset();
  }
  if (asked.resume && paused_) {
    paused_ = false;
    now_.state = SourceState::starting;
    asked.refresh = true;  // what happened meanwhile was not heard
  }
  if (asked.accept_vanished) vanished_accepted_ = true, asked.refresh = true;
  if (asked.refresh) {
    refresh_due_ = Stopwatch::now();
    reread_ |= asked.reread;
  }
  for (const std::string& path : asked.replay) {
    Pending& pending = pending_[path];
    pending.due = Stopwatch::now();
    pending.reread = true;
    pending.being_written = false;
    // A folder that could not be read is replayed by listing it again.
    if (intake_.with_book([&](OrderBook& book) { return book.known_file(options_.id, path) == nullptr; })) refresh_due_ = Stopwatch::now();
  }
}

std::chrono::milliseconds FolderSource::until_next_due() const {
  if (answers_waiting_.exchange(false)) return 0ms;
  TimePoint next = paused_ ? TimePoint::max() : refresh_due_;
  if (commit_blocked_) {  // nothing else can go on before that
    next = std::min(next, commit_due_);
    return std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(next - Stopwatch::now()));
  }
  if (!paused_ && in_flight_.size() < in_flight_max)
    for (const auto& [path, pending] : pending_)
      if (!reading_.contains(path)) next = std::min(next, pending.due);
  if (!paused_ && !removals_.empty() && in_flight_.empty())
    for (const auto& [path, removal] : removals_) next = std::min(next, removal.due);
  if (next == TimePoint::max()) return 1h;
  return std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(next - Stopwatch::now()));
}

bool FolderSource::wait_for_events(std::chrono::milliseconds patience) {
  if (!watch_) {
    requests_->wait(patience, [&] { return (answers_.size() > 0 && !commit_blocked_) || stop_; });
    return false;
  }
  return handle_events(watch_->step(patience));
}

bool FolderSource::handle_events(const std::vector<FolderEvent>& events) {
  if (events.empty()) return false;
  now_.events += events.size();
  events_metric_.add(events.size());
  if (paused_) return true;
  for (const FolderEvent& event : events) handle_event(event);
  return true;
}

void FolderSource::handle_event(const FolderEvent& event) {
  const TimePoint now = Stopwatch::now();
  using Kind = FolderEvent::Kind;
  switch (event.kind) {
    case Kind::file_changed: {
      Pending& pending = pending_[event.path];
      pending.being_written = true;
      pending.due = now + quiet_after_write;
      forget_reading(event.path);
      break;
    }
    case Kind::file_closed: {
      Pending& pending = pending_[event.path];
      pending.being_written = false;
      pending.closed = true;
      pending.due = now;
      forget_reading(event.path);
      break;
    }
    case Kind::file_touched: {
      Pending& pending = pending_[event.path];
      if (!pending.being_written) pending.due = std::min(pending.due, now);
      break;
    }
    case Kind::file_gone:
      pending_.erase(event.path);
      forget_reading(event.path);
      expect_removal(event.path, now + options_.removal_grace);
      break;
    case Kind::folder_appeared: {
      auto listing = list_subfolder(options_.root, event.path, options_.listing, stop_);
      if (listing) {
        note_faults(*listing, event.path);
        compare(*listing, event.path);
      } else if (listing.error().code() != ErrorCode::not_found) {
        refresh_due_ = now;
      }
      break;
    }
    case Kind::folder_gone:
      for (const std::string& path : intake_.with_book([&](OrderBook& book) { return book.files_below(options_.id, event.path); }))
        expect_removal(path, now + options_.removal_grace);
      break;
    case Kind::overflow:
      ++now_.event_overflows;
      overflows_metric_.add();
      refresh_due_ = now;
      break;
    case Kind::root_gone:
      hold("the folder " + options_.root + " is gone or was unmounted; its orders stay as they were. Mount it again, or accept the removal");
      break;
  }
}

// What is being read right now changed: its answer will not count.
void FolderSource::forget_reading(const std::string& path) {
  if (!reading_.contains(path)) return;
  for (auto& [id, flight] : in_flight_)
    if (flight.path == path) flight.stale = true;
}

// ---- deciding and committing

bool FolderSource::remove_gone() {
  if (removals_.empty() || commit_blocked_) return false;
  const TimePoint now = Stopwatch::now();
  std::vector<std::string> gone;
  for (const auto& [path, removal] : removals_) {
    if (removal.due > now) continue;
    // A newer copy may still be on its way: what was seen before must be read first.
    const auto older = [&](TimePoint since) { return since <= removal.due; };
    const bool waits = std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& f) { return older(f.second.since); }) ||
                       std::any_of(pending_.begin(), pending_.end(), [&](const auto& p) { return !p.second.being_written && older(p.second.since); });
    if (!waits) gone.push_back(path);
  }
  for (const std::string& path : gone) {
    cancel_removal(path);
    const auto stamp = stamp_below(options_.root, path);
    if (stamp) {  // it came back
      pending_[path].due = now;
    } else if (stamp.error().code() == ErrorCode::not_found) {
      intake_.with_book([&](OrderBook& book) { book.file_removed(options_.id, path); });
    } else {
      intake_.with_book([&](OrderBook& book) { book.fault(options_.id, {path, stamp.error().text(), false}, clock_.now()); });
    }
  }
  return !gone.empty();
}

bool FolderSource::commit() {
  if (commit_blocked_ && Stopwatch::now() < commit_due_) return false;
  const auto wrote = intake_.commit(options_.id);
  if (!wrote) {
    if (!commit_blocked_) log_error("source_commit_failed", {{"source", options_.id}, {"reason", wrote.error().text()}});
    commit_blocked_ = true;
    commit_due_ = Stopwatch::now() + options_.commit_retry;
    now_.state = SourceState::failed;
    now_.message = wrote.error().text();
    return false;
  }
  if (commit_blocked_) {
    commit_blocked_ = false;
    now_.message.clear();
    now_.state = refresh_open_ ? SourceState::scanning : watch_ ? SourceState::live : SourceState::polling;
  }
  refresh_wrote_ |= *wrote;
  return *wrote;
}

void FolderSource::finish_refresh_when_idle() {
  if (!refresh_open_ || commit_blocked_ || !in_flight_.empty() || !removals_.empty()) return;
  const bool waiting = std::any_of(pending_.begin(), pending_.end(), [](const auto& p) { return !p.second.being_written; });
  if (waiting) return;
  refresh_open_ = false;
  ++now_.refresh_count;
  if (refresh_wrote_) ++now_.refresh_with_changes;
  now_.refresh_took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - refresh_began_);
  now_.as_of_time = clock_.now();
  now_.progress_done = now_.progress_total;
  now_.state = watch_ ? SourceState::live : SourceState::polling;
  if (watch_ && watch_->unwatched_count() > 0) now_.message = watch_->unwatched_reason();
  log_info("source_refreshed", {{"source", options_.id},
                                {"files", std::to_string(now_.files)},
                                {"read", std::to_string(now_.files_read)},
                                {"unchanged", std::to_string(now_.files_unchanged)},
                                {"ms", std::to_string(now_.refresh_took.count())}});
}

}  // namespace millrace::ingest
