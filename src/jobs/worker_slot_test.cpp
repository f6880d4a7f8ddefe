// Jobs in worker processes: real ones, that do, die, hang and ask.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "jobs/queue_test_world.h"
#include "jobs/runner.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

// Answers "/3" with three blocks of 400,000 bytes, "/broken" with half an answer, "/wrong" with a refusal.
class TestAnswer final : public OwnAnswer {
 public:
  explicit TestAnswer(std::string path) : path_(std::move(path)) {}
  int status() const override { return path_ == "/wrong" ? 400 : 200; }
  std::string type() const override { return "text/csv"; }
  Result<bool> next(std::string& out) override {
    if (path_ == "/wrong") return out += "there is no column colour", false;
    if (path_ == "/broken" && given_ == 1) return fail(ErrorCode::internal, "the rest is missing");
    out.append(400'000, 'x');
    return ++given_ < (path_ == "/endless" ? 1'000'000 : 3);
  }

 private:
  const std::string path_;
  int given_ = 0;
};

class WorkerWorld {
 public:
  WorkerWorld() {
    auto opened = store::open_sqlite_record({.path = folder / "record.db", .clock = &clock});
    REQUIRE(opened);
    record = std::move(*opened);
    KindRow told{.name = "told", .time_max = 300s, .tries_max = 3, .right = "", .summary = ""};
    told.check = [](std::string_view) -> Result<std::string> { return std::string(); };
    told.brief = [](const Job& job) -> Result<std::string> { return "\"brief of try " + std::to_string(job.tries) + "\""; };
    KindRow hasty = told;
    hasty.name = "hasty";
    hasty.time_max = 0s;
    auto made = Queue::open({.results_folder = folder / "results", .seed = 1}, {told, hasty}, *record, metrics, clock);
    REQUIRE(made);
    queue = std::move(*made);
    options.executable = MILLRACE_JOB_WORKER;
    options.silence_max = 2'500ms;
    options.cancel_patience = 300ms;
    options.stop_patience = 300ms;
    ask = [](const Job&, const std::string& path) -> Result<std::unique_ptr<OwnAnswer>> {
      if (path == "/nowhere") return fail(ErrorCode::not_found, "there is no such address");
      return std::make_unique<TestAnswer>(path);
    };
    slot = make_worker_slot(options, *queue, ask, stopping);
  }
  std::string add(std::string payload, std::string kind = "told") {
    NewJob wish;
    wish.kind = std::move(kind);
    wish.payload = std::move(payload);
    return queue->enqueue(std::move(wish))->id;
  }
  std::string told(const std::string& id) {
    const auto job = queue->show(id);
    return std::string(word(job->state)) + " " + std::to_string(job->tries) + " " + job->error + job->result;
  }
  // What became of it after one try.
  std::string run(std::string payload, std::string kind = "told") {
    const auto id = add(std::move(payload), std::move(kind));
    CHECK(slot->step(0ms));
    return told(id);
  }

  testing::TemporaryFolder folder;
  SetClock clock;
  metrics::Registry metrics;
  std::unique_ptr<store::Record> record;
  std::unique_ptr<Queue> queue;
  RunnerOptions options;
  Asker ask;
  std::atomic<bool> stopping{false};
  std::unique_ptr<Slot> slot;
};

}  // namespace

TEST_CASE("a worker does its job, is told what the server knows, and leaves a file") {
  WorkerWorld world;
  CHECK(world.run("do") == "done 1 {}");
  CHECK(world.run("brief") == "done 1 \"brief of try 1\"");
  const auto id = world.add("file");
  CHECK(world.slot->step(0ms));
  REQUIRE(world.queue->show(id)->file);
  CHECK(world.queue->show(id)->file->bytes == 4);
  CHECK(world.queue->results().read(id));
}

TEST_CASE("a job that fails in its worker is tried again, or not") {
  WorkerWorld world;
  CHECK(world.run("again") == "waiting 1 the ERP is away");
  CHECK(world.run("final") == "failed 1 no such column");
}

TEST_CASE("a worker that dies is seen at once, with the way it ended, and the next job gets a new one") {
  WorkerWorld world;
  CHECK(world.run("die") == "waiting 1 its worker was killed by signal 9");
  CHECK(world.run("leave") == "waiting 1 its worker ended with exit code 7");
  CHECK(world.run("do") == "done 1 {}");
}

