#include "store/internal/sqlite_writer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/turns.h"
#include "domain/order_codec.h"

namespace millrace::store {
namespace {

// Nothing is copied: what is bound lives until the statement has run, and every value is bound anew before it runs again.
void bind_bytes(SQLite::Statement& statement, int index, std::string_view bytes) {
  // A null pointer would be bound as NULL.
  statement.bindNoCopy(index, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()));
}

void bind_text(SQLite::Statement& statement, int index, const std::string& text) { statement.bindNoCopy(index, text); }

std::string flags_bytes(const std::vector<std::string>& flags) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(flags.size());
  for (const std::string& flag : flags) out.text(flag);
  return bytes;
}

// source, count, paths: the files a batch touches, each once.
void put_touched(ByteWriter& out, const Batch& batch) {
  std::vector<std::string_view> paths(batch.files_removed.begin(), batch.files_removed.end());
  for (const FileRecord& file : batch.files_put) paths.push_back(file.path);
  for (const Candidate& candidate : batch.candidates_put) paths.push_back(candidate.path);
  paths.insert(paths.end(), batch.candidates_removed.begin(), batch.candidates_removed.end());
  std::ranges::sort(paths);
  const auto repeated = std::ranges::unique(paths);
  paths.erase(repeated.begin(), repeated.end());
  if (paths.empty()) return;
  out.text(batch.source);
  out.varint(paths.size());
  for (const std::string_view path : paths) out.text(path);
}

}  // namespace

SqliteWriter::SqliteWriter(SqliteConnection& connection, const Clock& clock, std::uint64_t touched_revisions_max)
    : connection_(connection),
      clock_(clock),
      touched_revisions_max_(touched_revisions_max),
      state_(read_state(connection)),
      change_append_(connection.statement("change_append")),
      history_append_(connection.statement("history_append")),
      file_add_(connection.statement("file_add")),
      candidate_add_(connection.statement("candidate_add")) {}

Result<void> SqliteWriter::write(const std::vector<Batch*>& batches) {
  next_ = state_;
  try {
    SQLite::Transaction transaction(connection_.database(), SQLite::TransactionBehavior::IMMEDIATE);
    const Instant now = clock_.now();
    ++next_.revision;
    const std::uint64_t rows_before = rows_written_;
    for (Batch* batch : batches) write_batch(*batch, now);
    write_touched(batches);
    if (!batches.empty() && rows_written_ == rows_before) return {};
    write_state(connection_, next_);
    transaction.commit();
  } catch (const SQLite::Exception& exception) {
    return Failure(error_of(exception, "writing the record", true));
  }
  state_ = next_;
  return {};
}

void SqliteWriter::write_touched(const std::vector<Batch*>& batches) {
  std::string touched;
  ByteWriter out(touched);
  for (const Batch* batch : batches) put_touched(out, *batch);
  if (touched.empty()) return;
  const std::int64_t revision = stored(next_.revision), previous = stored(next_.touched);
  SQLite::Statement& append = connection_.statement("touch_append");
  append.bind(1, revision);
  append.bind(2, previous);
  bind_bytes(append, 3, touched);
  append.bind(4, checksum_of_touch(revision, previous, touched));
  run(append);
  next_.touched = next_.revision;
  if (next_.revision <= touched_revisions_max_) return;
  SQLite::Statement& forget = connection_.statement("touch_forget");
  forget.bind(1, stored(next_.revision - touched_revisions_max_));
  run(forget);
}

void SqliteWriter::write_batch(Batch& batch, Instant now) {
  for (feed::Change& change : batch.changes) {
    change.sequence = next_.sequence = next_.sequence.next();
    change.at = now;
  }
  write_candidates(batch, write_files(batch));
  for (const feed::Change& change : batch.changes) {
    give_turn();
    write_change(change);
  }
  write_kept(batch);
}

void SqliteWriter::write_kept(const Batch& batch) {
  for (const KeptKey& kept : batch.kept_removed) remove(bound("kept_forget", kept.space, kept.key), next_.sums.kept);
  for (const KeptRow& kept : batch.kept_put) {
    give_turn();
    write_kept_row(kept);
  }
}

void SqliteWriter::write_kept_row(const KeptRow& kept) {
  const std::int64_t checksum = checksum_of_kept(kept.space, kept.key, kept.content);
  {
    SQLite::Statement& there = bound("kept_one", kept.space, kept.key);
    const ResetAtEnd reset(there);
    if (there.executeStep()) {
      const SQLite::Column content = there.getColumn(2);
      const std::int64_t checksum_there = there.getColumn(3).getInt64();
      const std::string_view bytes(static_cast<const char*>(content.getBlob()), static_cast<std::size_t>(content.getBytes()));
      if (checksum_there == checksum && bytes == kept.content) return;
      next_.sums.kept.remove(checksum_there);
    }
  }
  SQLite::Statement& row = bound("kept_put", kept.space, kept.key);
  bind_bytes(row, 3, kept.content);
  row.bind(4, checksum);
  run(row);
  next_.sums.kept.add(checksum);
}

