// Jobs as the routes see them: "j1" is done with a small result, "j2" runs; what is asked is remembered.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "jobs/control.h"
#include "testing/world.h"

namespace millrace::server {

class TestJobs final : public jobs::Control {
 public:
  TestJobs() {
    jobs::Job done = made("j1", "report", jobs::JobState::done);
    done.result = R"({"rows":3})";
    jobs::Job running = made("j2", "report", jobs::JobState::running);
    running.progress = {25, 100, "orders", "writing"};
    running.attempts.push_back({1, done.created, done.created + std::chrono::seconds(2), "its worker was killed by signal 9"});
    jobs_[done.id] = done;
    jobs_[running.id] = running;
  }
  Result<jobs::Enqueued> enqueue(jobs::NewJob wish) override {
    if (wish.kind != "report") return fail(ErrorCode::not_found, "there is no kind of job \"" + wish.kind + "\"; there is report");
    if (wish.idempotency_key == "used") return fail(ErrorCode::conflict, "the key was used");
    if (wish.idempotency_key == "full") return fail(ErrorCode::limit_reached, "too many jobs wait");
    const std::lock_guard lock(mutex_);
    jobs::Job job = made("j" + std::to_string(jobs_.size() + 1), wish.kind, jobs::JobState::waiting);
    job.payload = wish.payload;
    job.priority = wish.priority;
    job.created_by = wish.created_by;
    jobs_[job.id] = job;
    return jobs::Enqueued{job.id, false, wish.idempotency_key == "again"};
  }
  Result<jobs::Job> show(const std::string& id) const override {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return fail(ErrorCode::not_found, "there is no job " + id);
    return found->second;
  }
  Result<jobs::JobPage> list(const jobs::JobQuery& query) const override {
    const std::lock_guard lock(mutex_);
    jobs::JobPage page;
    for (const auto& [id, job] : jobs_)
      if (!query.state || *query.state == job.state) page.jobs.push_back(job);
    return page;
  }
  jobs::JobCounts counts() const override { return {0, 0, 1, 1, 0, 0, 0}; }
  std::vector<jobs::KindStatus> kinds() const override {
    return {{"report", "run_jobs", "A report.", "of, format", jobs::Place::worker, std::chrono::seconds(300), 3, paused_kind_ == "report",
             {{.name = "of", .type = jobs::MemberType::choice, .standard = "orders", .choices = {"orders", "lines"}}}}};
  }
  bool paused() const override { return paused_kind_ == "*"; }
  std::uint64_t revision() const override { return revision_; }
  Result<jobs::Job> wait_for_end(const std::string& id, std::chrono::milliseconds) const override {
    auto job = show(id);
    if (job) job->state = jobs::JobState::done;
    return job;
  }
  Result<UniqueFd> open_result(const jobs::Job& job) const override {
    if (!job.file) return fail(ErrorCode::not_found, "no file");
    UniqueFd file(::memfd_create("result", MFD_CLOEXEC));
    if (::pwrite(file.get(), "a,b\n", 4, 0) != 4) return fail(ErrorCode::unavailable, "no memory");
    return file;
  }
  Result<jobs::Job> cancel(const std::string& id) override { return show(id); }
  Result<jobs::Job> retry(const std::string& id) override { return show(id); }
  Result<void> pause(const std::string& kind) override {
    if (!kind.empty() && kind != "report") return fail(ErrorCode::not_found, "there is no kind of job \"" + kind + "\"; there is report");
    paused_kind_ = kind.empty() ? "*" : kind;
    ++revision_;
    return {};
  }
  Result<void> resume(const std::string&) override {
    paused_kind_.clear();
    ++revision_;
    return {};
  }
  std::vector<jobs::ScheduleStatus> schedules() const override { return {}; }
  Result<jobs::ScheduleStatus> put_schedule(jobs::Schedule schedule) override {
    if (schedule.timing == "never") return fail(ErrorCode::invalid_input, "\"never\" is no schedule");
    return jobs::ScheduleStatus{std::move(schedule), "Europe/Berlin", testing::instant("2026-03-11T01:30:00Z")};
  }
  Result<void> remove_schedule(const std::string& name) override {
    if (name != "nightly") return fail(ErrorCode::not_found, "there is no schedule " + name);
    return {};
  }

  // "j1" leaves a file instead of a result of its own.
  void leave_file(std::string name, std::string type, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    jobs_["j1"].file = jobs::ResultFile{std::move(name), std::move(type), bytes};
  }

 private:
  static jobs::Job made(std::string id, std::string kind, jobs::JobState state) {
    jobs::Job job;
    job.id = std::move(id);
    job.kind = std::move(kind);
    job.payload = "{}";
    job.state = state;
    job.created = testing::instant("2026-03-10T07:59:00Z");
    if (state != jobs::JobState::waiting) job.started = testing::instant("2026-03-10T07:59:30Z");
    if (state == jobs::JobState::done) job.ended = testing::instant("2026-03-10T07:59:40Z");
    return job;
  }

  mutable std::mutex mutex_;
  std::map<std::string, jobs::Job> jobs_;
  std::string paused_kind_;
  std::atomic<std::uint64_t> revision_{1};
};

}  // namespace millrace::server
