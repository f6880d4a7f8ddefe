#include "store/internal/sqlite_rows.h"

#include <cstring>

#include "base/bytes.h"
#include "base/text.h"
#include "domain/order_codec.h"

namespace millrace::store {
namespace {

constexpr std::uint64_t rows_between_progress = 4096;

std::string_view bytes_of(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<std::size_t>(column.getBytes())};
}

void expect(bool same, const std::string& what) {
  if (!same) throw DamagedRow{what + " is not what was written"};
}

// The four columns of a change from `first` on, and its checksum.
feed::Change change_at(SQLite::Statement& row, int first) {
  if (row.getColumn(first).isNull()) throw DamagedRow{"a change that is referred to is missing"};
  const std::int64_t sequence = row.getColumn(first).getInt64(), at_ms = row.getColumn(first + 1).getInt64();
  const int kind = row.getColumn(first + 2).getInt();
  const SQLite::Column payload = row.getColumn(first + 3);
  const std::string name = "change " + std::to_string(sequence);
  expect(row.getColumn(first + 4).getInt64() == checksum_of_change(sequence, at_ms, kind, bytes_of(payload)), name);
  auto change = feed::decode_payload(static_cast<feed::ChangeKind>(kind), bytes_of(payload));
  if (!change) throw DamagedRow{name + " cannot be read: " + change.error().text()};
  change->sequence = feed::Sequence{static_cast<std::uint64_t>(sequence)};
  change->at = Instant{std::chrono::milliseconds{at_ms}};
  return std::move(*change);
}

std::int64_t verified_candidate(SQLite::Statement& row) {
  const SQLite::Column source = row.getColumn(0), path = row.getColumn(1), content = row.getColumn(4), flags = row.getColumn(5);
  const std::int64_t checksum = row.getColumn(6).getInt64();
  const bool same = checksum == checksum_of_candidate(bytes_of(source), bytes_of(path), row.getColumn(2).getInt64(),
                                                      row.getColumn(3).getInt64(), bytes_of(content), bytes_of(flags));
  if (!same) throw DamagedRow{"what " + printable(bytes_of(path)) + " said is not what was written"};
  return checksum;
}

std::int64_t verified_rejection(SQLite::Statement& row) {
  const std::int64_t checksum = row.getColumn(2).getInt64();
  expect(checksum == checksum_of_rejection(row.getColumn(0).getInt64(), bytes_of(row.getColumn(1))), "a rejection");
  return checksum;
}

std::int64_t verified_kept(SQLite::Statement& row) {
  const SQLite::Column space = row.getColumn(0), key = row.getColumn(1), content = row.getColumn(2);
  const std::int64_t checksum = row.getColumn(3).getInt64();
  if (checksum != checksum_of_kept(bytes_of(space), bytes_of(key), bytes_of(content)))
    throw DamagedRow{"what is kept as " + printable(bytes_of(space)) + " " + printable(bytes_of(key)) + " is not what was written"};
  return checksum;
}

// Calls `row` for every row of the statement.
class Rows {
 public:
  Rows(SqliteConnection& connection, const std::function<bool(std::uint64_t)>& progress)
      : connection_(connection), progress_(progress) {}

  template <class Row>
  TableSum sum(std::string_view statement, Row row) {
    TableSum table;
    SQLite::Statement& rows = connection_.statement(statement);
    const ResetAtEnd reset(rows);
    while (!stopped_ && rows.executeStep()) {
      table.add(row(rows));
      if (++read_ % rows_between_progress == 0 && progress_) stopped_ = !progress_(read_);
    }
    return table;
  }

 private:
  SqliteConnection& connection_;
  const std::function<bool(std::uint64_t)>& progress_;
  std::uint64_t read_ = 0;
  bool stopped_ = false;
};

std::int64_t history_checksum(SQLite::Statement& row) {
  return checksum_of_history(bytes_of(row.getColumn(0)), row.getColumn(1).getInt64());
}

}  // namespace

std::int64_t checksum_of_change(std::int64_t sequence, std::int64_t at_ms, int kind, std::string_view payload) {
  return RowChecksum(RowOf::change).add(sequence).add(at_ms).add(std::int64_t{kind}).add(payload).value();
}

std::int64_t checksum_of_history(std::string_view number, std::int64_t sequence) {
  return RowChecksum(RowOf::history).add(number).add(sequence).value();
}

