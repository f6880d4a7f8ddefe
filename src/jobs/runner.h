// Runs jobs: some in worker processes, some on threads of the server; fires schedules and forgets what is old.
//
// Invariants
//   * At most `workers` processes and `inside` threads run jobs. A process is started with its first job and ended when it
//     had none for `idle_max`.
//   * A worker that dies is seen at once, one that is silent for `silence_max` or works longer than its kind may is killed;
//     its job waits again under the queue's rules.
//   * An end of a try that the record cannot take now is said again until it can; nothing is done twice for it.
//   * Stopping asks what runs to stop, ends it after `stop_patience`, and hands it back as a try that was not used up.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "jobs/own_answer.h"
#include "jobs/queue.h"

namespace millrace::jobs {

struct RunnerOptions {
  unsigned workers = 4;
  unsigned inside = 2;
  std::string executable;  // started as `executable job-worker`
  std::chrono::milliseconds silence_max{5'000};
  std::chrono::milliseconds cancel_patience{2'000};
  std::chrono::milliseconds stop_patience{2'000};
  std::chrono::seconds idle_max{60};
};

// One turn after another: takes a job of its place, runs it to its end. Called by one thread.
class Slot {
 public:
  virtual ~Slot() = default;
  // Waits for a job up to `patience`; true when it ran one.
  virtual bool step(std::chrono::milliseconds patience) = 0;
};

// Both watch `stopping`.
std::unique_ptr<Slot> make_worker_slot(const RunnerOptions& options, Queue& queue, const Asker& ask, const std::atomic<bool>& stopping);
std::unique_ptr<Slot> make_inside_slot(Queue& queue, const std::atomic<bool>& stopping);

class Runner {
 public:
  // `keep` is called about once a second: schedules and other upkeep.
  Runner(RunnerOptions options, Queue& queue, Asker ask, std::function<void()> keep);
  ~Runner() { stop(); }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  void start();
  void stop();

 private:
  void keep_up();

  const RunnerOptions options_;
  Queue& queue_;
  const Asker ask_;
  const std::function<void()> keep_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable wake_;  // guarded by mutex_: the keeper waits
  std::vector<std::thread> threads_;
};

}  // namespace millrace::jobs
