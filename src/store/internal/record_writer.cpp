#include "store/internal/record_writer.h"

#include <sqlite3.h>

#include "base/log.h"

namespace millrace::store {

RecordWriter::RecordWriter(const SqliteOptions& options, std::unique_ptr<SqliteConnection> connection,
                           std::optional<CommitMark> mark, RecordCondition condition)
    : options_(options), mark_(std::move(mark)) {
  if (connection) {
    begin(std::move(connection));
    state_ = writer_->state();
  }
  set_condition(condition.state, condition.text);
}

RecordWriter::~RecordWriter() {
  if (!connection_ || condition().state == RecordCondition::State::damaged) return;
  // A closed record is one file and its mark.
  sqlite3_wal_checkpoint_v2(connection_->database().getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

int RecordWriter::committed_hook(void* self, sqlite3*, const char*, int pages) {
  static_cast<RecordWriter*>(self)->log_pages_ = static_cast<std::uint64_t>(pages);
  return SQLITE_OK;
}

void RecordWriter::begin(std::unique_ptr<SqliteConnection> connection) {
  connection_ = std::move(connection);
  connection_->count_statements_in(statements_);
  SQLite::Database& database = connection_->database();
  page_bytes_ = static_cast<std::uint64_t>(database.execAndGet("PRAGMA page_size").getInt64());
  log_pages_ = 0;
  sqlite3_wal_hook(database.getHandle(), &RecordWriter::committed_hook, this);
  writer_.emplace(*connection_, *options_.clock, options_.touched_revisions_max);
}

void RecordWriter::drop_connection() {
  writer_.reset();
  connection_.reset();
}

Result<void> RecordWriter::write(const std::vector<Batch*>& batches) {
  if (const RecordCondition now = condition(); now.state == RecordCondition::State::damaged)
    return fail(ErrorCode::read_only, now.text);
  if (!connection_)
    if (const auto opened = open_again(); !opened) return opened;
  if (!mark_)
    if (const auto renewed = renew_mark(); !renewed) return renewed;
  const std::uint64_t rows_before = writer_->rows_written();
  if (const auto written = writer_->write(batches); !written) {
    const Error& error = written.error();
    if (error.code() == ErrorCode::storage_full) set_condition(RecordCondition::State::storage_full, error.text());
    if (error.code() == ErrorCode::read_only) {
      drop_connection();
      set_condition(RecordCondition::State::failing, error.text());
    }
    if (error.code() == ErrorCode::corrupt) {
      damaged(error);
      return fail(ErrorCode::read_only, condition().text);
    }
    return written;
  }
  if (writer_->state() == state_) return {};  // the batches said nothing new
  state_ = writer_->state();
  rows_written_ += writer_->rows_written() - rows_before;
  // The transaction is durable: it is told even when the mark cannot follow. The next one waits for the mark.
  if (const auto marked = mark_->write(state_); !marked) {
    mark_.reset();
    set_condition(marked.error().code() == ErrorCode::storage_full ? RecordCondition::State::storage_full : RecordCondition::State::failing,
                  marked.error().text());
  } else {
    set_condition(RecordCondition::State::good, "");
  }
  return {};
}

Result<void> RecordWriter::open_again() {
  const auto opened = answer_of("opening the record again", [&] {
    begin(std::make_unique<SqliteConnection>(options_.path, SqliteConnection::Mode::write));
    return writer_->state();
  });
  if (!opened) {
    drop_connection();
    if (opened.error().code() == ErrorCode::corrupt) damaged(opened.error());
    const bool tried_again = opened.error().code() != ErrorCode::corrupt;
    if (tried_again) set_condition(RecordCondition::State::failing, opened.error().text());
    return fail(ErrorCode::read_only, opened.error().text());
  }
  if (!(*opened == state_)) {
    drop_connection();
    damaged(Error(ErrorCode::corrupt, "after the disk failed the record stands at change " + std::to_string(opened->sequence.value) +
                                          " instead of " + std::to_string(state_.sequence.value)));
    return fail(ErrorCode::read_only, condition().text);
  }
  log_info("record_opened_again", {{"sequence", std::to_string(state_.sequence.value)}});
  return {};
}

Result<void> RecordWriter::renew_mark() {
  auto made = CommitMark::create(mark_path(options_.path), state_);
  if (!made) return pass_on(made);
  mark_ = std::move(*made);
  return {};
}

void RecordWriter::checkpoint() {
  if (!connection_ || log_pages_ == 0 || condition().state == RecordCondition::State::damaged) return;
  int log_frames = 0, moved_frames = 0;
  sqlite3* const database = connection_->database().getHandle();
  const int code = sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_PASSIVE, &log_frames, &moved_frames);
  if (code == SQLITE_OK && moved_frames == log_frames) log_pages_ = 0;  // the next commit begins the log anew
  if (code == SQLITE_OK || code == SQLITE_BUSY) return;
  const std::string text = std::string("moving the log into the record: ") + sqlite3_errmsg(database);
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return damaged(Error(ErrorCode::corrupt, text));
  // The log still holds everything. What the database file holds is not known: it is written again from the log.
  if (code == SQLITE_FULL) return set_condition(RecordCondition::State::storage_full, text + "; free space on the disk that holds the data folder");
  drop_connection();
  set_condition(RecordCondition::State::failing, text + "; check the disk that holds the data folder");
}

void RecordWriter::try_again() {
  if (write({})) checkpoint();  // a refusal is told by the condition
}

void RecordWriter::release_memory() {
  if (connection_) sqlite3_db_release_memory(connection_->database().getHandle());
}

RecordCondition RecordWriter::condition() const {
  const std::lock_guard lock(mutex_);
  return condition_;
}

void RecordWriter::damaged(const Error& error) {
  set_condition(RecordCondition::State::damaged, "the record is damaged: " + error.text() + advice_for_damage(options_.path));
}

void RecordWriter::set_condition(RecordCondition::State state, const std::string& text) {
  {
    const std::lock_guard lock(mutex_);
    if (condition_.state == RecordCondition::State::damaged || condition_.state == state) return;
    condition_ = {state, text};
  }
  if (state == RecordCondition::State::good) {
    log_info("record_writes_again");
  } else {
    log_error(state == RecordCondition::State::damaged ? "record_damaged" : "record_write_failed",
              {{"condition", std::string(word(state))}, {"reason", text}});
  }
  if (options_.on_condition) options_.on_condition({state, text});
}

}  // namespace millrace::store
