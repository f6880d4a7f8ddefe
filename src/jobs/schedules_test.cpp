// Jobs by the clock, over a real record with a clock that the test sets.
#include "jobs/schedules.h"

#include <doctest/doctest.h>

#include "jobs/queue_test_world.h"

namespace millrace::jobs {
namespace {

class ScheduleWorld : public QueueWorld {
 public:
  ScheduleWorld() { open_schedules(); }
  void restart_all() {
    schedules.reset();
    restart();
    open_schedules();
  }
  void open_schedules() {
    auto opened = Schedules::open(*record, *queue, clock, *Zone::find("Europe/Berlin"));
    REQUIRE(opened);
    schedules = std::move(*opened);
  }
  std::string put(std::string name, std::string timing, std::string kind = "report") {
    Schedule schedule;
    schedule.name = std::move(name);
    schedule.kind = std::move(kind);
    schedule.timing = std::move(timing);
    const auto done = schedules->put(std::move(schedule));
    return done ? "next " + rfc3339(*done->next).substr(0, 16) : done.error().text();
  }
  // "3 turns, 1 skipped, next 2026-03-03T01:30"
  std::string told() const {
    const auto all = schedules->list();
    if (all.empty()) return "none";
    return std::to_string(all[0].schedule.turns) + " turns, " + std::to_string(all[0].schedule.skipped) + " skipped" +
           (all[0].next ? ", next " + rfc3339(*all[0].next).substr(0, 16) : "");
  }
  std::size_t jobs_waiting() const { return queue->counts().waiting; }
  void finish_one() {
    const auto job = take();
    REQUIRE(job);
    REQUIRE(queue->complete(job->id, job->lease, {}));
  }
  std::unique_ptr<Schedules> schedules;
};

}  // namespace

TEST_CASE("a schedule makes its job when it is due, once") {
  ScheduleWorld world;
  CHECK(world.put("nightly", "30 2 * * *") == "next 2026-03-03T01:30");
  CHECK(world.schedules->step() == 0);
  world.clock.set("2026-03-03T01:30:00Z");
  CHECK(world.schedules->step() == 1);
  CHECK(world.schedules->step() == 0);
  CHECK(world.told() == "1 turns, 0 skipped, next 2026-03-04T01:30");
  const auto job = world.take();
  REQUIRE(job);
  CHECK(job->schedule == "nightly");
  CHECK(job->unique_key == "schedule/nightly");
}

TEST_CASE("turns that were missed while the server was down are one job") {
  ScheduleWorld world;
  world.put("nightly", "30 2 * * *");
  world.clock.set("2026-03-09T12:00:00Z");
  world.restart_all();
  CHECK(world.schedules->step() == 1);
  CHECK(world.jobs_waiting() == 1);
  CHECK(world.told() == "1 turns, 0 skipped, next 2026-03-10T01:30");
}

TEST_CASE("a turn whose job of before is not over is skipped") {
  ScheduleWorld world;
  world.put("often", "every 10s");
  for (int i = 0; i < 3; ++i) {
    world.clock.advance(std::chrono::seconds(10));
    CHECK(world.schedules->step() == 1);
  }
  CHECK(world.told().starts_with("1 turns, 2 skipped"));
  CHECK(world.jobs_waiting() == 1);
  world.finish_one();
  world.clock.advance(std::chrono::seconds(10));
  world.schedules->step();
  CHECK(world.told().starts_with("2 turns, 2 skipped"));
}

TEST_CASE("a turn that the record refuses is taken later, with its job, or not at all") {
  ScheduleWorld world;
  world.put("nightly", "30 2 * * *");
  world.clock.set("2026-03-03T01:30:00Z");
  world.record->refuse_next = 1;
  CHECK(world.schedules->step() == 0);
  CHECK(world.jobs_waiting() == 0);
  world.restart_all();
  CHECK(world.jobs_waiting() == 0);
  CHECK(world.schedules->step() == 1);
  CHECK(world.jobs_waiting() == 1);
  world.restart_all();
  CHECK(world.schedules->step() == 0);
  CHECK(world.told() == "1 turns, 0 skipped, next 2026-03-04T01:30");
}

TEST_CASE("a clock that is set back repeats no turn, one that was far ahead does not stop the schedule") {
  ScheduleWorld world;
  world.put("nightly", "30 2 * * *");
  world.clock.set("2026-03-03T01:30:00Z");
  world.schedules->step();
  world.clock.set("2026-03-03T00:30:00Z");
  CHECK(world.schedules->step() == 0);
  world.clock.set("2026-03-03T01:30:00Z");
  CHECK(world.schedules->step() == 0);
  world.clock.set("2031-01-01T12:00:00Z");  // a machine without a battery for its clock
  CHECK(world.schedules->step() == 1);
  world.finish_one();
  world.clock.set("2026-03-03T12:00:00Z");
  CHECK(world.schedules->step() == 0);
  world.clock.set("2026-03-04T01:30:00Z");
  CHECK(world.schedules->step() == 1);
}

TEST_CASE("a schedule is changed, switched off and removed") {
  ScheduleWorld world;
  world.put("nightly", "30 2 * * *");
  CHECK(world.put("nightly", "every 1h") == "next 2026-03-02T09:00");
  Schedule off = world.schedules->list().front().schedule;
  off.enabled = false;
  REQUIRE(world.schedules->put(off));
  world.clock.advance(std::chrono::days(2));
  CHECK(world.schedules->step() == 0);
  CHECK(world.told() == "0 turns, 0 skipped");
  REQUIRE(world.schedules->remove("nightly"));
  CHECK(world.schedules->remove("nightly").error().code() == ErrorCode::not_found);
  world.restart_all();
  CHECK(world.told() == "none");
}

TEST_CASE("what is no schedule is refused") {
  ScheduleWorld world;
  CHECK(world.put("every night", "30 2 * * *").find("is no such name") != std::string::npos);
  CHECK(world.put("nightly", "30 2 * *").find("five fields") != std::string::npos);
  CHECK(world.put("nightly", "30 2 * * *", "forecast").starts_with("there is no kind of job"));
  for (std::size_t i = 0; i < schedules_max; ++i) world.put("s" + std::to_string(i), "every 1h");
  CHECK(world.put("nightly", "30 2 * * *").find("more are not kept") != std::string::npos);
}

}  // namespace millrace::jobs
