// Keeps the warm-start file near the record: writes it in the background after the first look at the sources, when
// much has changed, every few minutes when anything has, and at a clean stop.
//
// Invariants
//   * Never in the way: the read model is a Snapshot, the book an image that shares its memory; writing holds no lock.
//   * A write that fails is counted and logged, tried again later, and harms nothing.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "ingest/intake.h"
#include "metrics/metrics.h"
#include "readmodel/snapshot.h"
#include "store/record.h"

namespace millrace::app {

struct WarmKeeperOptions {
  std::string path;
  std::chrono::milliseconds interval{120'000};     // between two writes of small changes
  std::chrono::milliseconds retry_delay{10'000};   // after a failure
  std::uint64_t changes_min = 2'000;               // so many changes, or a tenth of the orders, do not wait for it
};

class WarmKeeper {
 public:
  // How far the file is.
  struct Written {
    feed::Sequence sequence;
    std::uint64_t revision = 0;  // 0: there is no file that could be used
  };
  // `looked` says whether the first look at the sources has ended; `written` is the file this start was made from.
  WarmKeeper(WarmKeeperOptions options, store::Record& record, ingest::Intake& intake, metrics::Registry& metrics,
             std::function<readmodel::SnapshotPtr()> snapshot, std::function<bool()> looked, Written written);
  ~WarmKeeper();

  // Starts the background thread.
  void start();
  // The sources have been looked at, or changes were published: perhaps it is time.
  void nudge();
  // Ends the thread; then writes once more when anything changed.
  void stop();

  // Writes now when the file is behind; waits so long for a moment in which the book has nothing to commit. Answers
  // whether it wrote. Not beside the thread.
  bool write_if_behind(std::chrono::milliseconds patience);

 private:
  void loop();
  bool due(std::chrono::steady_clock::time_point now) const;
  readmodel::SnapshotPtr snapshot_near(feed::Sequence wanted, std::chrono::milliseconds patience);

  // fixed after construction
  const WarmKeeperOptions options_;
  store::Record& record_;
  ingest::Intake& intake_;
  metrics::Registry& metrics_;
  const std::function<readmodel::SnapshotPtr()> snapshot_;
  const std::function<bool()> looked_;

  // used by the thread, and by `stop` after it
  Written written_;
  std::chrono::steady_clock::time_point not_before_{};
  std::chrono::steady_clock::time_point written_at_ = std::chrono::steady_clock::now();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool nudged_ = false, stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace millrace::app
