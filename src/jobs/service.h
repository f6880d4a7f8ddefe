// The jobs of one server: queue, schedules and those who run them, behind one face.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "jobs/control.h"
#include "jobs/queue.h"
#include "jobs/runner.h"
#include "jobs/schedules.h"

namespace millrace::jobs {

struct ServiceOptions {
  QueueOptions queue;
  RunnerOptions runner;
  std::string time_zone;  // of schedules; "" is that of this machine
};

class Service final : public Control {
 public:
  // Loads what the record holds; nothing runs yet. All references outlive the service.
  // Errors   those of Queue::open, Schedules::open and Zone::find
  static Result<std::unique_ptr<Service>> open(ServiceOptions options, std::vector<KindRow> kinds, store::Record& record,
                                               metrics::Registry& metrics, const Clock& clock);
  ~Service() override { stop(); }

  // From now on jobs run and schedules are due.
  void start(Asker ask);
  void stop();
  // For those who make jobs together with their own rows.
  Queue& queue() { return *queue_; }

  Result<Enqueued> enqueue(NewJob wish) override { return queue_->enqueue(std::move(wish)); }
  Result<Job> show(const std::string& id) const override { return queue_->show(id); }
  Result<JobPage> list(const JobQuery& query) const override { return queue_->list(query); }
  JobCounts counts() const override { return queue_->counts(); }
  std::vector<KindStatus> kinds() const override { return queue_->kinds(); }
  bool paused() const override { return queue_->paused(); }
  std::uint64_t revision() const override { return queue_->revision() + schedule_changes_; }
  Result<Job> wait_for_end(const std::string& id, std::chrono::milliseconds patience) const override { return queue_->wait_for_end(id, patience); }
  Result<UniqueFd> open_result(const Job& job) const override;
  Result<Job> cancel(const std::string& id) override { return queue_->cancel(id); }
  Result<Job> retry(const std::string& id) override { return queue_->retry(id); }
  Result<void> pause(const std::string& kind) override { return queue_->set_paused(kind, true); }
  Result<void> resume(const std::string& kind) override { return queue_->set_paused(kind, false); }
  std::vector<ScheduleStatus> schedules() const override { return schedules_->list(); }
  Result<ScheduleStatus> put_schedule(Schedule schedule) override;
  Result<void> remove_schedule(const std::string& name) override;

 private:
  explicit Service(RunnerOptions runner) : runner_options_(std::move(runner)) {}
  void keep();

  const RunnerOptions runner_options_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Schedules> schedules_;
  std::unique_ptr<Runner> runner_;
  std::atomic<std::uint64_t> schedule_changes_{0};
  std::string told_;  // the keeper's own: why old jobs could not be forgotten
};

}  // namespace millrace::jobs
