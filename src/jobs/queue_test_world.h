// A queue over a real record in a temporary folder, with a clock that a test sets and a record that refuses when told to.
#pragma once
#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/text.h"
#include "jobs/queue.h"
#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::jobs {

class SetClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  void set(std::string_view text) { now_ = testing::instant(text); }
  void advance(std::chrono::milliseconds by) { now_ = now_.load() + by; }

 private:
  std::atomic<Instant> now_{testing::instant("2026-03-02T08:00:00Z")};
};

// The record, except that the next commits fail when a test says so: nothing of them is stored.
class RefusingRecord final : public store::Record {
 public:
  explicit RefusingRecord(std::unique_ptr<store::Record> record) : record_(std::move(record)) {}
  int refuse_next = 0;

  Result<store::Committed> commit(store::Batch batch) override {
    if (refuse_next > 0) {
      --refuse_next;
      return fail(ErrorCode::storage_full, "the disk is full");
    }
    return record_->commit(std::move(batch));
  }
  void on_commit(std::function<void(const std::vector<feed::Change>&)> listener) override { record_->on_commit(std::move(listener)); }
  Result<std::vector<store::FileRecord>> files(const std::string& source) override { return record_->files(source); }
  Result<void> candidates(const std::string& source, const std::function<bool(store::Candidate)>& row) override { return record_->candidates(source, row); }
  Result<store::Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) override {
    return record_->candidate(source, path, ordinal);
  }
  Result<std::vector<feed::Rejection>> rejections() override { return record_->rejections(); }
  Result<void> kept(const std::string& space, const std::function<bool(store::KeptRow)>& row) override { return record_->kept(space, row); }
  Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key) override { return record_->kept_one(space, key); }
  Result<store::RecordPosition> position() override { return record_->position(); }
  Result<std::vector<store::FileNow>> files_changed_after(std::uint64_t revision) override { return record_->files_changed_after(revision); }
  store::RecordStatistics statistics() const override { return record_->statistics(); }
  store::RecordCondition condition() const override { return record_->condition(); }
  Result<void> verify(bool full) override { return record_->verify(full); }
  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override { return record_->changes_after(after, limit); }
  Result<feed::Sequence> last_sequence() override { return record_->last_sequence(); }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override { return record_->changes_of_order(number, limit); }

 private:
  std::unique_ptr<store::Record> record_;
};

inline constexpr std::string_view effects_space = "test/effects";

// Every kind runs in a worker's place; "count" writes a row that says how often its effect was written.
class QueueWorld {
 public:
  QueueWorld() { open(); }
  // The server ends without a word and starts again.
  void restart() {
    queue.reset();
    record.reset();
    open();
  }
  // The same, at less cost: the record stays open.
  void restart_queue() {
    queue.reset();
    open_queue();
  }
  void open() {
    auto opened = store::open_sqlite_record({.path = folder / "record.db", .clock = &clock});
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().text()));
    record = std::make_unique<RefusingRecord>(std::move(*opened));
    open_queue();
  }
  void open_queue() {
    auto made = Queue::open(options(), kinds(), *record, metrics, clock);
    REQUIRE_MESSAGE(made, (made ? "" : made.error().text()));
    queue = std::move(*made);
  }
  QueueOptions options() const {
    QueueOptions options;
    options.live_max = live_max;
    options.ended_max = ended_max;
    options.results_bytes_max = results_bytes_max;
    options.results_folder = folder / "results";
    options.seed = 7;
    return options;
  }
  std::vector<KindRow> kinds() {
    const auto no_key = [](std::string_view) -> Result<std::string> { return std::string(); };
    const auto payload_key = [](std::string_view payload) -> Result<std::string> {
      if (payload == "bad") return fail(ErrorCode::invalid_input, "the payload is bad");
      return "key " + std::string(payload);
    };
    KindRow report{.name = "report", .right = "run_jobs", .summary = "", .check = no_key};
    KindRow sync{.name = "sync", .time_max = std::chrono::seconds(180), .unique = UniqueRule::live, .right = "", .summary = "", .check = payload_key};
    KindRow refill{.name = "refill", .unique = UniqueRule::waiting, .right = "", .summary = "", .check = payload_key};
    KindRow count{.name = "count", .right = "", .summary = "", .check = no_key};
    count.effect = [this](const Job& job, Outcome& outcome) -> Result<store::Batch> {
      const auto before = record->kept_one(std::string(effects_space), job.id);
      if (!before) return pass_on(before);
      const int times = before->has_value() ? std::stoi(**before) + 1 : 1;
      outcome.result = std::to_string(times);
      store::Batch batch;
      batch.source = "test";
      batch.kept_put.push_back({std::string(effects_space), job.id, std::to_string(times)});
      return batch;
    };
    count.forget = [](const Job& job, store::Batch& batch) { batch.kept_removed.push_back({std::string(effects_space), job.id}); };
    return {report, sync, refill, count};
  }

  std::string add(std::string kind, std::string payload = "{}", int priority = 0) {
    NewJob wish;
    wish.kind = std::move(kind);
    wish.payload = std::move(payload);
    wish.priority = priority;
    const auto made = queue->enqueue(std::move(wish));
    REQUIRE_MESSAGE(made, (made ? "" : made.error().text()));
    return made->id;
  }
  std::optional<Job> take() { return queue->take(Place::worker, std::chrono::milliseconds(0)); }
  // "report dead 3/3: its worker was killed"
  std::string told(const std::string& id) const {
    const auto job = queue->show(id);
    if (!job) return job.error().text();
    return job->kind + " " + std::string(word(job->state)) + " " + std::to_string(job->tries) + "/" + std::to_string(job->tries_max) +
           (job->error.empty() ? "" : ": " + job->error);
  }
  std::string effects(const std::string& id) const {
    const auto row = record->kept_one(std::string(effects_space), id);
    return row && row->has_value() ? **row : "0";
  }

  std::size_t live_max = 10'000, ended_max = 10'000;
  std::uint64_t results_bytes_max = 1 << 20;
  testing::TemporaryFolder folder;
  SetClock clock;
  metrics::Registry metrics;
  std::unique_ptr<RefusingRecord> record;
  std::unique_ptr<Queue> queue;
};

}  // namespace millrace::jobs
