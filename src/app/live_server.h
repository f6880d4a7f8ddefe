// The road wired together: record -> applier -> read model -> server, with the sources at its start.
//
//   Sources ── commit ──> Record ── on_commit ──> queue ──> applier ──> ReadModel ──> Server (HTTP, live clients)
//
// Invariants
//   * Starting reads top to bottom; stopping is starting in reverse.
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
#include "cache/cache.h"
#include "ingest/sources.h"
#include "metrics/metrics.h"
#include "readmodel/read_model.h"
#include "server/server.h"
#include "store/record.h"

namespace millrace::app {

class LiveServer {
 public:
  struct Loaded {
    std::uint64_t changes = 0;
    std::chrono::milliseconds took{0};
  };

  // Opens the record, brings the read model up to date, starts HTTP, then the sources.
  // Errors   those of open_sqlite_record, Server::start and Sources::start; corrupt when a stored change is damaged
  static Result<std::unique_ptr<LiveServer>> start(const Settings& settings, const Clock& clock,
                                                   const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);
  ~LiveServer();
  // Finishes what runs within `patience`.
  void stop(std::chrono::milliseconds patience);

  std::string address() const { return server_->address(); }
  Loaded loaded() const { return loaded_; }
  std::vector<ingest::SourceStatus> sources() const { return sources_->sources(); }
  void refresh_all();

 private:
  LiveServer() = default;
  Result<void> load(const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);
  Result<void> start_sources(const Settings& settings, const Clock& clock);
  Result<void> start_server(const Settings& settings, const Clock& clock);
  void apply_loop();
  // One turn of the applier; false when the queue is closed and empty.
  bool apply_step();
  bool ready(std::string& why_not) const;

  static constexpr std::size_t apply_queue_bound = 256;  // batches

  metrics::Registry metrics_;
  std::unique_ptr<cache::MemoryCache> results_;
  readmodel::ReadModel model_;
  std::unique_ptr<store::Record> record_;
  BoundedQueue<std::vector<feed::Change>> committed_{apply_queue_bound};
  std::unique_ptr<ingest::Control> control_;  // what the server sees of the sources, also before they stand
  ingest::Sources* sources_ = nullptr;
  std::unique_ptr<server::Server> server_;
  std::thread applier_;
  std::atomic<bool> broken_{false};  // the read model could not follow the feed
  std::atomic<bool> stopped_{false};
  Loaded loaded_;
};

}  // namespace millrace::app
