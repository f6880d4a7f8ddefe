#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <future>
#include <thread>

#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/turns.h"
#include "store/internal/migrations.h"
#include "store/internal/open_record.h"
#include "store/internal/record_writer.h"
#include "store/internal/sqlite_reader.h"
#include "store/record.h"

namespace millrace::store {
namespace {

// Batches that wait for the writer; `commit` waits beyond it, which slows ingest instead of filling memory.
constexpr std::size_t write_queue_bound = 512;

std::uint64_t file_bytes(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs status{};
  return ::statvfs(path.c_str(), &status) == 0 ? std::uint64_t{status.f_bavail} * status.f_frsize : 0;
}

// Reads the whole record now and then, so that damage is found before somebody needs the rows.
class BackgroundCheck {
 public:
  BackgroundCheck(const SqliteOptions& options, std::function<void(const Error&)> on_damage)
      : options_(options), on_damage_(std::move(on_damage)), thread_([this] { run(); }) {}

  ~BackgroundCheck() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    let_others_first();
    std::unique_lock lock(mutex_);
    auto pause = options_.verify_delay;
    while (!changed_.wait_for(lock, pause, [&] { return stop_; })) {
      lock.unlock();
      const auto whole = verify_sqlite_record(options_.path, [this](std::uint64_t, std::uint64_t) {
        const std::lock_guard asked(mutex_);
        return !stop_;
      });
      if (!whole && whole.error().code() == ErrorCode::corrupt) on_damage_(whole.error());
      lock.lock();
      pause = options_.verify_interval;
    }
  }

  const SqliteOptions& options_;
  const std::function<void(const Error&)> on_damage_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;  // last: starts when everything else stands
};

class SqliteRecord final : public Record {
 public:
  SqliteRecord(SqliteOptions options, UniqueFd lock, std::unique_ptr<SqliteConnection> connection, std::optional<CommitMark> mark,
               RecordCondition condition, std::uint32_t schema)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        schema_version_(schema),
        writer_(options_, std::move(connection), std::move(mark), std::move(condition)),
        reader_(options_.path, [this](const Error& error) { writer_.damaged(error); }),
        queue_(write_queue_bound),
        thread_([this] { write_loop(); }),
        background_check_(options_, [this](const Error& error) { writer_.damaged(error); }) {}

  ~SqliteRecord() override {
    queue_.close();
    thread_.join();
  }

  void on_commit(std::function<void(const std::vector<feed::Change>&)> listener) override { listener_ = std::move(listener); }

  Result<Committed> commit(Batch batch) override {
    auto waiting = std::make_shared<Waiting>();
    waiting->batch = std::move(batch);
    auto answer = waiting->answer.get_future();
    if (!queue_.push(std::move(waiting))) return fail(ErrorCode::cancelled, "the record is closing");
    return answer.get();
  }

  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override {
    return reader_.changes_after(after, limit);
  }
  Result<feed::Sequence> last_sequence() override { return reader_.last_sequence(); }
  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override {
    return reader_.changes_of_order(number, limit);
  }
  Result<std::vector<FileRecord>> files(const std::string& source) override { return reader_.files(source); }
  Result<void> candidates(const std::string& source, const std::function<bool(Candidate)>& row) override {
    return reader_.candidates(source, row);
  }
  Result<Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) override {
    return reader_.candidate(source, path, ordinal);
  }
  Result<std::vector<feed::Rejection>> rejections() override { return reader_.rejections(); }

  Result<void> kept(const std::string& space, const std::function<bool(KeptRow)>& row) override { return reader_.kept(space, row); }
  Result<std::optional<std::string>> kept_one(const std::string& space, const std::string& key) override {
    return reader_.kept_one(space, key);
  }

  Result<RecordPosition> position() override {
    const auto state = reader_.state();
    if (!state) return pass_on(state);
    return RecordPosition{state->identity, state->revision, state->sequence};
  }
  Result<std::vector<FileNow>> files_changed_after(std::uint64_t revision) override {
    return reader_.files_changed_after(revision, options_.touched_revisions_max, options_.touched_files_max);
  }

  RecordStatistics statistics() const override {
    RecordStatistics numbers;
    numbers.database_bytes = file_bytes(options_.path);
    numbers.log_bytes = file_bytes(options_.path + "-wal");
    numbers.commits = commits_;
    numbers.batches = batches_;
    numbers.rows_written = rows_written_;
    numbers.statements = writer_.statements() + reader_.statements();
    numbers.commit_longest = std::chrono::microseconds{commit_longest_us_};
    numbers.free_bytes = free_bytes(options_.path);
    numbers.schema_version = schema_version_;
    numbers.memory_bytes = static_cast<std::uint64_t>(sqlite3_memory_used());
    return numbers;
  }

  RecordCondition condition() const override { return writer_.condition(); }

  Result<void> verify(bool full) override {
    if (full)
      if (const auto pages = reader_.check_pages(true); !pages) return pages;
    const auto whole = verify_sqlite_record(options_.path, [](std::uint64_t, std::uint64_t) { return true; });
    if (whole) return {};
    if (whole.error().code() == ErrorCode::corrupt) writer_.damaged(whole.error());
    return pass_on(whole);
  }

