#include "store/internal/sqlite_writer.h"

#include <algorithm>

#include "base/bytes.h"
#include "domain/order_codec.h"
#include "domain/order_rules.h"

namespace millrace::store {
namespace {

// SQLite keeps signed 64 bits; inode numbers use all of them and come back by the same cast.
std::int64_t stored(std::uint64_t value) { return static_cast<std::int64_t>(value); }

void bind_blob(SQLite::Statement& statement, int index, std::string_view bytes) {
  statement.bindNoCopy(index, bytes.data(), static_cast<int>(bytes.size()));
}

std::string flags_blob(const std::vector<std::string>& flags) {
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
      last_(connection.last_sequence()),
      revision_(connection.position().revision) {}

Result<void> SqliteWriter::write(std::vector<Batch*>& batches) {
  feed::Sequence next = last_.next();
  try {
    SQLite::Transaction transaction(connection_.database());
    const Instant now = clock_.now();
    for (Batch* batch : batches) write_batch(*batch, next, now);
    write_state(batches);
    transaction.commit();
  } catch (const SQLite::Exception& exception) {
    return Failure(error_of(exception, "writing the record"));
  }
  last_ = feed::Sequence{next.value - 1};
  ++revision_;
  return {};
}

void SqliteWriter::write_state(const std::vector<Batch*>& batches) {
  const std::uint64_t revision = revision_ + 1;
  SQLite::Statement& state = connection_.statement("state_put");
  state.bind(1, stored(revision));
  run(state);
  std::string touched;
  ByteWriter out(touched);
  for (const Batch* batch : batches) put_touched(out, *batch);
  if (touched.empty()) return;
  SQLite::Statement& append = connection_.statement("touch_append");
  append.bind(1, stored(revision));
  bind_blob(append, 2, touched);
  run(append);
  if (revision <= touched_revisions_max_) return;
  SQLite::Statement& forget = connection_.statement("touch_forget");
  forget.bind(1, stored(revision - touched_revisions_max_));
  run(forget);
}

void SqliteWriter::write_batch(Batch& batch, feed::Sequence& next, Instant now) {
  write_files(batch);
  write_candidates(batch);
  for (feed::Change& change : batch.changes) {
    change.sequence = next;
    change.at = now;
    next = next.next();
    write_change(change);
  }
}

void SqliteWriter::write_files(const Batch& batch) {
  for (const std::string& path : batch.files_removed) {
    SQLite::Statement& statement = connection_.statement("file_remove");
    statement.bind(1, batch.source);
    bind_blob(statement, 2, path);
    run(statement);
  }
  for (const FileRecord& file : batch.files_put) {
    SQLite::Statement& statement = connection_.statement("file_put");
    statement.bind(1, batch.source);
    bind_blob(statement, 2, file.path);
    statement.bind(3, stored(file.size));
    statement.bind(4, file.mtime_ns);
    statement.bind(5, stored(file.inode));
    bind_blob(statement, 6, {reinterpret_cast<const char*>(file.hash.bytes.data()), file.hash.bytes.size()});
    statement.bind(7, static_cast<int>(file.state));
    statement.bind(8, file.format);
    statement.bind(9, std::int64_t{file.read_at.time_since_epoch().count()});
    run(statement);
  }
}

void SqliteWriter::write_candidates(const Batch& batch) {
  const auto remove = [&](const std::string& path) {
    SQLite::Statement& statement = connection_.statement("candidates_remove");
    statement.bind(1, batch.source);
    bind_blob(statement, 2, path);
    run(statement);
  };
  for (const std::string& path : batch.candidates_removed) remove(path);
  for (const Candidate& candidate : batch.candidates_put) {
    if (candidate.ordinal == 0) remove(candidate.path);
    const std::string content = encode(*candidate.order), flags = flags_blob(candidate.flags);
    SQLite::Statement& statement = connection_.statement("candidate_put");
    statement.bind(1, batch.source);
    bind_blob(statement, 2, candidate.path);
    statement.bind(3, static_cast<std::int64_t>(candidate.ordinal));
    bind_blob(statement, 4, content);
    bind_blob(statement, 5, flags);
    run(statement);
  }
}

void SqliteWriter::write_change(const feed::Change& change) {
  const std::string payload = feed::encode_payload(change);
  SQLite::Statement& statement = connection_.statement("change_append");
  statement.bind(1, stored(change.sequence.value));
  statement.bind(2, std::int64_t{change.at.time_since_epoch().count()});
  statement.bind(3, static_cast<int>(change.kind));
  statement.bind(4, feed::subject(change));
  bind_blob(statement, 5, payload);
  run(statement);
  if (change.kind == feed::ChangeKind::order_put) {
    write_order(change);
  } else if (change.kind == feed::ChangeKind::order_removed) {
    SQLite::Statement& remove = connection_.statement("order_remove");
    remove.bind(1, change.removed.number.text);
    run(remove);
  } else if (change.kind == feed::ChangeKind::rejection_put) {
    SQLite::Statement& put = connection_.statement("rejection_put");
    put.bind(1, stored(change.rejection_put.rejection.id));
    put.bind(2, stored(change.sequence.value));
    bind_blob(put, 3, payload);
    run(put);
  } else {
    SQLite::Statement& remove = connection_.statement("rejection_remove");
    remove.bind(1, stored(change.rejection_removed.id));
    run(remove);
  }
}

void SqliteWriter::write_order(const feed::Change& change) {
  const SalesOrder& order = *change.put.order;
  const OrderAmounts sums = amounts(order);
  SQLite::Statement& statement = connection_.statement("order_put");
  statement.bind(1, order.number.text);
  statement.bind(2, stored(change.sequence.value));
  statement.bind(3, order.status);
  statement.bind(4, order.customer_code);
  statement.bind(5, order.currency.code());
  statement.bind(6, static_cast<std::int64_t>(order.lines.size()));
  statement.bind(7, sums.total);
  statement.bind(8, sums.open);
  if (order.updated) {
    statement.bind(9, std::int64_t{order.updated->time_since_epoch().count()});
  } else {
    statement.bind(9);
  }
  run(statement);
}

void SqliteWriter::run(SQLite::Statement& statement) {
  statement.exec();
  ++rows_written_;
  // Bound views must not outlive this row.
  statement.reset();
  statement.clearBindings();
}

}  // namespace millrace::store