std::int64_t checksum_of_file(std::string_view source, const FileRecord& file) {
  const std::string_view hash(reinterpret_cast<const char*>(file.hash.bytes.data()), file.hash.bytes.size());
  return RowChecksum(RowOf::file)
      .add(source)
      .add(file.path)
      .add(stored(file.size))
      .add(file.mtime_ns)
      .add(stored(file.inode))
      .add(hash)
      .add(static_cast<std::int64_t>(file.state))
      .add(file.format)
      .add(std::int64_t{file.read_at.time_since_epoch().count()})
      .value();
}

std::int64_t checksum_of_candidate(std::string_view source, std::string_view path, std::int64_t ordinal,
                                   std::int64_t sequence, std::string_view content, std::string_view flags) {
  return RowChecksum(RowOf::candidate).add(source).add(path).add(ordinal).add(sequence).add(content).add(flags).value();
}

std::int64_t checksum_of_rejection(std::int64_t id, std::string_view payload) {
  return RowChecksum(RowOf::rejection).add(id).add(payload).value();
}

std::int64_t checksum_of_kept(std::string_view space, std::string_view key, std::string_view content) {
  return RowChecksum(RowOf::kept).add(space).add(key).add(content).value();
}

std::int64_t checksum_of_touch(std::int64_t revision, std::int64_t previous, std::string_view files) {
  return RowChecksum(RowOf::touch).add(revision).add(previous).add(files).value();
}

feed::Change change_of(SQLite::Statement& row) { return change_at(row, 0); }

FileRecord file_of(SQLite::Statement& row) {
  FileRecord file;
  file.path = row.getColumn(1).getString();
  file.size = static_cast<std::uint64_t>(row.getColumn(2).getInt64());
  file.mtime_ns = row.getColumn(3).getInt64();
  file.inode = static_cast<std::uint64_t>(row.getColumn(4).getInt64());
  const SQLite::Column hash = row.getColumn(5);
  expect(hash.getBytes() == static_cast<int>(file.hash.bytes.size()), "the hash of a file");
  std::memcpy(file.hash.bytes.data(), hash.getBlob(), file.hash.bytes.size());
  file.state = static_cast<FileRecord::State>(row.getColumn(6).getInt());
  file.format = row.getColumn(7).getString();
  file.read_at = Instant{std::chrono::milliseconds{row.getColumn(8).getInt64()}};
  expect(row.getColumn(9).getInt64() == checksum_of_file(bytes_of(row.getColumn(0)), file), "what is known of the file " + printable(file.path));
  return file;
}

Candidate candidate_of(SQLite::Statement& row) {
  verified_candidate(row);
  Candidate candidate;
  candidate.path = row.getColumn(1).getString();
  candidate.ordinal = static_cast<std::uint32_t>(row.getColumn(2).getInt64());
  const std::string_view content = bytes_of(row.getColumn(4));
  if (row.getColumn(3).getInt64() > 0) {
    const feed::Change change = change_at(row, 7);
    if (change.kind != feed::ChangeKind::order_put) throw DamagedRow{"a document refers to a change that holds no order"};
    SalesOrder order = *change.put.order;
    order.status = content;
    candidate.order = std::make_shared<const SalesOrder>(std::move(order));
  } else {
    auto order = decode_order(content);
    if (!order) throw DamagedRow{"a candidate cannot be read: " + order.error().text()};
    candidate.order = std::make_shared<const SalesOrder>(std::move(*order));
  }
  ByteReader flags(bytes_of(row.getColumn(5)));
  const std::size_t count = flags.count();
  for (std::size_t i = 0; i < count && flags.ok(); ++i) candidate.flags.emplace_back(flags.text());
  if (!flags.ok()) throw DamagedRow{"a candidate's flags cannot be read"};
  return candidate;
}

feed::Rejection rejection_of(SQLite::Statement& row) {
  verified_rejection(row);
  auto change = feed::decode_payload(feed::ChangeKind::rejection_put, bytes_of(row.getColumn(1)));
  if (!change) throw DamagedRow{"a rejection cannot be read: " + change.error().text()};
  return std::move(change->rejection_put.rejection);
}

KeptRow kept_of(SQLite::Statement& row) {
  verified_kept(row);
  return {std::string(bytes_of(row.getColumn(0))), std::string(bytes_of(row.getColumn(1))), std::string(bytes_of(row.getColumn(2)))};
}

Touch touch_of(SQLite::Statement& row) {
  const std::int64_t revision = row.getColumn(0).getInt64(), previous = row.getColumn(1).getInt64();
  Touch touch{static_cast<std::uint64_t>(revision), static_cast<std::uint64_t>(previous), std::string(bytes_of(row.getColumn(2)))};
  expect(row.getColumn(3).getInt64() == checksum_of_touch(revision, previous, touch.files), "a list of touched files");
  return touch;
}

