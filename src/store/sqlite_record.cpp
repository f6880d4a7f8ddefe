#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>

#include <atomic>
#include <cstring>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "base/bounded_queue.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/fd.h"
#include "base/log.h"
#include "domain/order_codec.h"
#include "store/internal/sqlite_writer.h"
#include "store/record.h"

namespace millrace::store {
namespace {

// Batches that wait for the writer; `commit` waits beyond it, which slows ingest instead of filling memory.
constexpr std::size_t write_queue_bound = 512;

std::uint64_t file_bytes(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Result<UniqueFd> hold_lock(const std::string& path) {
  const std::string lock_path = path + ".lock";
  UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!lock)
    return fail(ErrorCode::unavailable, "cannot write " + lock_path + ": " + std::strerror(errno) +
                                            "; choose a data folder you may write to (--data)");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::unavailable, "another millrace already uses " + path + "; stop it or choose another --data folder");
  return lock;
}

// A read-only connection behind a mutex, for the calls that answer from committed state.
class SqliteReader final : public feed::Reader {
 public:
  explicit SqliteReader(const std::string& path) : connection_(path, SqliteConnection::Mode::read) {}

  Result<std::vector<feed::Change>> changes_after(feed::Sequence after, std::size_t limit) override {
    return answer("reading changes", [&] {
      SQLite::Statement& rows = connection_.statement("changes_after");
      rows.bind(1, static_cast<std::int64_t>(after.value));
      rows.bind(2, static_cast<std::int64_t>(limit));
      return connection_.changes(rows);
    });
  }

  Result<feed::Sequence> last_sequence() override {
    return answer("reading the last change", [&] { return connection_.last_sequence(); });
  }

  Result<std::vector<feed::Change>> changes_of_order(const OrderNumber& number, std::size_t limit) override {
    return answer("reading the history of order " + number.text, [&] {
      SQLite::Statement& rows = connection_.statement("changes_of_order");
      rows.bind(1, number.text);
      rows.bind(2, static_cast<std::int64_t>(limit));
      auto found = connection_.changes(rows);
      return std::vector<feed::Change>(std::make_move_iterator(found.rbegin()), std::make_move_iterator(found.rend()));
    });
  }

  // Runs `question` on the connection, one caller at a time, and turns what SQLite throws into an Error.
  template <class Question>
  auto answer(const std::string& doing, Question question) -> Result<decltype(question())> {
    const std::lock_guard lock(mutex_);
    try {
      return question();
    } catch (const SQLite::Exception& exception) {
      return Failure(error_of(exception, doing));
    } catch (const DamagedRow& damaged) {
      return fail(ErrorCode::corrupt, doing + ": " + damaged.text);
    }
  }

  SqliteConnection& connection() { return connection_; }

