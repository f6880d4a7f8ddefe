// Listing a folder source: what is new, changed, missing or unreadable, and whether the root can be trusted.
#include <algorithm>

#include "base/log.h"
#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

// A file whose mtime is younger than this may still be written by somebody whose close we cannot see.
constexpr auto young = 2s;

bool below_folder(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace

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
    // Seen no later than what this listing misses: a document that was rewritten and moved is read before it may go.
    pending.since = std::min(pending.since, now);
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

}  // namespace millrace::ingest
