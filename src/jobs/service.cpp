#include "jobs/service.h"

#include "base/log.h"

namespace millrace::jobs {

Result<std::unique_ptr<Service>> Service::open(ServiceOptions options, std::vector<KindRow> kinds, store::Record& record,
                                               metrics::Registry& metrics, const Clock& clock) {
  auto zone = Zone::find(options.time_zone);
  if (!zone) return pass_on(zone);
  std::unique_ptr<Service> service(new Service(std::move(options.runner)));
  auto queue = Queue::open(std::move(options.queue), std::move(kinds), record, metrics, clock);
  if (!queue) return pass_on(queue);
  service->queue_ = std::move(*queue);
  auto schedules = Schedules::open(record, *service->queue_, clock, *zone);
  if (!schedules) return pass_on(schedules);
  service->schedules_ = std::move(*schedules);
  return service;
}

void Service::start(Asker ask) {
  runner_ = std::make_unique<Runner>(runner_options_, *queue_, std::move(ask), [this] { keep(); });
  runner_->start();
}

void Service::stop() {
  queue_->stop();  // also when nothing was started: whoever waits for an end is let go
  if (runner_) runner_->stop();
}

void Service::keep() {
  if (schedules_->step() > 0) ++schedule_changes_;
  const auto forgotten = queue_->forget_old();
  const std::string reason = forgotten ? "" : forgotten.error().text();
  if (reason != told_ && !reason.empty()) log_warning("old_jobs_not_forgotten", {{"reason", reason}});
  told_ = reason;
}

Result<UniqueFd> Service::open_result(const Job& job) const {
  if (!job.file) return fail(ErrorCode::not_found, "job " + job.id + " left no file");
  return queue_->results().read(job.id);
}

Result<ScheduleStatus> Service::put_schedule(Schedule schedule) {
  auto put = schedules_->put(std::move(schedule));
  ++schedule_changes_;
  return put;
}

Result<void> Service::remove_schedule(const std::string& name) {
  auto removed = schedules_->remove(name);
  ++schedule_changes_;
  return removed;
}

}  // namespace millrace::jobs
