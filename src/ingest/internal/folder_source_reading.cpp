// Settling and reading the files of a folder source, and recognising moves.
#include <algorithm>

#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto first_look_again = 5ms;
constexpr int read_tries_max = 40;  // a file that never stands still is reported after so many readings
// Answers taken into one commit: bounds the transaction and keeps the first screen quick during a first load.
constexpr std::size_t answers_per_commit = 1000;

bool refused_only(const ParsedDocument& document) {
  return document.orders.empty() && std::any_of(document.findings.begin(), document.findings.end(), [](const Finding& finding) {
           return finding.outcome == feed::Outcome::reject;
         });
}

// The parsers could not do their work, whatever the document is.
const Finding* held_finding(const ParsedDocument& document) {
  const auto found = std::ranges::find(document.findings, feed::Outcome::held, &Finding::outcome);
  return found == document.findings.end() ? nullptr : &*found;
}

}  // namespace

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
  InFlight flight{path, opened->stamp, pending.since, pending.tries, false};
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
  if (const auto held = held_finding(answer.document); held != nullptr) {
    // Nothing is wrong with the document: it is reported, nothing leaves the book, and it is asked for again.
    Pending& pending = wait_again();
    pending.reread = true;
    pending.due = now + options_.held_interval;
    intake_.with_book([&](OrderBook& book) { book.fault(options_.id, {flight.path, held->reason, false}, clock_.now()); });
    return;
  }
  intake_.with_book([&](OrderBook& book) {
    if (answer.unchanged) return book.file_touched(options_.id, flight.path, flight.stamp);
    if (refused_only(answer.document)) files_refused_metric_.add();
    book.file_read(options_.id, {flight.path, flight.stamp, answer.hash, std::move(answer.document)}, clock_.now());
  });
}

}  // namespace millrace::ingest
