// Settling and reading the files of a folder source, and recognising moves.
#include <algorithm>
#include <system_error>
#include <thread>

#include "ingest/internal/folder_source_state.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto first_look_again = 5ms;
constexpr int stale_tries_max = 3;  // readings that came too late, before one of a whole version counts all the same
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
  if (inode) removals_.expect(path, due, *inode);
}

// A file that appears with size, mtime and inode of one that went away is the same file under another name.
bool FolderSource::recognise_move(const std::string& path, const FileStamp& stamp) {
  if (removals_.empty()) return false;
  for (const std::string& from : removals_.with_inode(stamp.inode)) {
    const bool moved = intake_.with_book([&](OrderBook& book) {
      const store::FileRecord* file = book.known_file(options_.id, from);
      if (file == nullptr || !(stamp_of(*file) == stamp)) return false;
      return book.file_moved(options_.id, from, path, stamp).has_value();
    });
    if (!moved) continue;
    removals_.cancel(from);
    return true;
  }
  return false;
}

// Fresh saves first, then what a listing found.
bool FolderSource::submit_ready() {
  if (commit_blocked_) return false;
  bool any = false;
  const TimePoint now = Stopwatch::now();
  while (may_read_more() && !stop_) {
    if (const auto path = pending_.first_due(now)) {
      if (reading_.contains(*path)) {
        pending_.change(*path, [](PendingFile& file) {
          file.due = TimePoint::max();
          file.after_reading = true;
        });
      } else {
        begin_reading(*path, pending_.take(*path));
      }
    } else if (const auto listed = next_of_backlog()) {
      PendingFile file;
      file.since = backlog_since_;
      file.reread = backlog_reread_;
      begin_reading(*listed, std::move(file));
    } else {
      break;
    }
    any = true;
  }
  return any;
}

std::optional<std::string> FolderSource::next_of_backlog() {
  while (backlog_at_ < backlog_.size()) {
    std::string path = std::move(backlog_[backlog_at_++].path);
    // What happened to it since the listing is known better.
    if (pending_.find(path) == nullptr && !reading_.contains(path)) return path;
  }
  backlog_ = {};
  backlog_at_ = 0;
  return std::nullopt;
}

std::optional<store::FileRecord> FolderSource::known_file(const std::string& path) {
  return intake_.with_book([&](OrderBook& book) -> std::optional<store::FileRecord> {
    const store::FileRecord* file = book.known_file(options_.id, path);
    return file == nullptr ? std::nullopt : std::optional(*file);
  });
}

// Where trips are slow the file is opened and read by others, and taken in `take_reads`.
void FolderSource::begin_reading(const std::string& path, PendingFile file) {
  const std::uint64_t id = ++next_job_;
  InFlight flight{path, std::move(file), {}, false, 0};
  if (changed_elsewhere_) {
    FolderReader::Request request{id, path, std::nullopt, flight.file.seen};
    if (const auto known = known_file(path); known && !flight.file.content_decides()) request.unread_when = stamp_of(*known);
    if (reader_.submit(std::move(request))) {
      reading_.emplace(path, id);
      in_flight_.emplace(id, std::move(flight));
      return;
    }
  }
  auto opened = [&] {
    const Touch touch(*this);
    return open_below(options_.root, path);
  }();
  if (!stop_) take_opened(id, std::move(flight), std::move(opened));
}

// The stamp decides whether the content is needed, unless a writer was heard.
void FolderSource::take_opened(std::uint64_t id, InFlight flight, Result<OpenedFile> opened) {
  const std::string& path = flight.path;
  if (!opened) {
    reader_.release(flight.bytes_held);
    return refuse_opening(path, opened.error());
  }
  flight.stamp = opened->stamp;
  const auto known = known_file(path);
  const bool unchanged = known && stamp_of(*known) == flight.stamp && !flight.file.content_decides();
  if (flight.file.seen && !(*flight.file.seen == flight.stamp)) {
    wait_again(flight, [&](PendingFile& file) {  // still moving: look again
      file.seen = flight.stamp;
      file.tries = flight.file.tries;
      file.due = Stopwatch::now() + options_.settle;
    });
  } else if (unchanged) {
    intake_.with_book([&](OrderBook& book) {
      if (std::ranges::count(book.faulty_paths(options_.id), path) > 0) book.file_touched(options_.id, path, flight.stamp);
    });
  } else if (known || !recognise_move(path, flight.stamp)) {
    ParseJob job;
    job.id = id;
    job.file = std::move(opened->fd);
    job.name = path;
    if (known && !flight.file.reread) job.known_hash = known->hash;
    reading_.emplace(path, id);
    in_flight_bytes_ += flight.stamp.size;
    in_flight_.emplace(id, std::move(flight));
    pool_.submit(std::move(job));
    return;
  }
  reader_.release(flight.bytes_held);
}

