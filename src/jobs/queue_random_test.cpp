// Whatever happens in whatever order, no job is lost and no effect is written twice.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "jobs/queue_test_world.h"

namespace millrace::jobs {
namespace {

// A worker's idea of the job it was given; it may speak long after its lease is over.
struct Try {
  std::string id;
  std::uint64_t lease;
};

// What the model knows of each job.
struct Known {
  bool done = false;
};

class Play {
 public:
  void turn(unsigned action, unsigned choice) {
    switch (action % 10) {
      case 0:
      case 1: return add();
      case 2:
      case 3: return take();
      case 4: return say(choice, [&](const Try& given) { return world_.queue->complete(given.id, given.lease, {}); });
      case 5: return say(choice, [&](const Try& given) { return world_.queue->died(given.id, given.lease, "killed"); });
      case 6: return say(choice, [&](const Try& given) { return world_.queue->failed(given.id, given.lease, choice % 2 == 0, "failed"); });
      case 7: world_.record->refuse_next = static_cast<int>(choice % 3); return;
      case 8: world_.clock.advance(std::chrono::seconds(choice % 5)); return;
      case 9:
        if (choice % 4 == 0) return restart();
        if (choice % 4 == 1 && !jobs_.empty()) return cancel(choice);
        world_.clock.advance(died_delay_max);
    }
  }

  // Everything that waits is done by a worker that never fails; then each job is over, once.
  void finish() {
    world_.record->refuse_next = 0;
    for (int i = 0; i < 10'000; ++i) {
      world_.clock.advance(std::chrono::minutes(6));
      const auto job = world_.take();
      if (!job) {
        if (world_.queue->counts().waiting == 0) break;
        continue;
      }
      RC_ASSERT(world_.queue->complete(job->id, job->lease, {}).has_value());
    }
    for (const Try& late : tries_) (void)world_.queue->complete(late.id, late.lease, {});  // those that still run, and many that do not
    check();
    restart();
    check();
  }

  // Every job that was acknowledged is there; its effect was written once when it is done and not at all otherwise.
  void check() {
    for (const auto& [id, known] : jobs_) {
      const auto job = world_.queue->show(id);
      RC_ASSERT(job.has_value());
      const bool done = job->state == JobState::done;
      if (known.done) RC_ASSERT(done);
      RC_ASSERT(world_.effects(id) == (done ? "1" : "0"));
      RC_ASSERT(job->tries <= job->tries_max);
    }
    const JobCounts counts = world_.queue->counts();
    RC_ASSERT(counts.waiting + counts.running + counts.done + counts.dead + counts.failed + counts.cancelled == jobs_.size());
  }

 private:
  void add() {
    const auto made = world_.queue->enqueue({.kind = "count"});
    if (made) jobs_[made->id];
  }
  void take() {
    if (world_.record->refuse_next > 0) return;  // a refused start waits a second of real time
    if (const auto job = world_.take()) tries_.push_back({job->id, job->lease});
  }
  template <class Say>
  void say(unsigned choice, Say what) {
    if (tries_.empty()) return;
    const Try given = tries_[choice % tries_.size()];
    const auto before = world_.queue->show(given.id);
    const bool current = before && before->state == JobState::running && before->lease == given.lease;
    const Result<void> said = what(given);
    if (!current) RC_ASSERT(!said.has_value());
    const auto after = world_.queue->show(given.id);
    if (after && after->state == JobState::done) jobs_[given.id].done = true;
  }
  void cancel(unsigned choice) {
    auto found = jobs_.begin();
    std::advance(found, choice % jobs_.size());
    (void)world_.queue->cancel(found->first);
  }
  void restart() {
    world_.restart_queue();
    check();
  }

  QueueWorld world_;
  std::map<std::string, Known> jobs_;
  std::vector<Try> tries_;
};

}  // namespace

TEST_CASE("no order of deaths, refused commits, late words and restarts loses a job or does one twice") {
  CHECK(rc::check("random orders", [](const std::vector<std::pair<unsigned, unsigned>>& turns) {
    Play play;
    for (const auto& [action, choice] : turns) play.turn(action, choice);
    play.finish();
  }));
}

}  // namespace millrace::jobs