TEST_CASE("a worker that died while it had nothing to do costs no try") {
  WorkerWorld world;
  const std::string first = world.run("pid");
  const std::string second = world.run("pid");
  CHECK(first == second);  // it is kept
  const int pid = std::stoi(first.substr(std::string("done 1 ").size()));
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  REQUIRE(::kill(pid, SIGKILL) == 0);
  pollfd gone{process.get(), POLLIN, 0};  // its socket is closed when it is
  REQUIRE(::poll(&gone, 1, 60'000) == 1);
  const auto third = world.run("pid");
  CHECK(third.starts_with("done 1 "));
  CHECK(third != first);
}

TEST_CASE("a worker that hangs or takes too long is killed") {
  WorkerWorld world;
  CHECK(world.run("hang") == "waiting 1 no sign of life for 2 s: killed");
  CHECK(world.run("deaf", "hasty") == "waiting 1 took longer than 0 s, as long as a hasty may: killed");
}

TEST_CASE("a cancelled job ends when it hears of it, and by force when it does not") {
  WorkerWorld world;
  for (const char* manner : {"listen", "deaf"}) {
    const auto id = world.add(manner);
    std::thread person([&] {
      while (world.queue->show(id)->progress.done == 0) std::this_thread::yield();
      CHECK(world.queue->cancel(id));
    });
    CHECK(world.slot->step(0ms));
    person.join();
    CHECK(world.told(id) == "cancelled 1 ");
  }
}

TEST_CASE("a server that stops hands the job back") {
  WorkerWorld world;
  const auto id = world.add("deaf");
  std::thread person([&] {
    while (world.queue->show(id)->progress.done == 0) std::this_thread::yield();
    world.stopping = true;
  });
  CHECK(world.slot->step(0ms));
  person.join();
  CHECK(world.told(id) == "waiting 0 ");
}

TEST_CASE("a worker reads our own answers block by block, and hears why it gets none") {
  WorkerWorld world;
  CHECK(world.run("/3") == "done 1 \"text/csv 1200000\"");
  CHECK(world.run("/wrong") == "failed 1 asking /wrong was answered 400: there is no column colour");
  CHECK(world.run("/nowhere") == "failed 1 there is no such address");
  CHECK(world.run("/broken") == "waiting 1 the rest is missing");
  CHECK(world.run("/endless") == "waiting 1 stopped while the answer to /endless was read");
  CHECK(world.run("/3") == "done 1 \"text/csv 1200000\"");  // nothing of the answers before is left
}

TEST_CASE("four workers and two threads that enqueue do every job once, though every third worker dies") {
  WorkerWorld world;
  const SystemClock real;  // retries wait for the time of day
  auto made = Queue::open({.results_folder = world.folder / "results", .seed = 2}, {[&] {
                            KindRow told{.name = "told", .tries_max = 50, .right = "", .summary = ""};
                            told.check = [](std::string_view) -> Result<std::string> { return std::string(); };
                            told.effect = [&](const Job& job, Outcome&) -> Result<store::Batch> {
                              const auto before = world.record->kept_one("test/effects", job.id);
                              store::Batch batch;
                              batch.source = "test";
                              batch.kept_put.push_back({"test/effects", job.id, before && before->has_value() ? "again" : "1"});
                              return batch;
                            };
                            return told;
                          }()},
                          *world.record, world.metrics, real);
  REQUIRE(made);
  Queue& queue = **made;
  Runner runner(world.options, queue, world.ask, [] {});
  runner.start();
  std::vector<std::string> ids(60);
  const auto enqueue = [&](std::size_t from) {
    for (std::size_t i = from; i < ids.size(); i += 2) ids[i] = queue.enqueue({.kind = "told", .payload = i % 3 == 0 ? "die once" : i % 3 == 1 ? "/3" : "file"})->id;
  };
  std::thread other([&] { enqueue(1); });
  enqueue(0);
  other.join();
  for (const std::string& id : ids) CHECK(queue.wait_for_end(id, 60s)->state == JobState::done);
  runner.stop();
  std::size_t effects = 0;
  REQUIRE(world.record->kept("test/effects", [&](const store::KeptRow& row) {
    CHECK(row.content == "1");
    return ++effects > 0;
  }));
  CHECK(effects == ids.size());
}

}  // namespace millrace::jobs
