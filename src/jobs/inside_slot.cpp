// A slot that runs jobs on its own thread of the server.
#include <exception>

#include "jobs/internal/settle.h"
#include "jobs/runner.h"

namespace millrace::jobs {
namespace {

class InsideRun final : public Run {
 public:
  InsideRun(const Job& job, std::chrono::seconds time_max, Queue& queue, const std::atomic<bool>& stopping)
      : job_(job), deadline_(Stopwatch::now() + time_max), queue_(queue), stopping_(stopping) {}
  const Job& job() const override { return job_; }
  bool stop_wanted() const override { return stopping_ || out_of_time() || queue_.stop_wanted(job_.id, job_.lease); }
  void progress(Progress now) override { queue_.report(job_.id, job_.lease, std::move(now)); }
  std::string result_path() const override { return queue_.results().part_path(job_.id, job_.lease); }
  bool out_of_time() const { return Stopwatch::now() > deadline_; }

 private:
  const Job& job_;
  const Stopwatch::time_point deadline_;
  Queue& queue_;
  const std::atomic<bool>& stopping_;
};

Result<Outcome> run_kind(const KindRow& kind, InsideRun& run) {
  try {
    return kind.run(run);
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, std::string("the job failed: ") + error.what());
  }
}

class InsideSlot final : public Slot {
 public:
  InsideSlot(Queue& queue, const std::atomic<bool>& stopping) : queue_(queue), stopping_(stopping) {}

  bool step(std::chrono::milliseconds patience) override {
    const auto job = queue_.take(Place::inside, patience);
    if (!job) return false;
    const KindRow& kind = *queue_.find_kind(job->kind);
    InsideRun run(*job, kind.time_max, queue_, stopping_);
    const auto outcome = run_kind(kind, run);
    settle_try(*job, stopping_, [&] { return say(*job, kind, run, outcome); });
    return true;
  }

 private:
  Result<void> say(const Job& job, const KindRow& kind, const InsideRun& run, const Result<Outcome>& outcome) {
    if (outcome) return queue_.complete(job.id, job.lease, *outcome);
    if (stopping_) return queue_.release(job.id, job.lease);
    if (queue_.stop_wanted(job.id, job.lease)) return queue_.cancelled(job.id, job.lease);
    if (run.out_of_time()) return queue_.failed(job.id, job.lease, true, "took longer than " + std::to_string(kind.time_max.count()) + " s: " + outcome.error().text());
    return queue_.failed(job.id, job.lease, traits(outcome.error().code()).retry, outcome.error().text());
  }

  Queue& queue_;
  const std::atomic<bool>& stopping_;
};

}  // namespace

std::unique_ptr<Slot> make_inside_slot(Queue& queue, const std::atomic<bool>& stopping) { return std::make_unique<InsideSlot>(queue, stopping); }

}  // namespace millrace::jobs
