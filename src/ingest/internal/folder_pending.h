// What a FolderSource remembers of files on their way: those that wait to be read and those that seem to be gone.
//
// Invariants
//   * Each file is kept once, and the next one that is due is found without looking at the others: 100,000 changes at
//     once cost each step no more than one.
//   * No clock and no file system: moments come from the caller. One thread.
#pragma once
#include <cstdint>
#include <deque>
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
//
// A file that is known to lie at another place now has a target: while that is on its way - perhaps being rewritten by a
// writer who takes his time - its order must not be shown as gone.
class ExpectedRemovals {
 public:
  using TimePoint = Stopwatch::time_point;

  bool empty() const { return removals_.empty(); }
  std::size_t size() const { return removals_.size(); }
  // The first word counts: a file that is expected to go already keeps its moment.
  void expect(const std::string& path, TimePoint due, std::uint64_t inode);
  // Not before `due`, for the file itself and for those that were moved to its place; nothing happens when none is.
  void postpone(const std::string& path, TimePoint due);
  // What lay at `from` lies at `to` now; also what had been moved to `from` before. Due at `due`.
  void moved(const std::string& from, const std::string& to, TimePoint due);
  void cancel(const std::string& path);
  void clear();
  std::vector<std::string> with_inode(std::uint64_t inode) const;

  TimePoint next_due() const;  // max when there is none
  // Of the one that is due first; there must be one.
  const std::string& first() const;
  const std::string& first_target() const;  // empty: it went nowhere that is known
  std::string take_first();

 private:
  struct Removal {
    TimePoint due;
    std::uint64_t inode = 0;
    std::string target;
  };
  using Removals = std::map<std::string, Removal>;
  using ByTarget = std::multimap<std::string, Removals::value_type*, std::less<>>;
  void set_due(Removals::value_type& removal, TimePoint due);
  void set_target(Removals::value_type& removal, const std::string& target);
  std::vector<Removals::value_type*> at_or_moved_to(const std::string& path);

  Removals removals_;
  std::set<std::pair<TimePoint, const Removals::value_type*>> by_due_;
  std::multimap<std::uint64_t, const Removals::value_type*> by_inode_;
  ByTarget by_target_;  // those that have one
};

// Renames of which one half was heard: the kernel tells both halves one after the other, and whoever renames can be
// interrupted in between.
class HalfMoves {
 public:
  using TimePoint = Stopwatch::time_point;

  explicit HalfMoves(Stopwatch::duration patience) : patience_(patience) {}
  void left(std::uint32_t cookie, const std::string& path, TimePoint now);
  // Where the file that arrived with `cookie` came from; nothing when it came from outside.
  std::optional<std::string> arrived(std::uint32_t cookie);

 private:
  struct Half {
    std::uint32_t cookie;
    std::string path;
    TimePoint since;
  };

  Stopwatch::duration patience_;
  std::deque<Half> halves_;  // oldest first; what is older than the patience went out of the tree
};

}  // namespace millrace::ingest
