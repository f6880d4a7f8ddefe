// The durable queue: what waits, runs and has ended, as kept rows of the record.
//
//   enqueue(batch, wish) ── the caller commits ──> waiting ── take ──> running ── complete / fail / died / release ──> ...
//
// Invariants
//   * A job is a row of the caller's batch: a batch that fails or is given up leaves no job, one that commits leaves
//     exactly one, also when the server ends in that moment.
//   * The end of a job, its effect's rows and its result are one transaction under the lease of the try that made them.
//     A try whose lease is over is told so (conflict) and has changed nothing.
//   * One change of a job at a time: it is `busy` while its row is on the way. No lock is held over a commit, so changes
//     of several jobs share one.
//   * What ran when the server ended waits again at the next start; with its tries used up it is a dead letter.
//   * Bounded: live_max jobs that have not ended, ended_max, ended_age_max and
//     results_bytes_max for those that have.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "jobs/control.h"
#include "jobs/internal/queue_index.h"
#include "jobs/kind.h"
#include "jobs/result_files.h"
#include "jobs/retry.h"
#include "metrics/metrics.h"
#include "store/record.h"

namespace millrace::jobs {

struct QueueOptions {
  std::size_t live_max = 10'000;
  std::size_t ended_max = 10'000;
  std::chrono::hours ended_age_max{7 * 24};
  std::uint64_t results_bytes_max = 4ull << 30;  // of all result files; the oldest jobs go first
  std::string results_folder;
  std::uint64_t seed = 0;  // of the spread of retries; 0 draws one
};

class Queue;

// A job in a batch that is not committed yet. Given up unless `committed` is called. The queue outlives it.
class PendingJob {
 public:
  PendingJob(PendingJob&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), enqueued_(std::move(other.enqueued_)) {}
  PendingJob& operator=(PendingJob&&) = delete;
  ~PendingJob();
  const Enqueued& enqueued() const { return enqueued_; }
  // The batch is in the record.
  void committed();

 private:
  friend class Queue;
  PendingJob(Queue* queue, Enqueued enqueued) : queue_(queue), enqueued_(std::move(enqueued)) {}
  Queue* queue_;  // nullptr: nothing to settle
  Enqueued enqueued_;
};

class Queue {
 public:
  // Loads what the record holds; removes result files that belong to no job. All references outlive the queue.
  // Errors   corrupt  a stored job cannot be read;  unavailable  the folder for results
  static Result<std::unique_ptr<Queue>> open(QueueOptions options, std::vector<KindRow> kinds, store::Record& record,
                                             metrics::Registry& metrics, const Clock& clock);

  // ---- wishes. Errors as Control::enqueue
  Result<PendingJob> enqueue(store::Batch& batch, NewJob wish);
  Result<Enqueued> enqueue(NewJob wish);

  // ---- for those who run jobs
  // Starts the next job of the place, waiting for one up to `patience`.
  std::optional<Job> take(Place place, std::chrono::milliseconds patience);
  // What is said under an old lease is not heard.
  void report(const std::string& id, std::uint64_t lease, Progress progress);
  void heartbeat(const std::string& id, std::uint64_t lease);
  // Somebody wants this try to end, or its lease is over.
  bool stop_wanted(const std::string& id, std::uint64_t lease) const;
  // Ends of a try. Errors of all: conflict  the lease is over: nothing was changed
  //                               those of Record::commit: nothing was changed, say it again
  Result<void> complete(const std::string& id, std::uint64_t lease, Outcome outcome);
  Result<void> failed(const std::string& id, std::uint64_t lease, bool again, std::string reason);
  Result<void> died(const std::string& id, std::uint64_t lease, std::string reason);
  Result<void> release(const std::string& id, std::uint64_t lease);  // the server stops: no try was used up
  Result<void> cancelled(const std::string& id, std::uint64_t lease);
  // Nothing is taken any more and nobody waits.
  void stop();
  // Forgets what ended long ago, some at a time.
  Result<void> forget_old();

  // ---- for people, as jobs/control.h says
  Result<Job> show(const std::string& id) const;
  Result<JobPage> list(const JobQuery& query) const;
  JobCounts counts() const;
  std::vector<KindStatus> kinds() const;
  bool paused() const;
  std::uint64_t revision() const { return revision_.load(std::memory_order_relaxed); }
  Result<Job> wait_for_end(const std::string& id, std::chrono::milliseconds patience) const;
  Result<Job> cancel(const std::string& id);
  Result<Job> retry(const std::string& id);
  Result<void> set_paused(const std::string& kind, bool paused);

  const KindRow* find_kind(const std::string& name) const;
  // Errors   not_found  the text lists the kinds
  Result<const KindRow*> kind_of(const std::string& name) const;
  const ResultFiles& results() const { return results_; }

 private:
  friend class PendingJob;
  using Decide = std::function<Result<void>(Job& next)>;
  using Prepare = std::function<void(Job& next, store::Batch& batch)>;

  Queue(QueueOptions options, std::vector<KindRow> kinds, store::Record& record, metrics::Registry& metrics, const Clock& clock);
  Result<void> load();
  void take_in(Job job);
  Result<std::string> checked(const NewJob& wish, const KindRow& kind) const;
  std::optional<Result<Enqueued>> known_wish(std::unique_lock<std::mutex>& lock, const Job& job, UniqueRule rule, const void* batch);
  void settle(const std::string& id, bool committed);
  std::string next_id();

  LiveJob* settled(std::unique_lock<std::mutex>& lock, const std::string& id);
  // Changes a live job in the record and then here: `decide` under the lock, `prepare` without it.
  Result<Job> change(const std::string& id, const Decide& decide, const Prepare& prepare = {});
  Result<Job> change_busy(std::unique_lock<std::mutex>& lock, LiveJob& entry, Job next, const Prepare& prepare);
  // Changes an ended job, which may wait again after it.
  Result<Job> change_ended(const std::string& id, const Decide& decide);
  void apply(LiveJob& entry, const Job& next);
  Decide under_lease(std::uint64_t lease, const Decide& decide) const;
  void end_try(Job& next, TryEnd end, bool again, const std::string& reason);
  void prepare_done(Job& next, store::Batch& batch, Outcome outcome);
  bool may_run(const LiveJob& entry);
  void bound_retries(Instant now);
  std::optional<std::string> pick(std::unique_lock<std::mutex>& lock, Place place, std::chrono::milliseconds patience);
  void note(const Job& job) const;
  void changed() const;
  void measure() const;

  const QueueOptions options_;
  const std::vector<KindRow> kinds_;
  const ResultFiles results_;
  store::Record& record_;
  metrics::Registry& metrics_;
  const Clock& clock_;
  mutable std::atomic<std::uint64_t> revision_{1};

  mutable std::mutex mutex_;
  // guarded by mutex_
  mutable std::condition_variable changed_;
  QueueIndex index_;
  std::set<std::string> paused_;  // kinds; "" is the whole queue
  std::uint64_t last_id_ = 0;
  std::mt19937_64 chance_;
  Instant looked_at_{};               // the clock at the last look for a job
  Stopwatch::time_point hold_off_{};  // the record refused a start: not before this
  bool stopping_ = false;
};

}  // namespace millrace::jobs
