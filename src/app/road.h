// The road without its screens: record -> applier -> read model, with the sources at its start.
//
//   Sources ── commit ──> Record ── on_commit ──> queue ──> applier ──> ReadModel ──> whoever follows
//                           └──────────── warm-start file <── WarmKeeper ──┘
//
// Invariants
//   * Starting reads top to bottom: open, follow; stopping is starting in reverse.
//   * Read model and order book come from the warm-start file and what the record says since; without a file that is
//     whole and ours they come from the record alone, and are the same.
//   * Changes reach the read model in commit order through one bounded queue; a slow applier slows the writer.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/settings.h"
#include "app/warm_file.h"
#include "app/warm_keeper.h"
#include "base/bounded_queue.h"
#include "ingest/finance_desk.h"
#include "ingest/finance_writer.h"
#include "ingest/push_desk.h"
#include "ingest/sources.h"
#include "metrics/metrics.h"
#include "readmodel/read_model.h"
#include "store/record.h"

namespace millrace::app {

class Road {
 public:
  struct Loaded {
    std::uint64_t changes = 0;       // read from the record
    feed::Sequence warm_as_of;       // 0: no warm start
    std::chrono::microseconds took{0};
  };
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  // Hears what was published, on the applier's thread, in order.
  using Listener = std::function<void(const std::vector<feed::Change>& changes, const readmodel::SnapshotPtr& snapshot)>;

  // Opens the record, brings the read model up to date and, beside that, starts the sources. `news` is called by any
  // source's thread when its state changed or a refresh ended.
  // Errors   those of open_sqlite_record and Sources::start; corrupt when a stored change is damaged
  static Result<std::unique_ptr<Road>> open(const Settings& settings, const Clock& clock, const Progress& progress,
                                            std::function<void()> news);
  ~Road();
  // From now on committed changes are applied; those that came earlier wait in the queue.
  void follow(Listener listener);
  void stop();

  store::Record& record() { return *record_; }
  ingest::Control& control() { return *sources_; }
  ingest::PushDoor& push() { return push_; }
  ingest::OverlayDoor& overlays() { return sources_->overlays(); }
  ingest::FinanceDoor& finance() { return *finance_desk_; }
  ingest::FinanceWriter& finance_writer() { return *finance_writer_; }  // of everybody who writes finance documents
  metrics::Registry& metrics() { return metrics_; }
  readmodel::SnapshotPtr snapshot() const { return model_.current(); }
  std::vector<ingest::SourceStatus> sources() const { return sources_->sources(); }
  Loaded loaded() const { return loaded_; }
  // The read model could not follow the feed: what it shows stands still.
  bool broken() const { return broken_; }

 private:
  Road() = default;
  Result<void> load(feed::Sequence last, const Progress& progress);
  void load_warm();
  Result<void> start_sources(const Settings& settings, const Clock& clock, std::function<void()> news);
  void note_refused_warm(const Error& why);
  bool looked() const;
  // One turn of the applier; false when the queue is closed and empty.
  bool apply_step();
  std::optional<std::vector<feed::Change>> next_batch(bool only_bulk, std::size_t held);

  static constexpr std::size_t apply_queue_bound = 8;  // batches; one may hold thousands of orders

  metrics::Registry metrics_;
  readmodel::ReadModel model_;
  std::unique_ptr<store::Record> record_;
  std::unique_ptr<ingest::FinanceWriter> finance_writer_;
  std::unique_ptr<ingest::FinanceDesk> finance_desk_;
  std::string warm_path_;
  std::shared_ptr<const WarmFile> warm_;  // while starting
  WarmKeeper::Written warm_written_;
  std::atomic<bool> warm_refused_{false};
  BoundedQueue<std::vector<feed::Change>> committed_{apply_queue_bound};
  ingest::PushDesk push_;
  std::unique_ptr<ingest::Sources> sources_;
  std::unique_ptr<WarmKeeper> keeper_;
  std::atomic<WarmKeeper*> keeper_heard_{nullptr};
  // A source whose folder hangs may be left behind by stop: what it tells later is heard by nobody.
  struct NewsGate {
    std::mutex mutex;
    bool open = true;  // guarded by mutex
  };
  const std::shared_ptr<NewsGate> news_gate_ = std::make_shared<NewsGate>();
  Listener listener_;
  std::thread applier_;
  Stopwatch::time_point published_{};  // the last Snapshot; of the applier alone
  std::atomic<bool> broken_{false};
  std::atomic<bool> stopped_{false};
  Loaded loaded_;
};

}  // namespace millrace::app