 private:
  struct Waiting {
    Batch batch;
    std::promise<Result<Committed>> answer;
  };
  using WaitingPtr = std::shared_ptr<Waiting>;

  void write_loop() {
    while (true) {
      auto first = wait_for_batch();
      if (!first && queue_.closed() && queue_.size() == 0) return;
      if (first) {
        write_next_group(std::move(*first));
        if (writer_.log_bytes() >= options_.checkpoint_bytes) writer_.checkpoint();
      } else if (refusing()) {
        writer_.try_again();
      } else {
        // Nobody waits: no commit stands behind this one.
        writer_.checkpoint();
        writer_.release_memory();
      }
    }
  }

  std::optional<WaitingPtr> wait_for_batch() {
    if (refusing()) return queue_.pop_for(options_.try_again_after);
    if (writer_.log_bytes() > options_.checkpoint_bytes_idle) return queue_.pop_for(options_.idle_after);
    return queue_.pop();
  }

  bool refusing() const {
    const RecordCondition::State state = writer_.condition().state;
    return state == RecordCondition::State::storage_full || state == RecordCondition::State::failing;
  }

  void write_next_group(WaitingPtr first) {
    std::vector<WaitingPtr> group{std::move(first)};
    while (group.size() < options_.group_max) {
      auto more = queue_.try_pop();
      if (!more) break;
      group.push_back(std::move(*more));
    }
    write_group(group);
  }

  // One transaction for the whole group. When one of its batches cannot be stored, each is tried alone: it must not take
  // its neighbours with it.
  void write_group(std::vector<WaitingPtr>& group) {
    const auto started = Stopwatch::now();
    std::vector<Batch*> batches;
    for (const WaitingPtr& waiting : group) batches.push_back(&waiting->batch);
    const std::uint64_t revision_before = writer_.state().revision;
    const auto written = writer_.write(batches);
    if (!written && written.error().code() == ErrorCode::internal && group.size() > 1) {
      for (WaitingPtr& waiting : group) {
        std::vector<WaitingPtr> alone{waiting};
        write_group(alone);
      }
      return;
    }
    if (!written) {
      for (const WaitingPtr& waiting : group) waiting->answer.set_value(pass_on(written));
      return;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Stopwatch::now() - started);
    commit_longest_us_ = std::max<std::int64_t>(commit_longest_us_, took.count());
    if (options_.metrics != nullptr) {
      options_.metrics->timing("millrace_commit_seconds").record(took);
      options_.metrics->counter("millrace_commit_batches_total").add(group.size());
    }
    if (writer_.state().revision != revision_before) ++commits_;
    batches_ += group.size();
    rows_written_ = writer_.rows_written();
    for (const WaitingPtr& waiting : group) {
      Batch& batch = waiting->batch;
      const feed::Sequence last = batch.changes.empty() ? writer_.state().sequence : batch.changes.back().sequence;
      if (listener_ && !batch.changes.empty()) listener_(batch.changes);
      waiting->answer.set_value(Committed{last, writer_.state().revision, std::move(batch.changes)});
    }
  }

  // fixed after construction
  const SqliteOptions options_;
  const UniqueFd lock_;
  const std::uint32_t schema_version_;
  std::function<void(const std::vector<feed::Change>&)> listener_;
  // used by the writer thread only, but for its condition
  RecordWriter writer_;
  // locked inside themselves
  SqliteReader reader_;
  std::atomic<std::uint64_t> commits_{0}, batches_{0}, rows_written_{0};
  std::atomic<std::int64_t> commit_longest_us_{0};
  BoundedQueue<WaitingPtr> queue_;
  std::thread thread_;  // these start when everything else stands
  BackgroundCheck background_check_;
};

}  // namespace

bool Batch::empty() const {
  return files_put.empty() && files_removed.empty() && candidates_put.empty() && candidates_removed.empty() && changes.empty() &&
         kept_put.empty() && kept_removed.empty();
}

std::string_view word(RecordCondition::State state) {
  switch (state) {
    case RecordCondition::State::good: return "good";
    case RecordCondition::State::storage_full: return "storage_full";
    case RecordCondition::State::failing: return "failing";
    case RecordCondition::State::damaged: break;
  }
  return "damaged";
}

std::uint32_t record_format() { return schema_version_newest(); }

Result<std::unique_ptr<Record>> open_sqlite_record(SqliteOptions options) {
  check(options.clock != nullptr, "a record needs a clock");
  auto lock = hold_record(options.path);
  if (!lock) return pass_on(lock);
  try {
    auto opened = open_database(options.path);
    if (!opened) return pass_on(opened, "opening the record " + options.path);
    return std::make_unique<SqliteRecord>(std::move(options), std::move(*lock), std::move(opened->connection), std::move(opened->mark),
                                          std::move(opened->condition), opened->schema_version);
  } catch (const SQLite::Exception& exception) {
    Error error = error_of(exception, "opening the record " + options.path, true);
    if (error.code() != ErrorCode::corrupt) return Failure(std::move(error));
    return fail(ErrorCode::corrupt, error.text() + advice_for_damage(options.path));
  } catch (const DamagedRow& damaged) {
    return fail(ErrorCode::corrupt, "opening the record " + options.path + ": " + damaged.text + advice_for_damage(options.path));
  }
}

}  // namespace millrace::store
