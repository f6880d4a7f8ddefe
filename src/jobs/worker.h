// The worker process: `millrace job-worker`. Does one job after another for the server that started it.
//
// Invariants
//   * It ends with its server: the kernel kills it when the thread that started it ends, and its closed socket tells it too.
//   * A sign of life goes out every second while a job runs, from a thread of its own.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jobs/kind.h"

namespace millrace::jobs {

// What a worker's function sees of its job.
class WorkerRun {
 public:
  virtual ~WorkerRun() = default;
  virtual const std::string& id() const = 0;
  virtual const std::string& payload() const = 0;
  virtual const std::string& brief() const = 0;        // of KindRow::brief
  virtual const std::string& result_path() const = 0;  // where a result file is written; the server syncs and names it
  virtual bool stop_wanted() const = 0;
  virtual void progress(Progress now) = 0;
  // For rehearsals: as if the process hung.
  virtual void fall_silent() = 0;

  // Asks our own API ("/api/v1/orders.csv?late=true") and hands every block of a good answer to `block`.
  // Errors   invalid_input, not_found  the server refuses the question; the text says why
  //          unavailable               the answer broke off;  cancelled  `block` said false or the job shall stop
  struct AnswerHead {
    int status = 0;
    std::string type;
  };
  virtual Result<AnswerHead> ask(std::string_view path, const std::function<bool(std::string_view)>& block) = 0;
};

struct WorkerKind {
  std::string_view name;
  // An error of a code that says "try again" is tried again, every other one is final.
  Result<Outcome> (*run)(WorkerRun&);
};

// The whole process; answers its exit code.
int run_job_worker(std::span<const WorkerKind> kinds);

}  // namespace millrace::jobs
