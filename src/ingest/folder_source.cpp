#include "ingest/folder_source.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

// A file whose mtime is younger than this may still be written by somebody whose close we cannot see.
constexpr auto young = 2s;
// Writers that never close: after this long without a further write the file is read as it is.
constexpr auto quiet_after_write = 1s;
constexpr auto first_look_again = 5ms;
constexpr int read_tries_max = 40;  // a file that never stands still is reported after so many readings
// Answers taken into one commit: bounds the transaction and keeps the first screen quick during a first load.
constexpr std::size_t answers_per_commit = 1000;

bool below_folder(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

bool refused_only(const ParsedDocument& document) {
  return document.orders.empty() && std::any_of(document.findings.begin(), document.findings.end(), [](const Finding& finding) {
           return finding.outcome == feed::Outcome::reject;
         });
}

FileStamp stamp_of(const store::FileRecord& file) { return {file.size, file.mtime_ns, file.inode}; }

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

void FolderSource::on_answer(ParseAnswer answer) {
  answers_.push(std::move(answer));
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
  const std::lock_guard lock(status_mutex_);
  published_ = now_;
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
    requests_->wait(patience, [&] { return answers_.size() > 0 || stop_; });
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

// ---- listing

void FolderSource::start_watch() {
  if (watch_ || options_.watch == WatchMode::poll) return;
  auto watch = FolderWatch::start(options_.root);
  if (!watch) {
    if (now_.message != watch.error().text())
      log_warning("source_polls", {{"source", options_.id}, {"reason", watch.error().text()}});
    now_.message = watch.error().text();
    return;
  }
  const std::lock_guard lock(status_mutex_);
  watch_ = std::move(*watch);
}

void FolderSource::hold(const std::string& why) {
  if (now_.state != SourceState::held) log_warning("source_held", {{"source", options_.id}, {"reason", why}});
  now_.state = SourceState::held;
  now_.message = why;
  pending_.clear();
  removals_.clear();
  removal_by_inode_.clear();
  refresh_open_ = false;
  refresh_due_ = Stopwatch::now() + options_.held_interval;
  const std::lock_guard lock(status_mutex_);
  watch_.reset();
}

void FolderSource::refresh() {
  refresh_began_ = Stopwatch::now();
  now_.refresh_started = clock_.now();
  now_.message.clear();
  if (now_.state != SourceState::held) now_.state = SourceState::scanning;
  now_.files_read = now_.files_unchanged = now_.bytes_read = now_.progress_done = now_.progress_total = 0;
  publish_status();
  start_watch();  // before listing: what changes meanwhile is heard
  const auto progress = [&](std::uint64_t files) {
    now_.progress_total = files;
    const std::lock_guard lock(status_mutex_);
    published_ = now_;
  };
  const auto listing = list_folder(options_.root, options_.listing, stop_, progress);
  if (stop_) return;
  if (!listing) return hold(listing.error().text() + "; its orders stay as they were");
  std::uint64_t missing = 0;
  intake_.with_book([&](OrderBook& book) {
    book.each_file(options_.id, [&](const store::FileRecord& file) {
      const auto at = std::lower_bound(listing->files.begin(), listing->files.end(), file.path,
                                       [](const ListedFile& listed, const std::string& path) { return listed.path < path; });
      missing += at == listing->files.end() || at->path != file.path;
    });
  });
  if (!root_is_trustworthy(*listing, missing)) return;
  refresh_open_ = true;
  refresh_wrote_ = false;
  now_.state = SourceState::scanning;
  note_faults(*listing, "");
  compare(*listing, "");
  reread_ = false;
  now_.progress_total = listing->files.size();
  // Where events work the listing only verifies; elsewhere it is how changes are found.
  const bool all_heard = watch_ && watch_->unwatched_count() == 0;
  const auto pause = all_heard ? std::chrono::milliseconds(now_.refresh_interval)
                               : std::min<std::chrono::milliseconds>(options_.poll_interval, now_.refresh_interval);
  refresh_due_ = Stopwatch::now() + pause;
  now_.refresh_next = clock_.now() + pause;
}

bool FolderSource::root_is_trustworthy(const Listing& listing, std::uint64_t missing) {
  const std::uint64_t known = intake_.with_book([&](OrderBook& book) { return book.file_count(options_.id); });
  const bool other_root = root_inode_ != 0 && (root_inode_ != listing.root_inode || root_device_ != listing.root_device);
  const bool empty = listing.files.empty() && listing.faults.empty() && known > 0;
  if (!vanished_accepted_ && (empty || (other_root && missing * 2 > known && known > 0))) {
    hold(empty ? "the folder " + options_.root + " is empty, but " + std::to_string(known) +
                     " files were known; nothing was deleted. Mount the share again, or accept the removal"
               : "the folder " + options_.root + " is another one than before and " + std::to_string(missing) + " of " +
                     std::to_string(known) + " files are missing; nothing was deleted. Mount the share again, or accept the removal");
    return false;
  }
  vanished_accepted_ = false;
  root_device_ = listing.root_device;
  root_inode_ = listing.root_inode;
  return true;
}

void FolderSource::note_faults(const Listing& listing, std::string_view below) {
  const Instant now = clock_.now();
  intake_.with_book([&](OrderBook& book) {
    for (const std::string& path : book.faulty_paths(options_.id)) {
      const bool looked_at = path == below || below_folder(path, below);
      const bool still = std::any_of(listing.faults.begin(), listing.faults.end(), [&](const FolderFault& f) { return f.path == path; });
      const bool is_file = book.known_file(options_.id, path) != nullptr;
      if (looked_at && !still && !is_file) book.fault_solved(options_.id, path);
    }
    for (const FolderFault& fault : listing.faults) book.fault(options_.id, fault, now);
  });
}

// Holds the listing of `below` against what is known: new and changed files wait to be read, missing ones to go.
void FolderSource::compare(const Listing& listing, std::string_view below) {
  const TimePoint now = Stopwatch::now();
  const std::int64_t wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now().time_since_epoch()).count();
  const auto known = intake_.with_book([&](OrderBook& book) {
    std::vector<std::pair<std::string, FileStamp>> files;
    book.each_file(options_.id, [&](const store::FileRecord& file) {
      if (below_folder(file.path, below)) files.emplace_back(file.path, stamp_of(file));
    });
    return files;
  });
  const auto unreadable = [&](std::string_view path) {
    return std::any_of(listing.faults.begin(), listing.faults.end(), [&](const FolderFault& fault) {
      return path == fault.path || below_folder(path, fault.path);
    });
  };
  auto old = known.begin();
  std::vector<const ListedFile*> appeared;
  for (const ListedFile& file : listing.files) {
    for (; old != known.end() && old->first < file.path; ++old)
      if (!unreadable(old->first)) expect_removal(old->first, now);
    const bool is_known = old != known.end() && old->first == file.path;
    const bool unchanged = is_known && old->second == file.stamp && !reread_;
    if (is_known) {
      cancel_removal(file.path);
      ++old;
    }
    if (unchanged) {
      ++now_.files_unchanged;
      continue;
    }
    if (!is_known) appeared.push_back(&file);
    Pending& pending = pending_[file.path];
    pending.reread |= reread_;
    if (pending.being_written) continue;
    const bool settled = pending.closed || wall_ns - file.stamp.mtime_ns > std::chrono::nanoseconds(young).count();
    pending.due = settled ? now : now + options_.settle;
    if (!settled) pending.seen = file.stamp;
  }
  for (; old != known.end(); ++old)
    if (!unreadable(old->first)) expect_removal(old->first, now);
  for (const ListedFile* file : appeared)
    if (recognise_move(file->path, file->stamp)) pending_.erase(file->path);
  files_unchanged_metric_.add(now_.files_unchanged);
}

// ---- settling and reading

void FolderSource::expect_removal(const std::string& path, TimePoint due) {
  const auto inode = intake_.with_book([&](OrderBook& book) -> std::optional<std::uint64_t> {
    const store::FileRecord* file = book.known_file(options_.id, path);
    return file == nullptr ? std::nullopt : std::optional(file->inode);
  });
  if (!inode) return;
  if (removals_.try_emplace(path, Removal{due, *inode}).second) removal_by_inode_.emplace(*inode, path);
}

void FolderSource::cancel_removal(const std::string& path) {
  const auto removal = removals_.find(path);
  if (removal == removals_.end()) return;
  auto [first, last] = removal_by_inode_.equal_range(removal->second.inode);
  for (; first != last; ++first)
    if (first->second == path) {
      removal_by_inode_.erase(first);
      break;
    }
  removals_.erase(removal);
}

// A file that appears with size, mtime and inode of one that went away is the same file under another name.
bool FolderSource::recognise_move(const std::string& path, const FileStamp& stamp) {
  auto [first, last] = removal_by_inode_.equal_range(stamp.inode);
  for (; first != last; ++first) {
    const std::string from = first->second;
    const bool moved = intake_.with_book([&](OrderBook& book) {
      const store::FileRecord* file = book.known_file(options_.id, from);
      if (file == nullptr || !(stamp_of(*file) == stamp)) return false;
      return book.file_moved(options_.id, from, path, stamp).has_value();
    });
    if (!moved) continue;
    cancel_removal(from);
    return true;
  }
  return false;
}

bool FolderSource::submit_ready() {
  if (commit_blocked_) return false;
  bool any = false;
  const TimePoint now = Stopwatch::now();
  for (auto next = pending_.begin(); next != pending_.end() && in_flight_.size() < in_flight_max;) {
    const auto current = next++;
    if (current->second.due > now || reading_.contains(current->first)) continue;
    any = true;
    if (submit(current->first, current->second)) pending_.erase(current);
  }
  return any;
}

// True when the path needs no further waiting: it is being read, or there is nothing to read.
bool FolderSource::submit(const std::string& path, Pending& pending) {
  auto opened = open_below(options_.root, path);
  if (!opened) {
    const ErrorCode code = opened.error().code();
    if (code == ErrorCode::not_found) {
      expect_removal(path, Stopwatch::now() + options_.removal_grace);
    } else if (code != ErrorCode::invalid_input) {  // not a regular file: nothing to read
      intake_.with_book([&](OrderBook& book) { book.fault(options_.id, {path, opened.error().text(), false}, clock_.now()); });
    }
    return true;
  }
  if (pending.seen && !(*pending.seen == opened->stamp)) {
    pending.seen = opened->stamp;  // still moving: look again
    pending.due = Stopwatch::now() + options_.settle;
    return false;
  }
  const auto known = intake_.with_book([&](OrderBook& book) -> std::optional<store::FileRecord> {
    const store::FileRecord* file = book.known_file(options_.id, path);
    return file == nullptr ? std::nullopt : std::optional(*file);
  });
  if (known && stamp_of(*known) == opened->stamp && !pending.reread) {
    const bool was_fault = intake_.with_book([&](OrderBook& book) { return std::ranges::count(book.faulty_paths(options_.id), path) > 0; });
    if (was_fault) intake_.with_book([&](OrderBook& book) { book.file_touched(options_.id, path, opened->stamp); });
    return true;
  }
  if (!known && recognise_move(path, opened->stamp)) return true;
  InFlight flight{path, opened->stamp, pending.since, pending.tries, false, pending.reread};
  ParseJob job;
  job.id = ++next_job_;
  job.file = std::move(opened->fd);
  job.name = path;
  if (known && !pending.reread) job.known_hash = known->hash;
  in_flight_.emplace(job.id, std::move(flight));
  reading_.insert(path);
  return pool_.submit(std::move(job));
}

bool FolderSource::take_answers() {
  if (commit_blocked_) return false;
  std::vector<ParseAnswer> taken;
  while (taken.size() < answers_per_commit) {
    auto answer = answers_.try_pop();
    if (!answer) break;
    taken.push_back(std::move(*answer));
  }
  if (taken.empty()) return false;
  // What somebody wrote while we read is told by events that arrive before this drain ends.
  if (watch_) handle_events(watch_->step(0ms));
  for (ParseAnswer& answer : taken) take_answer(answer);
  return true;
}

void FolderSource::take_answer(ParseAnswer& answer) {
  const auto found = in_flight_.find(answer.id);
  if (found == in_flight_.end()) return;
  const InFlight flight = std::move(found->second);
  in_flight_.erase(found);
  reading_.erase(flight.path);
  if (refresh_open_) {
    now_.bytes_read += answer.bytes;
    ++now_.files_read;
  }
  files_read_metric_.add();
  const TimePoint now = Stopwatch::now();
  // Waiting again keeps its first moment: a removal that came later goes on waiting for it.
  const auto wait_again = [&]() -> Pending& {
    Pending& pending = pending_.try_emplace(flight.path).first->second;
    pending.since = std::min(pending.since, flight.since);
    return pending;
  };
  if (flight.stale) {
    Pending& pending = wait_again();
    if (!pending.being_written) pending.due = std::min(pending.due, now);
    return;
  }
  const bool fresh = clock_.now() - Instant{std::chrono::milliseconds{flight.stamp.mtime_ns / 1'000'000}} < 10s;
  const bool retry = answer.moved_while_read ? flight.tries < read_tries_max : fresh && flight.tries == 0 && refused_only(answer.document);
  if (retry) {
    Pending& pending = wait_again();
    pending.tries = flight.tries + 1;
    pending.reread = true;
    // Most often only the time stamp was set right after the content: look again soon, then more and more slowly.
    pending.due = now + (answer.moved_while_read ? std::min(options_.settle, first_look_again * (1 << std::min(flight.tries, 10))) : options_.retry_delay);
    return;
  }
  intake_.with_book([&](OrderBook& book) {
    if (answer.unchanged) return book.file_touched(options_.id, flight.path, flight.stamp);
    if (refused_only(answer.document)) files_refused_metric_.add();
    book.file_read(options_.id, {flight.path, flight.stamp, answer.hash, std::move(answer.document)}, clock_.now());
  });
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
  const auto wrote = intake_.commit(options_.id);
  if (!wrote) {
    if (!commit_blocked_) log_error("source_commit_failed", {{"source", options_.id}, {"reason", wrote.error().text()}});
    commit_blocked_ = true;
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
