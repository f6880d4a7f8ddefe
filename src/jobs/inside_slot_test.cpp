// Jobs that run on a thread of the server.
#include <doctest/doctest.h>

#include <thread>
#include <stdexcept>

#include "jobs/queue_test_world.h"
#include "jobs/runner.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

// One kind, "inside", that does what the test says.
class InsideWorld {
 public:
  InsideWorld() {
    auto opened = store::open_sqlite_record({.path = folder / "record.db", .clock = &clock});
    REQUIRE(opened);
    record = std::move(*opened);
    KindRow kind{.name = "inside", .place = Place::inside, .time_max = 300s, .right = "", .summary = ""};
    kind.check = [](std::string_view) -> Result<std::string> { return std::string(); };
    kind.run = [this](Run& run) { return act(run); };
    KindRow hasty = kind;
    hasty.name = "hasty";
    hasty.time_max = 0s;
    auto made = Queue::open({.results_folder = folder / "results", .seed = 1}, {kind, hasty}, *record, metrics, clock);
    REQUIRE(made);
    queue = std::move(*made);
    slot = make_inside_slot(*queue, stopping);
  }
  std::string run(std::string kind, std::function<Result<Outcome>(Run&)> what) {
    act = std::move(what);
    NewJob wish;
    wish.kind = std::move(kind);
    const auto id = queue->enqueue(std::move(wish))->id;
    CHECK(slot->step(0ms));
    const auto job = queue->show(id);
    return std::string(word(job->state)) + " " + std::to_string(job->tries) + " " + job->error + job->result;
  }

  testing::TemporaryFolder folder;
  SetClock clock;
  metrics::Registry metrics;
  std::unique_ptr<store::Record> record;
  std::unique_ptr<Queue> queue;
  std::atomic<bool> stopping{false};
  std::unique_ptr<Slot> slot;
  std::function<Result<Outcome>(Run&)> act;
};

}  // namespace

TEST_CASE("an inside job ends as its function says: done, to be tried again, or for good") {
  InsideWorld world;
  CHECK(world.run("inside", [](Run& run) -> Result<Outcome> {
    run.progress({1, 2, "steps", ""});
    return Outcome{R"({"rows":1})", {}};
  }) == R"(done 1 {"rows":1})");
  CHECK(world.run("inside", [](Run&) -> Result<Outcome> { return fail(ErrorCode::unavailable, "the ERP is away"); }) == "waiting 1 the ERP is away");
  CHECK(world.run("inside", [](Run&) -> Result<Outcome> { return fail(ErrorCode::not_found, "no such source"); }) == "failed 1 no such source");
  CHECK(world.run("inside", [](Run&) -> Result<Outcome> { throw std::runtime_error("oops"); }) == "failed 1 the job failed: oops");
  CHECK_FALSE(world.slot->step(0ms));
}

TEST_CASE("an inside job is asked to stop when it is cancelled, out of time, or the server stops") {
  InsideWorld world;
  CHECK(world.run("inside", [&](Run& run) -> Result<Outcome> {
    CHECK_FALSE(run.stop_wanted());
    REQUIRE(world.queue->cancel(run.job().id));
    CHECK(run.stop_wanted());
    return fail(ErrorCode::cancelled, "stopped");
  }) == "cancelled 1 ");
  CHECK(world.run("hasty", [&](Run& run) -> Result<Outcome> {
    while (!run.stop_wanted()) std::this_thread::yield();
    return fail(ErrorCode::cancelled, "stopped");
  }) == "waiting 1 took longer than 0 s: stopped");
  CHECK(world.run("inside", [&](Run& run) -> Result<Outcome> {
    world.stopping = true;
    CHECK(run.stop_wanted());
    return fail(ErrorCode::cancelled, "stopped");
  }) == "waiting 0 ");
}

TEST_CASE("an inside job that was done before it heard of the wish to stop is done") {
  InsideWorld world;
  CHECK(world.run("inside", [&](Run& run) -> Result<Outcome> {
    REQUIRE(world.queue->cancel(run.job().id));
    return Outcome{};
  }) == "done 1 {}");
}

}  // namespace millrace::jobs
