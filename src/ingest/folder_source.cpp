#include "ingest/folder_source.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
using namespace std::chrono_literals;

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
      reader_(options_.root, {.thread_count_max = options_.listing.thread_count_max, .file_size_max = options_.file_size_max},
              [this] { request_wake(); }),
      half_moves_(options_.half_move_grace),
      pace_(options_.poll),
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
void FolderSource::request_accept() { requests_->put([](auto& r) { r.accept_vanished = true; }), request_wake(); }
void FolderSource::request_reject() { request_refresh(false); }  // nothing leaves while it is held: looking again is all
void FolderSource::request_keys(std::string_view, std::vector<std::string>) {}
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
  SourceStatus status;
  {
    const std::lock_guard lock(status_mutex_);
    status = published_;
  }
  const auto since = hangs_since();
  if (!since) return status;
  // Nobody else can say it: the thread that would is the one that waits.
  status.state = SourceState::held;
  status.hangs_since = clock_.now() - std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - *since);
  status.message = "the folder " + printable(options_.root) + " does not answer since " + rfc3339(*status.hangs_since) +
                   "; its orders stay as they were. Check the file server and the network; reading goes on by itself";
  return status;
}

std::optional<FolderSource::TimePoint> FolderSource::hangs_since() const {
  std::optional<TimePoint> since = reader_.waiting_since();
  if (const auto touching = touching_.load(std::memory_order_relaxed); touching != 0) {
    const TimePoint asked{Stopwatch::duration(touching)};
    since = since ? std::min(*since, asked) : asked;
  }
  if (since && Stopwatch::now() - *since < options_.hang_patience) since.reset();
  return since;
}

void FolderSource::publish_status() {
  const auto counts = intake_.with_book([&](OrderBook& book) { return std::pair(book.counts(options_.id), book.file_count(options_.id)); });
  now_.orders = counts.first.orders;
  now_.rejections = counts.first.rejections;
  now_.ignored = counts.first.ignored;
  now_.files = counts.second;
  now_.pending = pending_.size() + in_flight_.size() + (backlog_.size() - backlog_at_);
  now_.watching = watch_ != nullptr;
  if (refresh_open_) now_.progress_done = now_.progress_total - std::min<std::uint64_t>(now_.progress_total, now_.pending);
  const bool current = !refresh_open_ && pending_.empty() && backlog_.empty() && in_flight_.empty() && removals_.empty() && !commit_blocked_;
  if (now_.state == SourceState::live && current) now_.as_of_time = clock_.now();
  bool news = false;
  {
    const std::lock_guard lock(status_mutex_);
    news = published_.state != now_.state || published_.refresh_count != now_.refresh_count;
    published_ = now_;
  }
  if (news) tell_news();
}

