// What a FolderSource remembers of files on their way: those that wait to be read and those that seem to be gone.
//
// Invariants
//   * Each file is kept once, and the next one that is due is found without looking at the others: 100,000 changes at
//     once cost each step no more than one.
//   * No clock and no file system: moments come from the caller. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "ingest/folder.h"

namespace millrace::ingest {

// A file that waits: for its writer, for standing still, or for a free place at the parsers.
struct PendingFile {
  Stopwatch::time_point since = Stopwatch::now();
  Stopwatch::time_point due = Stopwatch::time_point::max();
  bool being_written = false;
  bool closed = false;         // its writer closed it: complete
  bool reread = false;         // also when size, mtime and inode say unchanged
  bool after_reading = false;  // due as soon as the reading under way has ended
  int tries = 0;
  std::optional<FileStamp> seen;  // must be the same at the next look

  // Whether the content decides although size, mtime and inode say unchanged: a writer was heard, and who writes in
  // place can set the time back.
  bool content_decides() const { return reread || closed || being_written; }
};

class PendingFiles {
 public:
  using TimePoint = Stopwatch::time_point;

  const PendingFile* find(const std::string& path) const;
  bool empty() const { return files_.empty(); }
  std::size_t size() const { return files_.size(); }
  // Files that do not wait for their writer.
  std::size_t ready_count() const { return by_since_.size(); }

  // Adds the file when it is not waiting yet; `change` then writes to it.
  template <class Change>
  void change(const std::string& path, Change change) {
    const auto [at, added] = files_.try_emplace(path);
    if (!added) unlink(*at);
    change(at->second);
    link(*at);
  }
  void erase(const std::string& path);
  void clear();

  TimePoint next_due() const;  // max when nothing ever is
  // The path that is due first; nothing when none is due at `now`.
  std::optional<std::string> first_due(TimePoint now) const;
  PendingFile take(const std::string& path);
  // Since when the oldest file waits that does not wait for its writer; max when there is none.
  TimePoint oldest() const;

 private:
  using Files = std::map<std::string, PendingFile>;
  using Order = std::set<std::pair<TimePoint, const Files::value_type*>>;
  void link(const Files::value_type& file);
  void unlink(const Files::value_type& file);

  Files files_;
  Order by_due_;
  Order by_since_;
};

// Files that went away, and may only have moved.
class ExpectedRemovals {
 public:
  using TimePoint = Stopwatch::time_point;

  bool empty() const { return removals_.empty(); }
  std::size_t size() const { return removals_.size(); }
  // The first word counts: a file that is expected to go already keeps its moment.
  void expect(const std::string& path, TimePoint due, std::uint64_t inode);
  void cancel(const std::string& path);
  void clear();
  std::vector<std::string> with_inode(std::uint64_t inode) const;

  TimePoint next_due() const;  // max when there is none
  std::string take_first();    // not empty

 private:
  struct Removal {
    TimePoint due;
    std::uint64_t inode = 0;
  };
  using Removals = std::map<std::string, Removal>;

  Removals removals_;
  std::set<std::pair<TimePoint, const Removals::value_type*>> by_due_;
  std::multimap<std::uint64_t, const Removals::value_type*> by_inode_;
};

}  // namespace millrace::ingest
