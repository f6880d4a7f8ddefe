// Listing a folder source: what is new, changed, missing or unreadable, and whether the root can be trusted.
#include <algorithm>

#include "base/log.h"
#include "ingest/folder_kind.h"
#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

// A file whose mtime is younger than this may still be written by somebody whose close we cannot see.
constexpr auto young = 2s;

bool below_folder(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

// Whether a listing says why it does not hold `path`: one of the folders above it, or the file itself, is at fault.
// The faults of a listing are sorted by path.
bool explained(const std::vector<FolderFault>& faults, std::string_view path) {
  const auto at_fault = [&](std::string_view place) { return std::ranges::binary_search(faults, place, {}, &FolderFault::path); };
  if (faults.empty()) return false;
  if (at_fault(path) || at_fault("")) return true;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
    if (at_fault(path.substr(0, slash))) return true;
  return false;
}

std::string seconds_text(std::chrono::milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  std::string text = std::to_string(tenths / 10);
  text.append(1, '.').append(1, static_cast<char>('0' + tenths % 10));
  return text.append(" s");
}

}  // namespace

void FolderSource::start_watch() {
  if (watch_ || options_.watch == WatchMode::poll) return;
  if (options_.watch == WatchMode::automatic && changed_elsewhere_) return;
  auto watch = [&] {
    const Touch touch(*this);
    return FolderWatch::start(options_.root);
  }();
  if (!watch) {
    if (now_.delay_why != watch.error().text())
      log_warning("source_polls", {{"source", options_.id}, {"reason", watch.error().text()}});
    now_.delay_why = watch.error().text();
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
  backlog_ = {};
  backlog_at_ = 0;
  refresh_open_ = false;
  refresh_due_ = Stopwatch::now() + options_.held_interval;
  const std::lock_guard lock(status_mutex_);
  watch_.reset();
}

Result<Listing> FolderSource::list_root() {
  const Touch touch(*this);
  const auto kind = folder_kind(options_.root);
  if (!kind) return pass_on(kind);
  changed_elsewhere_ = kind->changed_elsewhere;
  now_.file_system = kind->name;
  start_watch();  // before listing: what changes meanwhile is heard
  ListOptions how = options_.listing;
  how.pulse = &touching_;
  touching_.store(Stopwatch::now().time_since_epoch().count(), std::memory_order_relaxed);
  return list_folder(options_.root, how, stop_, [&](std::uint64_t files) {
    now_.progress_total = files;
    const std::lock_guard lock(status_mutex_);
    published_ = now_;
  });
}

void FolderSource::refresh() {
  refresh_began_ = Stopwatch::now();
  now_.refresh_started = clock_.now();
  if (now_.state != SourceState::held) {
    now_.state = SourceState::scanning;
    now_.message.clear();
  }
  now_.files_read = now_.files_unchanged = now_.bytes_read = now_.progress_done = now_.progress_total = 0;
  publish_status();
  auto listing = list_root();
  if (stop_) return;
  if (!listing) return hold(listing.error().text() + "; its orders stay as they were");
  const auto cost = std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - refresh_began_);
  Difference difference = hold_against_book(*listing, "");
  if (!root_is_trustworthy(*listing, difference.missing)) return;
  if (!all_is_heard() && !difference.gone.empty()) {
    // A file that moved while the folders were listed may be in none of them, and no event says so: who is missing is
    // looked for twice.
    listing = list_root();
    if (stop_) return;
    if (!listing) return hold(listing.error().text() + "; its orders stay as they were");
    const auto missed = std::exchange(difference, hold_against_book(*listing, "")).gone;
    std::erase_if(difference.gone, [&](const std::string& path) { return !std::ranges::binary_search(missed, path); });
    if (!root_is_trustworthy(*listing, difference.missing)) return;
  }
  pace_.listed(cost, !difference.appeared.empty() || !difference.changed.empty() || !difference.gone.empty());
  refresh_open_ = true;
  refresh_wrote_ = false;
  now_.state = SourceState::scanning;
  now_.message.clear();
  now_.progress_total = listing->files.size();
  note_faults(*listing, "");
  backlog_ = {};
  backlog_at_ = 0;
  take_difference(std::move(difference), *listing);
  reread_ = false;
  plan_next_listing();
}

// Where events work the listing only verifies; elsewhere it is how changes are found.
void FolderSource::plan_next_listing() {
  const bool all_heard = all_is_heard();
  const auto longest = std::chrono::milliseconds(now_.refresh_interval);
  const auto pause = all_heard ? longest : std::min(pace_.interval(), longest);
  refresh_due_ = Stopwatch::now() + pause;
  now_.refresh_next = clock_.now() + pause;
  if (all_heard) {
    now_.poll_interval = now_.delay_max = std::chrono::milliseconds(0);
    now_.delay_max = std::chrono::milliseconds(quiet_after_write);
    now_.delay_why = "file events tell at once when a writer closes its file; one that never closes it is read when it has been quiet for " +
                     seconds_text(quiet_after_write);
    return;
  }
  now_.poll_interval = pause;
  now_.delay_max = pause + pace_.cost() + options_.settle;
  const std::string often = "the folder is listed every " + seconds_text(pause) + ", which takes " + seconds_text(pace_.cost());
  if (options_.watch == WatchMode::poll) {
    now_.delay_why = "polling is configured (watch = poll): " + often;
  } else if (watch_) {
    now_.delay_why = watch_->unwatched_reason() + "; until then " + often;
  } else if (changed_elsewhere_) {
    now_.delay_why = "on " + now_.file_system + " file events would only tell what this machine changes: " + often;
  } else {
    now_.delay_why = "file events do not work here: " + often;
  }
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
      const bool still = std::ranges::binary_search(listing.faults, path, {}, &FolderFault::path);
      const bool is_file = book.known_file(options_.id, path) != nullptr;
      if (looked_at && !still && !is_file) book.fault_solved(options_.id, path);
    }
    for (const FolderFault& fault : listing.faults) book.fault(options_.id, fault, now);
  });
}