 private:
  std::mutex mutex_;
  SqliteConnection connection_;  // guarded by mutex_
};

FileRecord file_of(SQLite::Statement& row) {
  FileRecord file;
  file.path = row.getColumn(0).getString();
  file.size = static_cast<std::uint64_t>(row.getColumn(1).getInt64());
  file.mtime_ns = row.getColumn(2).getInt64();
  file.inode = static_cast<std::uint64_t>(row.getColumn(3).getInt64());
  const SQLite::Column hash = row.getColumn(4);
  if (hash.getBytes() != static_cast<int>(file.hash.bytes.size())) throw DamagedRow{"a file's hash has the wrong length"};
  std::memcpy(file.hash.bytes.data(), hash.getBlob(), file.hash.bytes.size());
  file.state = static_cast<FileRecord::State>(row.getColumn(5).getInt());
  file.format = row.getColumn(6).getString();
  file.read_at = Instant{std::chrono::milliseconds{row.getColumn(7).getInt64()}};
  return file;
}

std::string_view blob(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

Candidate candidate_of(SQLite::Statement& row) {
  Candidate candidate;
  candidate.path = row.getColumn(0).getString();
  candidate.ordinal = static_cast<std::uint32_t>(row.getColumn(1).getInt64());
  auto order = decode_order(blob(row.getColumn(2)));
  if (!order) throw DamagedRow{"a candidate cannot be read: " + order.error().text()};
  candidate.order = std::make_shared<const SalesOrder>(std::move(*order));
  ByteReader flags(blob(row.getColumn(3)));
  const std::size_t count = flags.count();
  for (std::size_t i = 0; i < count && flags.ok(); ++i) candidate.flags.emplace_back(flags.text());
  if (!flags.ok()) throw DamagedRow{"a candidate's flags cannot be read"};
  return candidate;
}

class SqliteRecord final : public Record {
 public:
  SqliteRecord(SqliteOptions options, UniqueFd lock, std::unique_ptr<SqliteConnection> connection)
      : options_(std::move(options)),
        lock_(std::move(lock)),
        connection_(std::move(connection)),
        writer_(*connection_, *options_.clock, options_.touched_revisions_max),
        schema_version_(schema_version(*connection_)),
        reader_(options_.path),
        queue_(write_queue_bound),
        thread_([this] { write_loop(); }) {}

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

  Result<std::vector<FileRecord>> files(const std::string& source) override {
    return reader_.answer("reading the known files", [&] {
      std::vector<FileRecord> found;
      SQLite::Statement& rows = reader_.connection().statement("files_of_source");
      rows.bind(1, source);
      while (rows.executeStep()) found.push_back(file_of(rows));
      rows.reset();
      return found;
    });
  }

  Result<void> candidates(const std::string& source, const std::function<bool(Candidate)>& row) override {
    const auto done = reader_.answer("reading the candidates", [&] {
      SQLite::Statement& rows = reader_.connection().statement("candidates_of_source");
      rows.bind(1, source);
      while (rows.executeStep() && row(candidate_of(rows))) {
      }
      rows.reset();
      return true;
    });
    if (!done) return pass_on(done);
    return {};
  }

  Result<Candidate> candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) override {
    const auto found = reader_.answer("reading what " + path + " says", [&]() -> std::optional<Candidate> {
      SQLite::Statement& row = reader_.connection().statement("candidate_of_file");
      row.bind(1, source);
      row.bind(2, path.data(), static_cast<int>(path.size()));
      row.bind(3, static_cast<std::int64_t>(ordinal));
      std::optional<Candidate> candidate;
      if (row.executeStep()) candidate = candidate_of(row);
      row.reset();
      return candidate;
    });
    if (!found) return pass_on(found);
    if (!*found) return fail(ErrorCode::not_found, "the record has no order from " + path);
    return **found;
  }

  Result<std::vector<feed::Rejection>> rejections() override {
    return reader_.answer("reading the rejections", [&] {
      std::vector<feed::Rejection> found;
      SQLite::Statement& rows = reader_.connection().statement("rejections_all");
      while (rows.executeStep()) {
        auto change = feed::decode_payload(feed::ChangeKind::rejection_put, blob(rows.getColumn(0)));
        if (!change) throw DamagedRow{change.error().text()};
        found.push_back(std::move(change->rejection_put.rejection));
      }
      rows.reset();
      return found;
    });
  }

  Result<RecordPosition> position() override {
    return reader_.answer("reading where the record stands", [&] { return reader_.connection().position(); });
  }

  Result<std::vector<FileNow>> files_changed_after(std::uint64_t revision) override {
    auto touched = reader_.answer("reading what was touched", [&] { return touched_after(revision); });
    if (!touched) return pass_on(touched);
    if (!*touched)
      return fail(ErrorCode::limit_reached, "too much happened after revision " + std::to_string(revision) + ": read everything");
    return reader_.answer("reading the touched files", [&] {
      std::vector<FileNow> files;
      for (const auto& [source, path] : **touched) files.push_back(file_now(source, path));
      return files;
    });
  }

  RecordStatistics statistics() const override {
    RecordStatistics numbers;
    numbers.database_bytes = file_bytes(options_.path);
    numbers.log_bytes = file_bytes(options_.path + "-wal");
    numbers.commits = commits_;
    numbers.batches = batches_;
    numbers.rows_written = rows_written_;
    numbers.commit_longest = std::chrono::microseconds{commit_longest_us_};
    numbers.schema_version = schema_version_;
    return numbers;
  }

  Result<void> verify(bool full) override {
    const auto verdict = reader_.answer("checking the record", [&] {
      return reader_.connection().database().execAndGet(full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)").getString();
    });
    if (!verdict) return pass_on(verdict);
    if (*verdict != "ok")
      return fail(ErrorCode::corrupt, "the record is damaged: " + *verdict + "; restore the last backup or move " +
                                          options_.path + " away to read all sources again");
    return {};
  }

 private:
  struct Waiting {
    Batch batch;
    std::promise<Result<Committed>> answer;
  };
  using WaitingPtr = std::shared_ptr<Waiting>;

  using Touched = std::set<std::pair<std::string, std::string>>;  // source, path

  // Nothing when the list does not go back that far, or is too long.
  std::optional<Touched> touched_after(std::uint64_t revision) {
    SqliteConnection& connection = reader_.connection();
    const std::uint64_t now = connection.position().revision;
    if (revision > now || now - revision > options_.touched_revisions_max) return std::nullopt;
    Touched touched;
    SQLite::Statement& rows = connection.statement("touches_after");
    rows.bind(1, static_cast<std::int64_t>(revision));
    bool too_many = false;
    while (!too_many && rows.executeStep()) {
      ByteReader in(blob(rows.getColumn(1)));
      while (in.ok() && !in.at_end()) {
        const std::string source(in.text());
        const std::size_t count = in.count();
        for (std::size_t i = 0; i < count && in.ok(); ++i) touched.emplace(source, in.text());
      }
      if (!in.ok()) throw DamagedRow{"the list of touched files is damaged"};
      too_many = touched.size() > options_.touched_files_max;
    }
    rows.reset();
    if (too_many) return std::nullopt;
    return touched;
  }

  FileNow file_now(const std::string& source, const std::string& path) {
    FileNow now{source, path, std::nullopt, {}};
    const auto asked = [&](std::string_view name) -> SQLite::Statement& {
      SQLite::Statement& rows = reader_.connection().statement(name);
      rows.bind(1, source);
      rows.bind(2, path.data(), static_cast<int>(path.size()));
      return rows;
    };
    SQLite::Statement& file = asked("file_one");
    if (file.executeStep()) now.file = file_of(file);
    file.reset();
    SQLite::Statement& candidates = asked("candidates_of_file");
    while (candidates.executeStep()) now.candidates.push_back(candidate_of(candidates));
    candidates.reset();
    return now;
  }

  void write_loop() {
    while (auto first = queue_.pop()) {
      std::vector<WaitingPtr> group{std::move(*first)};
      while (group.size() < options_.group_max) {
        auto more = queue_.try_pop();
        if (!more) break;
        group.push_back(std::move(*more));
      }
      write_group(group);
      checkpoint_when_large();
    }
    checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  }

  // One transaction for the whole group. When it fails, each batch is tried alone: one batch that cannot be stored
  // must not take its neighbours with it.
  void write_group(std::vector<WaitingPtr>& group) {
    const auto started = Stopwatch::now();
    std::vector<Batch*> batches;
    for (const WaitingPtr& waiting : group) batches.push_back(&waiting->batch);
    const auto written = writer_.write(batches);
    if (!written && group.size() > 1) {
      for (WaitingPtr& waiting : group) {
        std::vector<WaitingPtr> alone{waiting};
        write_group(alone);
      }
      return;
    }
    if (!written) {
      log_error("record_write_failed", {{"reason", written.error().text()}});
      for (const WaitingPtr& waiting : group) waiting->answer.set_value(pass_on(written));
      return;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Stopwatch::now() - started).count();
    commit_longest_us_ = std::max<std::int64_t>(commit_longest_us_, took);
    ++commits_;
    batches_ += group.size();
    rows_written_ = writer_.rows_written();
    for (const WaitingPtr& waiting : group) {
      Batch& batch = waiting->batch;
      const feed::Sequence last = batch.changes.empty() ? writer_.last() : batch.changes.back().sequence;
      if (listener_ && !batch.changes.empty()) listener_(batch.changes);
      waiting->answer.set_value(Committed{last, writer_.revision(), std::move(batch.changes)});
    }
  }

  // Small and often while nobody waits, so that no commit ever stands behind a long one.
  void checkpoint_when_large() {
    const std::uint64_t log_bytes = file_bytes(options_.path + "-wal");
    if (log_bytes >= options_.checkpoint_bytes || (log_bytes >= options_.checkpoint_bytes_idle && queue_.size() == 0))
      checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  }

  void checkpoint(int mode) {
    int log_frames = 0, moved_frames = 0;
    const int code = sqlite3_wal_checkpoint_v2(connection_->database().getHandle(), nullptr, mode, &log_frames, &moved_frames);
    // Busy means that a reader still needs old pages: the log grows a little and the next commit tries again.
    if (code != SQLITE_OK && code != SQLITE_BUSY)
      log_error("record_checkpoint_failed", {{"reason", sqlite3_errmsg(connection_->database().getHandle())}});
  }

  // fixed after construction
  const SqliteOptions options_;
  const UniqueFd lock_;
  std::function<void(const std::vector<feed::Change>&)> listener_;
  // used by the writer thread only
  const std::unique_ptr<SqliteConnection> connection_;
  SqliteWriter writer_;
  const std::uint32_t schema_version_;
  // locked inside themselves
  SqliteReader reader_;
  std::atomic<std::uint64_t> commits_{0}, batches_{0}, rows_written_{0};
  std::atomic<std::int64_t> commit_longest_us_{0};
  BoundedQueue<WaitingPtr> queue_;
  std::thread thread_;  // last: starts when everything else stands
};

}  // namespace

