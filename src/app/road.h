// The road without its screens: record -> applier -> read model, with the sources at its start.
//
//   Sources ── commit ──> Record ── on_commit ──> queue ──> applier ──> ReadModel ──> whoever follows
//
// Invariants
//   * Starting reads top to bottom: open, start_sources, follow; stopping is starting in reverse.
//   * Changes reach the read model in commit order through one bounded queue; a slow applier slows the writer.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/settings.h"
#include "base/bounded_queue.h"
#include "ingest/sources.h"
#include "metrics/metrics.h"
#include "readmodel/read_model.h"
#include "store/record.h"

namespace millrace::app {

class Road {
 public:
  struct Loaded {
    std::uint64_t changes = 0;
    std::chrono::milliseconds took{0};
  };
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  // Hears what was published, on the applier's thread, in order.
  using Listener = std::function<void(const std::vector<feed::Change>& changes, const readmodel::SnapshotPtr& snapshot)>;

  // Opens the record and brings the read model up to date.
  // Errors   those of open_sqlite_record; corrupt when a stored change is damaged
  static Result<std::unique_ptr<Road>> open(const Settings& settings, const Clock& clock, const Progress& progress);
  ~Road();
  // Errors   those of Sources::start. `news` is called by any source's thread when its state or a refresh ended.
  Result<void> start_sources(const Settings& settings, const Clock& clock, std::function<void()> news);
  // From now on committed changes are applied; those that came earlier wait in the queue.
  void follow(Listener listener);
  void stop();

  store::Record& record() { return *record_; }
  ingest::Control& control() { return *sources_; }
  metrics::Registry& metrics() { return metrics_; }
  readmodel::SnapshotPtr snapshot() const { return model_.current(); }
  std::vector<ingest::SourceStatus> sources() const { return sources_->sources(); }
  Loaded loaded() const { return loaded_; }
  // The read model could not follow the feed: what it shows stands still.
  bool broken() const { return broken_; }

 private:
  Road() = default;
  Result<void> load(const Progress& progress);
  // One turn of the applier; false when the queue is closed and empty.
  bool apply_step();

  static constexpr std::size_t apply_queue_bound = 256;  // batches

  metrics::Registry metrics_;
  readmodel::ReadModel model_;
  std::unique_ptr<store::Record> record_;
  BoundedQueue<std::vector<feed::Change>> committed_{apply_queue_bound};
  std::unique_ptr<ingest::Sources> sources_;
  Listener listener_;
  std::thread applier_;
  std::atomic<bool> broken_{false};
  std::atomic<bool> stopped_{false};
  Loaded loaded_;
};

}  // namespace millrace::app
