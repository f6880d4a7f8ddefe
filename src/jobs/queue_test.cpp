// The queue over a real record: what is kept, what runs, what ends how.
#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "jobs/queue_test_world.h"

namespace millrace::jobs {

using namespace std::chrono_literals;

TEST_CASE("a job waits, runs and is done, and a restart forgets nothing of it") {
  QueueWorld world;
  const auto id = world.add("report", R"({"of":"orders"})");
  CHECK(world.told(id) == "report waiting 0/3");
  world.restart();
  CHECK(world.told(id) == "report waiting 0/3");
  const auto job = world.take();
  REQUIRE(job);
  CHECK(job->id == id);
  CHECK(job->payload == R"({"of":"orders"})");
  CHECK(world.told(id) == "report running 1/3");
  REQUIRE(world.queue->complete(id, job->lease, {R"({"rows":7})", {}}));
  CHECK(world.told(id) == "report done 1/3");
  world.restart();
  CHECK(world.queue->show(id)->result == R"({"rows":7})");
  CHECK_FALSE(world.take());
}

TEST_CASE("a job whose transaction is given up or refused never runs") {
  QueueWorld world;
  {
    store::Batch batch;
    const auto pending = world.queue->enqueue(batch, {.kind = "report"});
    REQUIRE(pending);
    CHECK_FALSE(world.take());  // it is not in the record yet
  }
  CHECK(world.queue->counts().waiting == 0);
  world.record->refuse_next = 1;
  const auto refused = world.queue->enqueue({.kind = "report"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::storage_full);
  world.restart();
  CHECK_FALSE(world.take());
  CHECK(world.queue->list({})->jobs.empty());
}

TEST_CASE("a job and the rows of its caller are one transaction") {
  QueueWorld world;
  std::unique_ptr<Queue> before;  // a pending job never outlives its queue
  store::Batch batch;
  batch.source = "test";
  batch.kept_put.push_back({"test/rows", "a", "1"});
  auto pending = world.queue->enqueue(batch, {.kind = "report"});
  REQUIRE(pending);
  REQUIRE(world.record->commit(std::move(batch)));
  // The server ends before the queue hears of it: the next start finds both.
  before = std::move(world.queue);
  world.open_queue();
  CHECK(world.told(pending->enqueued().id) == "report waiting 0/3");
  CHECK(world.record->kept_one("test/rows", "a")->value() == "1");
}

TEST_CASE("more urgent jobs go first, equal ones by age, later ones when their time has come") {
  QueueWorld world;
  const auto first = world.add("report"), second = world.add("report"), urgent = world.add("report", "{}", 10);
  const auto later = world.queue->enqueue({.kind = "report", .priority = 50, .run_after = testing::instant("2026-03-02T09:00:00Z")});
  REQUIRE(later);
  CHECK(world.take()->id == urgent);
  CHECK(world.take()->id == first);
  world.clock.set("2026-03-02T09:00:00Z");
  CHECK(world.take()->id == later->id);
  CHECK(world.take()->id == second);
}

TEST_CASE("a job that fails is tried three times, longer and longer apart, and is then a dead letter") {
  QueueWorld world;
  const auto id = world.add("report");
  for (int i = 1; i <= 3; ++i) {
    const auto job = world.take();
    REQUIRE(job);
    REQUIRE(world.queue->failed(id, job->lease, true, "the ERP does not answer"));
    CHECK_FALSE(world.take());  // not at once
    world.clock.advance(1s * (1 << (i - 1)));
  }
  CHECK(world.told(id) == "report dead 3/3: the ERP does not answer (try 3 of 3)");
  CHECK(world.queue->show(id)->attempts.size() == 3);
  CHECK_FALSE(world.take());
  REQUIRE(world.queue->retry(id));
  CHECK(world.take()->id == id);
  CHECK(world.told(id).starts_with("report running 1/3"));
}

TEST_CASE("a clock that is set back by a year lets no job that is to be tried again wait for a year") {
  QueueWorld world;
  const auto id = world.add("report"), planned = world.queue->enqueue({.kind = "report", .run_after = testing::instant("2026-03-02T08:00:30Z")})->id;
  REQUIRE(world.queue->failed(id, world.take()->lease, true, "the ERP does not answer"));
  world.clock.set("2025-03-02T08:00:00Z");
  CHECK_FALSE(world.take());
  world.clock.advance(failed_delay_max);
  CHECK(world.take()->id == id);
  CHECK_FALSE(world.take());  // a time that a person chose stays
  CHECK(world.told(planned) == "report waiting 0/3");
}

TEST_CASE("a job that says trying again is no use fails at once") {
  QueueWorld world;
  const auto id = world.add("report");
  REQUIRE(world.queue->failed(id, world.take()->lease, false, "there is no column colour"));
  CHECK(world.told(id) == "report failed 1/3: there is no column colour");
}

TEST_CASE("a job whose worker dies is ready again within two seconds, and a dead letter after the third death") {
  QueueWorld world;
  const auto id = world.add("report");
  for (int i = 1; i <= 3; ++i) {
    const auto job = world.take();
    REQUIRE(job);
    REQUIRE(world.queue->died(id, job->lease, "its worker was killed by signal 11"));
    world.clock.advance(died_delay_max);
  }
  CHECK(world.told(id) == "report dead 3/3: its worker was killed by signal 11 (try 3 of 3)");
}

TEST_CASE("a job that ends the whole server is a dead letter after three starts") {
  QueueWorld world;
  const auto id = world.add("report");
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(world.take());
    world.restart();
    world.clock.advance(died_delay_max);
  }
  CHECK_FALSE(world.take());
  CHECK(world.told(id) == "report dead 3/3: the server ended while it ran (try 3 of 3)");
}

TEST_CASE("a server that stops well hands a job back without using up a try") {
  QueueWorld world;
  const auto id = world.add("report");
  REQUIRE(world.queue->release(id, world.take()->lease));
  world.restart();
  CHECK(world.told(id) == "report waiting 0/3");
}

TEST_CASE("what comes in under an old lease changes nothing") {
  QueueWorld world;
  const auto id = world.add("count");
  const auto old = world.take();
  REQUIRE(world.queue->died(id, old->lease, "its worker fell silent"));
  world.clock.advance(died_delay_max);
  const auto fresh = world.take();
  REQUIRE(fresh);
  for (const auto& late : {world.queue->complete(id, old->lease, {}), world.queue->failed(id, old->lease, true, "late"),
                           world.queue->died(id, old->lease, "late"), world.queue->release(id, old->lease), world.queue->cancelled(id, old->lease)}) {
    REQUIRE_FALSE(late);
    CHECK(late.error().code() == ErrorCode::conflict);
  }
  CHECK(world.effects(id) == "0");
  REQUIRE(world.queue->complete(id, fresh->lease, {}));
  CHECK(world.queue->complete(id, fresh->lease, {}).error().code() == ErrorCode::conflict);
  CHECK(world.effects(id) == "1");
}

TEST_CASE("when the record refuses the end of a job, neither its effect nor its end is there, and saying it again is enough") {
  QueueWorld world;
  const auto id = world.add("count");
  const auto job = world.take();
  world.record->refuse_next = 2;
  CHECK(world.queue->complete(id, job->lease, {}).error().code() == ErrorCode::storage_full);
  CHECK(world.queue->complete(id, job->lease, {}).error().code() == ErrorCode::storage_full);
  CHECK(world.effects(id) == "0");
  CHECK(world.told(id) == "count running 1/3");
  REQUIRE(world.queue->complete(id, job->lease, {}));
  CHECK(world.effects(id) == "1");
  CHECK(world.queue->show(id)->result == "1");
}

TEST_CASE("a job that cannot be started because the disk is full stays as it is") {
  QueueWorld world;
  const auto id = world.add("report");
  world.record->refuse_next = 1;
  CHECK_FALSE(world.take());
  CHECK(world.told(id) == "report waiting 0/3");
  const auto job = world.queue->take(Place::worker, 3s);  // taken again a second later
  CHECK(job->id == id);
}

TEST_CASE("one wish at a time where work would be done twice") {
  QueueWorld world;
  const auto wish = [&](const char* kind, const char* payload) { return *world.queue->enqueue({.kind = kind, .payload = payload}); };
  const auto sync = wish("sync", "sap");
  CHECK(wish("sync", "sap").id == sync.id);
  CHECK(wish("sync", "sap").existing);
  CHECK(wish("sync", "shop").id != sync.id);
  CHECK(world.take()->id == sync.id);
  CHECK(wish("sync", "sap").id == sync.id);  // also while it runs
  // News may have come since a refill began: a second one waits behind it, and runs when it is over.
  const auto refill = wish("refill", "a");
  while (world.take()) {
  }
  const auto behind = wish("refill", "a");
  CHECK(behind.id != refill.id);
  CHECK(wish("refill", "a").id == behind.id);
  CHECK_FALSE(world.take());
  REQUIRE(world.queue->complete(refill.id, world.queue->show(refill.id)->lease, {}));
  CHECK(world.take()->id == behind.id);
}

TEST_CASE("a wish waits for one with the same key that is on its way to the record") {
  QueueWorld world;
  store::Batch batch;
  auto pending = world.queue->enqueue(batch, {.kind = "sync", .payload = "sap"});
  REQUIRE(pending);
  auto other = std::async(std::launch::async, [&] { return world.queue->enqueue({.kind = "sync", .payload = "sap"}); });
  REQUIRE(world.record->commit(std::move(batch)));
  pending->committed();
  CHECK(other.get()->id == pending->enqueued().id);
  CHECK(world.queue->counts().waiting == 1);
}

TEST_CASE("the same Idempotency-Key is the same job, also after it ended, and no other wish") {
  QueueWorld world;
  const auto wish = [&](const char* payload) { return world.queue->enqueue({.kind = "report", .payload = payload, .idempotency_key = "k"}); };
  const auto first = wish("1");
  REQUIRE(first);
  CHECK_FALSE(first->replayed);
  CHECK(wish("1")->id == first->id);
  REQUIRE(world.queue->complete(first->id, world.take()->lease, {}));
  world.restart();
  CHECK(wish("1")->replayed);
  CHECK(wish("2").error().code() == ErrorCode::conflict);
}

TEST_CASE("a cancelled job that waits ends at once, one that runs is asked, and a server that ends meanwhile keeps the wish") {
  QueueWorld world;
  const auto waiting = world.add("report");
  CHECK(world.queue->cancel(waiting)->state == JobState::cancelled);
  CHECK(world.queue->cancel(waiting).error().code() == ErrorCode::conflict);
  const auto running = world.add("report");
  const auto job = world.take();
  CHECK_FALSE(world.queue->stop_wanted(running, job->lease));
  REQUIRE(world.queue->cancel(running));
  CHECK(world.queue->stop_wanted(running, job->lease));
  world.restart();
  world.clock.advance(died_delay_max);
  CHECK_FALSE(world.take());
  CHECK(world.told(running).starts_with("report cancelled 1/3"));
  CHECK(world.queue->cancel("nobody").error().code() == ErrorCode::not_found);
}

TEST_CASE("a job that is tried again is found at every moment, and a list never lacks it") {
  QueueWorld world;
  const auto id = world.add("report");
  REQUIRE(world.queue->cancel(id));
  std::atomic<bool> over{false};
  std::atomic<int> missed{0}, looks{0};
  std::thread reader([&] {
    while (!over) {
      const auto page = world.queue->list({});
      if (!world.queue->show(id) || !page || page->jobs.size() != 1) ++missed;
      ++looks;
    }
  });
  for (int turn = 0; turn < 200; ++turn) {
    CHECK(world.queue->retry(id));
    CHECK(world.queue->cancel(id));
  }
  over = true;
  reader.join();
  CHECK_MESSAGE(missed == 0, missed.load(), " of ", looks.load());
}

TEST_CASE("a dead letter that is given up is cancelled, keeps its reasons, and can be tried again after all") {
  QueueWorld world;
  const auto id = world.add("report");
  for (int count = 0; count < 3; ++count) {
    REQUIRE(world.queue->failed(id, world.take()->lease, true, "the ERP does not answer"));
    world.clock.advance(failed_delay_max);
  }
  REQUIRE(world.told(id) == "report dead 3/3: the ERP does not answer (try 3 of 3)");
  CHECK(world.queue->cancel(id)->state == JobState::cancelled);
  CHECK(world.queue->counts().dead == 0);
  CHECK(world.queue->counts().cancelled == 1);
  world.restart();
  CHECK(world.told(id) == "report cancelled 3/3: the ERP does not answer (try 3 of 3)");
  CHECK(world.queue->show(id)->attempts.size() == 3);
  CHECK(world.queue->cancel(id).error().code() == ErrorCode::conflict);
  CHECK(world.queue->retry(id)->state == JobState::waiting);
}

TEST_CASE("a paused kind waits, a paused queue waits whole, also over a restart") {
  QueueWorld world;
  const auto report = world.add("report"), sync = world.add("sync");
  REQUIRE(world.queue->set_paused("report", true));
  CHECK(world.told(report) == "report paused 0/3");
  CHECK(world.take()->id == sync);
  REQUIRE(world.queue->set_paused("", true));
  REQUIRE(world.queue->set_paused("report", false));
  world.restart();
  CHECK(world.queue->paused());
  CHECK_FALSE(world.take());
  CHECK(world.queue->counts().paused == 2);  // the sync was running
  REQUIRE(world.queue->set_paused("", false));
  CHECK(world.take()->id == report);
  CHECK(world.queue->set_paused("forecast", true).error().code() == ErrorCode::not_found);
}

TEST_CASE("what is asked wrongly is refused with what would be right") {
  QueueWorld world;
  const auto refusal = [&](NewJob wish) {
    const auto made = world.queue->enqueue(std::move(wish));
    return made ? "taken" : std::string(traits(made.error().code()).name) + ": " + made.error().text();
  };
  CHECK(refusal({.kind = "forecast"}) == "not_found: there is no kind of job \"forecast\"; there is report, sync, refill, count");
  CHECK(refusal({.kind = "sync", .payload = "bad"}) == "invalid_input: the payload is bad");
  CHECK(refusal({.kind = "report", .payload = std::string(payload_bytes_max + 1, 'x')}).starts_with("invalid_input: the payload has 65537 bytes"));
  CHECK(refusal({.kind = "report", .priority = 101}).starts_with("invalid_input: priority"));
  CHECK(refusal({.kind = "report", .tries_max = 0}).starts_with("invalid_input: tries_max"));
}

TEST_CASE("the queue is bounded and says so") {
  QueueWorld world;
  world.live_max = 2;
  world.restart();
  world.add("report");
  world.add("report");
  CHECK(world.queue->enqueue({.kind = "report"}).error().code() == ErrorCode::limit_reached);
}

TEST_CASE("ended jobs are forgotten after seven days or beyond the newest ones, with their files and rows") {
  QueueWorld world;
  world.ended_max = 2;
  world.restart();
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(world.add("count"));
    const auto job = world.take();
    std::ofstream(world.queue->results().part_path(job->id, job->lease)) << "rows " << i;
    Outcome outcome;
    outcome.file = ResultFile{"rows.txt", "text/plain", 0};
    REQUIRE(world.queue->complete(job->id, job->lease, outcome));
    world.clock.advance(1s);
  }
  CHECK(world.queue->show(ids[0])->file->bytes == 6);
  CHECK(world.queue->results().read(ids[0]));
  REQUIRE(world.queue->forget_old());
  CHECK(world.queue->show(ids[0]).error().code() == ErrorCode::not_found);
  CHECK(world.queue->results().read(ids[0]).error().code() == ErrorCode::not_found);
  CHECK(world.effects(ids[0]) == "0");
  CHECK(world.effects(ids[1]) == "1");
  world.clock.advance(std::chrono::days(8));
  REQUIRE(world.queue->forget_old());
  CHECK(world.queue->counts().done == 0);
}