// Answers the paths that the record did not know before: they cannot have candidates.
SqliteWriter::Paths SqliteWriter::write_files(const Batch& batch) {
  for (const std::string& path : batch.files_removed) remove_file(batch.source, path);
  Paths fresh;
  fresh.reserve(batch.files_put.size());
  for (const FileRecord& file : batch.files_put) {
    give_turn();
    const std::int64_t checksum = checksum_of_file(batch.source, file);
    bind_text(file_add_, 1, batch.source);
    bind_bytes(file_add_, 2, file.path);
    file_add_.bind(3, stored(file.size));
    file_add_.bind(4, file.mtime_ns);
    file_add_.bind(5, stored(file.inode));
    bind_bytes(file_add_, 6, {reinterpret_cast<const char*>(file.hash.bytes.data()), file.hash.bytes.size()});
    file_add_.bind(7, static_cast<int>(file.state));
    bind_text(file_add_, 8, file.format);
    file_add_.bind(9, std::int64_t{file.read_at.time_since_epoch().count()});
    file_add_.bind(10, checksum);
    if (run(file_add_)) {
      fresh.insert(file.path);
    } else {
      remove(bound("file_forget", batch.source, file.path), next_.sums.files);
      run(file_add_);
    }
    next_.sums.files.add(checksum);
  }
  return fresh;
}

// `cleared`: paths whose former candidates are gone already.
void SqliteWriter::write_candidates(const Batch& batch, Paths cleared) {
  for (const std::string& path : batch.candidates_removed) remove_candidates(batch.source, path);
  ByNumber changes;
  changes.reserve(batch.changes.size());
  for (const feed::Change& change : batch.changes)
    if (change.kind == feed::ChangeKind::order_put) changes.insert_or_assign(change.put.order->number.text, &change);
  for (const Candidate& candidate : batch.candidates_put) {
    give_turn();
    if (cleared.insert(candidate.path).second) remove_candidates(batch.source, candidate.path);
    write_candidate(batch, candidate, changes);
  }
}

void SqliteWriter::write_candidate(const Batch& batch, const Candidate& candidate, const ByNumber& changes) {
  const auto change = changes.find(candidate.order->number.text);
  // The folder gives the status of the order that counts; everything else is what the document says.
  const bool told = change != changes.end() && equal_but_status(*change->second->put.order, *candidate.order);
  const std::int64_t sequence = told ? stored(change->second->sequence.value) : 0;
  const std::string content = told ? candidate.order->status : encode(*candidate.order);
  const std::string flags = flags_bytes(candidate.flags);
  const std::int64_t checksum = checksum_of_candidate(batch.source, candidate.path, candidate.ordinal, sequence, content, flags);
  bind_text(candidate_add_, 1, batch.source);
  bind_bytes(candidate_add_, 2, candidate.path);
  candidate_add_.bind(3, static_cast<std::int64_t>(candidate.ordinal));
  candidate_add_.bind(4, sequence);
  bind_bytes(candidate_add_, 5, content);
  bind_bytes(candidate_add_, 6, flags);
  candidate_add_.bind(7, checksum);
  if (!run(candidate_add_)) {  // the same ordinal twice: the last one stands
    SQLite::Statement& forget = bound("candidate_forget", batch.source, candidate.path);
    forget.bind(3, static_cast<std::int64_t>(candidate.ordinal));
    remove(forget, next_.sums.candidates);
    run(candidate_add_);
  }
  next_.sums.candidates.add(checksum);
}

void SqliteWriter::write_change(const feed::Change& change) {
  const std::string payload = feed::encode_payload(change);
  const std::int64_t sequence = stored(change.sequence.value), at_ms = change.at.time_since_epoch().count();
  const std::int64_t checksum = checksum_of_change(sequence, at_ms, static_cast<int>(change.kind), payload);
  change_append_.bind(1, sequence);
  change_append_.bind(2, at_ms);
  change_append_.bind(3, static_cast<int>(change.kind));
  bind_bytes(change_append_, 4, payload);
  change_append_.bind(5, checksum);
  run(change_append_);
  next_.sums.changes.add(checksum);
  if (feed::is_of_finance(change.kind)) return;  // what stands now is a kept row of its batch
  if (!feed::is_of_order(change.kind)) return write_rejection(change, payload);
  const std::string number = feed::subject(change);
  bind_text(history_append_, 1, number);
  history_append_.bind(2, sequence);
  run(history_append_);
  next_.sums.histories.add(checksum_of_history(number, sequence));
}

void SqliteWriter::write_rejection(const feed::Change& change, std::string_view payload) {
  const bool stands = change.kind == feed::ChangeKind::rejection_put;
  const std::int64_t id = stored(stands ? change.rejection_put.rejection.id : change.rejection_removed.id);
  SQLite::Statement& forget = connection_.statement("rejection_forget");
  forget.bind(1, id);
  remove(forget, next_.sums.rejections);
  if (!stands) return;
  const std::int64_t checksum = checksum_of_rejection(id, payload);
  SQLite::Statement& add = connection_.statement("rejection_add");
  add.bind(1, id);
  bind_bytes(add, 2, payload);
  add.bind(3, checksum);
  run(add);
  next_.sums.rejections.add(checksum);
}

void SqliteWriter::remove_file(const std::string& source, const std::string& path) {
  remove(bound("file_forget", source, path), next_.sums.files);
  remove_candidates(source, path);
}

void SqliteWriter::remove_candidates(const std::string& source, const std::string& path) {
  remove(bound("candidates_forget", source, path), next_.sums.candidates);
}

SQLite::Statement& SqliteWriter::bound(std::string_view name, const std::string& owner, const std::string& key) {
  SQLite::Statement& statement = connection_.statement(name);
  bind_text(statement, 1, owner);
  bind_bytes(statement, 2, key);
  return statement;
}

bool SqliteWriter::run(SQLite::Statement& statement) {
  const ResetAtEnd reset(statement);
  const int rows = statement.exec();
  rows_written_ += static_cast<std::uint64_t>(rows);
  return rows > 0;
}

void SqliteWriter::remove(SQLite::Statement& statement, TableSum& table) {
  const ResetAtEnd reset(statement);
  for (; statement.executeStep(); ++rows_written_) table.remove(statement.getColumn(0).getInt64());
}

}  // namespace millrace::store