void FolderSource::refuse_opening(const std::string& path, const Error& error) {
  if (error.code() == ErrorCode::not_found) {
    expect_removal(path, Stopwatch::now() + options_.removal_grace);
  } else if (error.code() != ErrorCode::invalid_input) {  // not a regular file: nothing to read
    intake_.with_book([&](OrderBook& book) { book.fault(options_.id, {path, error.text(), false}, clock_.now()); });
  }
}

// Waiting again keeps its first moment: a removal that came later goes on waiting for it.
template <class Change>
void FolderSource::wait_again(const InFlight& flight, Change change) {
  pending_.change(flight.path, [&](PendingFile& file) {
    file.since = std::min(file.since, flight.file.since);
    file.reread |= flight.file.reread;
    change(file);
  });
}

std::optional<FolderSource::InFlight> FolderSource::end_reading(std::uint64_t id) {
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) return std::nullopt;
  std::optional<InFlight> flight(std::move(found->second));
  in_flight_.erase(found);
  in_flight_bytes_ -= flight->stamp.size;
  reading_.erase(flight->path);
  if (const PendingFile* waiting = pending_.find(flight->path); waiting != nullptr && waiting->after_reading) {
    pending_.change(flight->path, [](PendingFile& file) {
      file.due = Stopwatch::now();
      file.after_reading = false;
    });
  }
  return flight;
}

// What the reader's threads opened and read.
bool FolderSource::take_reads() {
  if (commit_blocked_) return false;
  bool any = false;
  while (auto read = reader_.try_take()) {
    any = true;
    auto flight = end_reading(read->id);
    if (!flight) {
      reader_.release(read->bytes_held);
      continue;
    }
    flight->bytes_held = read->bytes_held;
    if (!flight->stale && !read->moved_while_read) {
      take_opened(read->id, std::move(*flight), std::move(read->file));
      continue;
    }
    reader_.release(read->bytes_held);
    wait_again(*flight, [&](PendingFile& file) {
      file.tries = flight->file.tries + 1;
      if (!file.being_written) file.due = std::min(file.due, Stopwatch::now() + options_.settle);
    });
  }
  return any;
}

// On a share many are asked for at once.
std::vector<Result<FileStamp>> FolderSource::stamps_of(const std::vector<std::string>& paths) {
  const Touch touch(*this);
  std::vector<Result<FileStamp>> stamps(paths.size(), Result<FileStamp>(fail(ErrorCode::cancelled, "not asked")));
  std::atomic<std::size_t> next{0};
  const auto ask = [&] {
    for (std::size_t i = next.fetch_add(1); i < paths.size() && !stop_; i = next.fetch_add(1)) stamps[i] = stamp_below(options_.root, paths[i]);
  };
  std::vector<std::jthread> helpers;
  const std::size_t helpers_max = changed_elsewhere_ ? std::min(paths.size() / 4, options_.listing.thread_count_max) : 0;
  while (helpers.size() < helpers_max) {
    try {
      helpers.emplace_back(ask);
    } catch (const std::system_error&) {
      break;  // fewer do the same work
    }
  }
  ask();
  helpers.clear();
  return stamps;
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
  const auto ended = end_reading(answer.id);
  if (!ended) return;
  const InFlight& flight = *ended;
  reader_.release(flight.bytes_held);
  if (refresh_open_) {
    now_.bytes_read += answer.bytes;
    ++now_.files_read;
  }
  files_read_metric_.add();
  const TimePoint now = Stopwatch::now();
  const int tries = flight.file.tries;
  if (flight.stale) {
    bool whole = tries >= stale_tries_max && !answer.moved_while_read && !refused_only(answer.document);
    wait_again(flight, [&](PendingFile& file) {
      file.tries = std::max(file.tries, tries + 1);
      whole = whole && !file.being_written;
      if (!file.being_written) file.due = std::min(file.due, now);
    });
    // A file that is replaced faster than it is read would never be seen: what stood still while it was read is a
    // whole version of it, and the next reading is on its way.
    if (!whole) return;
  }
  const bool fresh = clock_.now() - Instant{std::chrono::milliseconds{flight.stamp.mtime_ns / 1'000'000}} < 10s;
  const bool retry = answer.moved_while_read ? tries < read_tries_max : fresh && tries == 0 && refused_only(answer.document);
  if (retry) {
    return wait_again(flight, [&](PendingFile& file) {
      file.tries = tries + 1;
      file.reread = true;
      // Most often only the time stamp was set right after the content: look again soon, then more and more slowly.
      file.due = now + (answer.moved_while_read ? std::min(options_.settle, first_look_again * (1 << std::min(tries, 10))) : options_.retry_delay);
    });
  }
  if (const auto held = held_finding(answer.document); held != nullptr) {
    // Nothing is wrong with the document: it is reported, nothing leaves the book, and it is asked for again.
    wait_again(flight, [&](PendingFile& file) {
      file.reread = true;
      file.due = now + options_.held_interval;
    });
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
