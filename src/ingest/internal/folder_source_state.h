// What a FolderSource remembers about files on their way, and what was asked of it.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "ingest/folder_source.h"

namespace millrace::ingest {

struct FolderSource::InFlight {
  std::string path;
  PendingFile file;  // as it waited
  FileStamp stamp;
  bool stale = false;  // written again while it was read
  std::uint64_t bytes_held = 0;  // of the reader
};

// A listing held against what is known.
struct FolderSource::Difference {
  std::vector<std::size_t> appeared;  // by their places in the listing
  std::vector<std::size_t> changed;
  std::vector<std::size_t> renumbered;  // same size and time under another inode, on a share
  std::vector<std::string> gone;      // and no fault explains it
  std::uint64_t missing = 0;          // explained or not
  std::uint64_t unchanged = 0;
};

// While it lives the stepping thread waits for the folder.
class FolderSource::Touch {
 public:
  explicit Touch(const FolderSource& source) : touching_(source.touching_) {
    touching_.store(Stopwatch::now().time_since_epoch().count(), std::memory_order_relaxed);
  }
  Touch(const Touch&) = delete;
  Touch& operator=(const Touch&) = delete;
  ~Touch() { touching_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<Stopwatch::rep>& touching_;
};

// Writers that never close: after this long without a further write the file is read as it is.
inline constexpr std::chrono::milliseconds quiet_after_write{10'000};

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
