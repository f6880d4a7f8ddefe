// What a FolderSource remembers about files on their way, and what was asked of it.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "ingest/folder_source.h"

namespace millrace::ingest {

// A file that waits: for its writer, for standing still, or for a free place at the parsers.
struct FolderSource::Pending {
  TimePoint since = Stopwatch::now();
  TimePoint due = TimePoint::max();
  bool being_written = false;
  bool closed = false;    // its writer closed it: complete
  bool reread = false;    // also when size, mtime and inode say unchanged
  int tries = 0;
  std::optional<FileStamp> seen;  // must be the same at the next look
};

struct FolderSource::InFlight {
  std::string path;
  FileStamp stamp;
  TimePoint since;
  int tries = 0;
  bool stale = false;  // written again while it was read
};

struct FolderSource::Removal {
  TimePoint due;
  std::uint64_t inode = 0;
};

inline FileStamp stamp_of(const store::FileRecord& file) { return {file.size, file.mtime_ns, file.inode}; }

// What other threads asked since the last step.
struct FolderSource::Requests {
  struct Taken {
    bool refresh = false, reread = false, pause = false, resume = false, accept_vanished = false;
    std::optional<std::chrono::seconds> interval;
    std::set<std::string> replay;
  };

  template <class Change>
  void put(Change change) {
    const std::lock_guard lock(mutex);
    change(asked);
  }
  Taken take() {
    const std::lock_guard lock(mutex);
    return std::exchange(asked, {});
  }
  void wake() {
    {
      const std::lock_guard lock(mutex);
      woken = true;
    }
    changed.notify_all();
  }
  template <class Ready>
  void wait(std::chrono::milliseconds patience, Ready ready) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, patience, [&] { return woken || ready(); });
    woken = false;
  }

  std::mutex mutex;
  std::condition_variable changed;
  // guarded by mutex
  Taken asked;
  bool woken = false;
};

}  // namespace millrace::ingest