// Both are sorted by path. `below` is "" or a folder.
FolderSource::Difference FolderSource::hold_against_book(const Listing& listing, std::string_view below) {
  Difference difference;
  std::size_t at = 0;
  const auto known = [&](std::string_view path, const FileStamp& stamp) {
    for (; at < listing.files.size() && listing.files[at].path < path; ++at) difference.appeared.push_back(at);
    if (at == listing.files.size() || listing.files[at].path != path) {
      ++difference.missing;
      if (!explained(listing.faults, path)) difference.gone.emplace_back(path);
    } else {
      const FileStamp& now = listing.files[at].stamp;
      if (now == stamp && !reread_) {
        ++difference.unchanged;
      } else if (now.size == stamp.size && now.mtime_ns == stamp.mtime_ns && !reread_ && changed_elsewhere_) {
        difference.renumbered.push_back(at);
      } else {
        difference.changed.push_back(at);
      }
      ++at;
    }
  };
  intake_.with_book([&](OrderBook& book) {
    if (below.empty()) return book.each_stamp(options_.id, known);
    for (const std::string& path : book.files_below(options_.id, below)) {
      const store::FileRecord* file = book.known_file(options_.id, path);
      if (file != nullptr) known(path, stamp_of(*file));
    }
  });
  for (; at < listing.files.size(); ++at) difference.appeared.push_back(at);
  settle_renumbered(difference, listing);
  return difference;
}

// Some shares number their files anew with every mount. When most files have other numbers and nothing else changed,
// the numbers say nothing; when a few have, those were replaced.
void FolderSource::settle_renumbered(Difference& difference, const Listing& listing) {
  if (difference.renumbered.empty()) return;
  if (difference.renumbered.size() <= difference.unchanged) {
    difference.changed.insert(difference.changed.end(), difference.renumbered.begin(), difference.renumbered.end());
    return;
  }
  difference.unchanged += difference.renumbered.size();
  intake_.with_book([&](OrderBook& book) {
    for (const std::size_t at : difference.renumbered) book.file_touched(options_.id, listing.files[at].path, listing.files[at].stamp);
  });
}

// New and changed files wait to be read, missing ones to go. Takes paths out of the listing.
void FolderSource::take_difference(Difference difference, Listing& listing) {
  const TimePoint now = Stopwatch::now();
  const std::int64_t wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now().time_since_epoch()).count();
  now_.files_unchanged += difference.unchanged;
  files_unchanged_metric_.add(difference.unchanged);
  if (!removals_.empty())
    for (const ListedFile& file : listing.files) removals_.cancel(file.path);
  for (const std::string& path : difference.gone) expect_removal(path, now + (watch_ ? options_.removal_grace : 0ms));
  if (backlog_.empty()) {
    backlog_since_ = now;
    backlog_reread_ = reread_;
  }
  for (const std::size_t at : difference.changed) wait_for_reading(listing.files[at], now, wall_ns);
  for (const std::size_t at : difference.appeared)
    if (!recognise_move(listing.files[at].path, listing.files[at].stamp)) wait_for_reading(listing.files[at], now, wall_ns);
}

void FolderSource::wait_for_reading(ListedFile& file, TimePoint now, std::int64_t wall_ns) {
  for (const std::string& from : removals_.with_inode(file.stamp.inode))
    if (from != file.path) removals_.moved(from, file.path, now + options_.removal_grace);
  const PendingFile* waiting = pending_.find(file.path);
  if (waiting != nullptr && waiting->being_written) return;
  const bool closed = waiting != nullptr && waiting->closed;
  // The clock of a file server is not ours: what a later listing finds on a share is always looked at twice.
  const bool found_late = changed_elsewhere_ && now_.refresh_count > 0;
  const bool settled = closed || (!found_late && wall_ns - file.stamp.mtime_ns > std::chrono::nanoseconds(young).count());
  if (settled && waiting == nullptr) {
    backlog_.push_back(std::move(file));
    return;
  }
  pending_.change(file.path, [&](PendingFile& pending) {
    // What one listing found was seen before what the same listing misses.
    pending.since = std::min(pending.since, now);
    pending.reread |= reread_;
    pending.due = settled ? now : now + options_.settle;
    if (!settled) pending.seen = file.stamp;
  });
}

}  // namespace millrace::ingest