void FolderSource::tell_news() const {
  if (options_.news) options_.news();
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
    // A file that moved while the folders were listed may be in none of them: its events are here by now.
    if (watch_) handle_events(watch_->step(0ms));
    busy = true;
  }
  busy |= take_reads();
  busy |= take_answers();
  busy |= submit_ready();
  busy |= remove_gone();
  if (stop_) return busy;  // perhaps long ago: who hangs in the folder may come back when everything else is gone
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
    pending_.change(path, [](PendingFile& file) {
      file.due = Stopwatch::now();
      file.reread = true;
      file.being_written = false;
    });
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
  if (!paused_) {
    if (may_read_more()) {
      if (!backlog_.empty()) return 0ms;
      next = std::min(next, pending_.next_due());
    }
    // One that waits for something on its way is looked at again when that has arrived.
    if (const TimePoint due = removals_.next_due(); due < next && oldest_on_its_way() > due) next = due;
  }
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
    case Kind::file_changed:
      pending_.change(event.path, [&](PendingFile& file) {
        file.being_written = true;
        file.due = now + quiet_after_write;
      });
      forget_reading(event.path);
      break;
    case Kind::file_closed:
      if (event.cookie != 0)
        if (const auto from = half_moves_.arrived(event.cookie)) removals_.moved(*from, event.path, now + options_.removal_grace);
      pending_.change(event.path, [&](PendingFile& file) {
        file.being_written = false;
        file.closed = true;
        file.due = now;
      });
      forget_reading(event.path);
      break;
    case Kind::file_touched:
      pending_.change(event.path, [&](PendingFile& file) {
        if (!file.being_written) file.due = std::min(file.due, now);
      });
      break;
    case Kind::file_gone:
      pending_.erase(event.path);
      forget_reading(event.path);
      expect_removal(event.path, now + options_.removal_grace);
      if (event.cookie != 0) {
        half_moves_.left(event.cookie, event.path, now);
        removals_.postpone(event.path, now + options_.half_move_grace);
      }
      break;
    case Kind::folder_appeared: {
      auto listing = [&] {
        const Touch touch(*this);
        return list_subfolder(options_.root, event.path, options_.listing, stop_);
      }();
      if (stop_) break;
      if (listing) {
        note_faults(*listing, event.path);
        take_difference(hold_against_book(*listing, event.path), *listing);
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
  const auto reading = reading_.find(path);
  if (reading != reading_.end()) in_flight_.at(reading->second).stale = true;
}

// ---- deciding and committing

// Since when the oldest file that was seen and is not decided yet is on its way.
FolderSource::TimePoint FolderSource::oldest_on_its_way() const {
  TimePoint oldest = pending_.oldest();
  if (!backlog_.empty()) oldest = std::min(oldest, backlog_since_);
  for (const auto& [id, flight] : in_flight_) oldest = std::min(oldest, flight.file.since);
  return oldest;
}

bool FolderSource::is_on_its_way(const std::string& path) const { return pending_.find(path) != nullptr || reading_.contains(path); }

bool FolderSource::remove_gone() {
  if (removals_.empty() || commit_blocked_) return false;
  const TimePoint now = Stopwatch::now();
  // A newer copy may still be on its way: what was seen before a removal must be read first.
  const TimePoint oldest = oldest_on_its_way();
  std::vector<std::string> gone;
  while (removals_.next_due() <= now && removals_.next_due() < oldest) {
    // Its writer holds up no other removal, but this one.
    if (is_on_its_way(removals_.first_target())) {
      removals_.postpone(std::string(removals_.first()), now + options_.removal_grace);
    } else {
      gone.push_back(removals_.take_first());
    }
  }
  if (gone.empty()) return false;
  const auto stamps = stamps_of(gone);
  if (stop_) return true;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (stamps[i]) {  // it came back
      pending_.change(gone[i], [&](PendingFile& file) {
        if (!file.being_written) file.due = now;
      });
    } else if (stamps[i].error().code() == ErrorCode::not_found) {
      intake_.with_book([&](OrderBook& book) { book.file_removed(options_.id, gone[i]); });
    } else {
      intake_.with_book([&](OrderBook& book) { book.fault(options_.id, {gone[i], stamps[i].error().text(), false}, clock_.now()); });
    }
  }
  return true;
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
  if (!refresh_open_ || commit_blocked_ || !in_flight_.empty() || !removals_.empty() || !backlog_.empty()) return;
  if (pending_.ready_count() > 0) return;
  refresh_open_ = false;
  ++now_.refresh_count;
  if (refresh_wrote_) ++now_.refresh_with_changes;
  now_.refresh_took = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - refresh_began_);
  now_.as_of_time = clock_.now();
  now_.progress_done = now_.progress_total;
  now_.state = watch_ ? SourceState::live : SourceState::polling;
  if (watch_ && watch_->unwatched_count() > 0) now_.message = watch_->unwatched_reason();
  now_.files = intake_.with_book([&](OrderBook& book) { return book.file_count(options_.id); });
  log_info("source_refreshed", {{"source", options_.id},
                                {"files", std::to_string(now_.files)},
                                {"read", std::to_string(now_.files_read)},
                                {"unchanged", std::to_string(now_.files_unchanged)},
                                {"ms", std::to_string(now_.refresh_took.count())}});
}

}  // namespace millrace::ingest