TEST_CASE("when result files take more room than they may, the oldest jobs are forgotten first") {
  QueueWorld world;
  world.results_bytes_max = 20;
  world.restart();
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(world.add("report"));
    const auto job = world.take();
    std::ofstream(world.queue->results().part_path(job->id, job->lease)) << "ten bytes.";
    REQUIRE(world.queue->complete(job->id, job->lease, {"{}", ResultFile{"rows.txt", "text/plain", 0}}));
    world.clock.advance(1s);
  }
  world.restart();
  REQUIRE(world.queue->forget_old());
  CHECK(world.queue->show(ids[0]).error().code() == ErrorCode::not_found);
  CHECK(world.queue->results().read(ids[1]));
  CHECK(world.queue->counts().done == 2);
}

TEST_CASE("a result file that belongs to no job that is done is removed at the start") {
  QueueWorld world;
  const auto id = world.add("report");
  const auto job = world.take();
  const std::string part = world.queue->results().part_path(id, job->lease);
  std::ofstream(part) << "half";
  REQUIRE(world.queue->results().keep(id, job->lease));  // named, and the server ends before the commit
  std::ofstream(part) << "half";
  world.restart();
  CHECK_FALSE(std::filesystem::exists(part));
  CHECK(world.queue->results().read(id).error().code() == ErrorCode::not_found);
  world.clock.advance(died_delay_max);
  CHECK(world.take()->id == id);
}

TEST_CASE("the list shows the newest first, page by page, and counts by state") {
  QueueWorld world;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(world.add(i % 2 == 0 ? "report" : "count"));
  const auto job = world.take();
  REQUIRE(world.queue->complete(job->id, job->lease, {}));
  const auto page = [&](JobQuery query) {
    std::string text;
    const auto found = world.queue->list(query);
    for (const Job& each : found->jobs) text += std::to_string(std::ranges::find(ids, each.id) - ids.begin()) + " ";
    return text + (found->next.empty() ? "." : "more");
  };
  CHECK(page({.limit = 3}) == "4 3 2 more");
  CHECK(page({.limit = 3, .before = ids[2]}) == "1 0 .");
  CHECK(page({.kind = "count"}) == "3 1 .");
  CHECK(page({.state = JobState::done}) == "0 .");
  CHECK(page({.state = JobState::waiting, .limit = 2}) == "4 3 more");
  CHECK(world.queue->counts().waiting == 4);
  CHECK(world.queue->counts().done == 1);
}

}  // namespace millrace::jobs