RecordState read_state(SqliteConnection& connection) {
  SQLite::Statement& row = connection.statement("state_now");
  const ResetAtEnd reset(row);
  if (!row.executeStep()) throw DamagedRow{"the state of the record is missing"};
  const std::string_view content = bytes_of(row.getColumn(0));
  expect(row.getColumn(1).getInt64() == RowChecksum(RowOf::state).add(content).value(), "the state of the record");
  auto state = decode_state(content);
  if (!state) throw DamagedRow{state.error().text()};
  return *state;
}

void write_state(SqliteConnection& connection, const RecordState& state) {
  const std::string content = encode(state);
  SQLite::Statement& row = connection.statement("state_put");
  row.bindNoCopy(1, content.data(), static_cast<int>(content.size()));
  row.bind(2, RowChecksum(RowOf::state).add(content).value());
  row.exec();
  row.reset();
  row.clearBindings();
}

namespace {

RecordSums sum_first_tables(SqliteConnection& connection, Rows& rows) {
  RecordSums sums;
  std::int64_t before = 0;
  SQLite::Statement& changes = connection.statement("changes_after");
  changes.bind(1, std::int64_t{0});
  changes.bind(2, std::int64_t{-1});
  // Only the checksums: decoding every payload would cost ten times as much and say nothing more.
  sums.changes = rows.sum("changes_after", [&](SQLite::Statement& row) {
    const std::int64_t sequence = row.getColumn(0).getInt64(), checksum = row.getColumn(4).getInt64();
    if (sequence != before + 1) throw DamagedRow{"change " + std::to_string(before + 1) + " is missing"};
    before = sequence;
    expect(checksum == checksum_of_change(sequence, row.getColumn(1).getInt64(), row.getColumn(2).getInt(), bytes_of(row.getColumn(3))),
           "change " + std::to_string(sequence));
    return checksum;
  });
  sums.histories = rows.sum("histories_all", history_checksum);
  sums.files = rows.sum("files_all", [](SQLite::Statement& row) { return file_of(row), row.getColumn(9).getInt64(); });
  sums.candidates = rows.sum("candidates_all", [&](SQLite::Statement& row) {
    if (row.getColumn(3).getInt64() > before) throw DamagedRow{"a document refers to a change that is missing"};
    return verified_candidate(row);
  });
  sums.rejections = rows.sum("rejections_all", verified_rejection);
  connection.statement("touches_after").bind(1, std::int64_t{0});
  std::uint64_t touched = 0;
  rows.sum("touches_after", [&](SQLite::Statement& row) {
    const Touch touch = touch_of(row);
    if (touched != 0 && touch.previous != touched) throw DamagedRow{"a list of touched files is missing"};
    touched = touch.revision;
    return std::int64_t{0};
  });
  return sums;
}

}  // namespace

RecordSums sum_rows(SqliteConnection& connection, const std::function<bool(std::uint64_t rows)>& progress) {
  Rows rows(connection, progress);
  RecordSums sums = sum_first_tables(connection, rows);
  sums.kept = rows.sum("kept_all", verified_kept);
  return sums;
}

RecordSums sum_rows_of_format_three(SqliteConnection& connection) {
  const std::function<bool(std::uint64_t)> nobody;
  Rows rows(connection, nobody);
  return sum_first_tables(connection, rows);
}

TableSum sum_histories(SqliteConnection& connection, const std::function<bool(std::uint64_t rows)>& progress) {
  return Rows(connection, progress).sum("histories_all", history_checksum);
}

TableSum sum_kept(SqliteConnection& connection) {
  const std::function<bool(std::uint64_t)> nobody;
  return Rows(connection, nobody).sum("kept_all", verified_kept);
}

std::string difference(const RecordState& state, const RecordSums& sums) {
  std::string text;
  const auto compare = [&](const TableSum& said, const TableSum& found, const std::string& noun) {
    if (said == found) return;
    text += (text.empty() ? "" : ", ") + std::to_string(found.count) + " of " + std::to_string(said.count) + " " + noun +
            (said.count == found.count ? " with another content" : "");
  };
  compare(state.sums.changes, sums.changes, "changes");
  compare(state.sums.histories, sums.histories, "history entries");
  compare(state.sums.files, sums.files, "files");
  compare(state.sums.candidates, sums.candidates, "documents");
  compare(state.sums.rejections, sums.rejections, "rejections");
  compare(state.sums.kept, sums.kept, "kept rows");
  if (state.sequence.value != state.sums.changes.count) text += (text.empty() ? "" : ", ") + std::string("the last change is missing");
  return text.empty() ? text : "found " + text;
}

}  // namespace millrace::store