bool Batch::empty() const {
  return files_put.empty() && files_removed.empty() && candidates_put.empty() && candidates_removed.empty() && changes.empty();
}

std::uint32_t record_format() { return schema_version_newest(); }

Result<std::unique_ptr<Record>> open_sqlite_record(SqliteOptions options) {
  check(options.clock != nullptr, "a record needs a clock");
  auto lock = hold_lock(options.path);
  if (!lock) return pass_on(lock);
  try {
    auto connection = std::make_unique<SqliteConnection>(options.path, SqliteConnection::Mode::write);
    if (const auto migrated = migrate(*connection); !migrated) return pass_on(migrated, "opening " + options.path);
    return std::make_unique<SqliteRecord>(std::move(options), std::move(*lock), std::move(connection));
  } catch (const SQLite::Exception& exception) {
    return Failure(error_of(exception, "opening the record " + options.path));
  } catch (const DamagedRow& damaged) {
    return fail(ErrorCode::corrupt, "opening the record " + options.path + ": " + damaged.text);
  }
}

Result<std::unique_ptr<feed::Reader>> open_sqlite_reader(const std::string& path) {
  if (file_bytes(path) == 0)
    return fail(ErrorCode::not_found, "there is no record at " + path + "; name the data folder with --data");
  try {
    auto reader = std::make_unique<SqliteReader>(path);
    if (schema_version(reader->connection()) != schema_version_newest())
      return fail(ErrorCode::conflict, "the record " + path + " has another format; start `millrace serve` once to bring it up to date");
    return reader;
  } catch (const SQLite::Exception& exception) {
    return Failure(error_of(exception, "opening the record " + path));
  }
}

}  // namespace millrace::store
