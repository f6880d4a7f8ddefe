#include "store/internal/sqlite_reader.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/text.h"

namespace millrace::store {
namespace {

// Whose row it is, and its path or key: bytes.
void bind_key(SQLite::Statement& statement, const std::string& owner, const std::string& key) {
  statement.bind(1, owner);
  statement.bind(2, key.data(), static_cast<int>(key.size()));
}

}  // namespace

SqliteReader::SqliteReader(const std::string& path, std::function<void(const Error&)> on_damage)
    : on_damage_(std::move(on_damage)), connection_(path, SqliteConnection::Mode::read) {
  connection_.count_statements_in(statements_);
}

template <class Question>
auto SqliteReader::answer(const std::string& doing, Question question) -> Result<decltype(question())> {
  auto answered = [&] {
    const std::lock_guard lock(mutex_);
    return answer_of(doing, [&] {
      SQLite::Transaction transaction(connection_.database());  // all of an answer is of one moment
      return question();
    });
  }();
  if (!answered && answered.error().code() == ErrorCode::corrupt && on_damage_) on_damage_(answered.error());
  return answered;
}

Result<std::vector<feed::Change>> SqliteReader::changes_after(feed::Sequence after, std::size_t limit) {
  return answer("reading changes", [&] {
    std::vector<feed::Change> found;
    const feed::Sequence last = read_state(connection_).sequence;
    SQLite::Statement& rows = connection_.statement("changes_after");
    const ResetAtEnd reset(rows);
    rows.bind(1, stored(after.value));
    rows.bind(2, static_cast<std::int64_t>(limit));
    feed::Sequence expected = after.next();
    while (rows.executeStep()) {
      found.push_back(change_of(rows));
      if (found.back().sequence != expected) throw DamagedRow{"change " + std::to_string(expected.value) + " is missing"};
      expected = expected.next();
    }
    if (found.size() < limit && expected <= last) throw DamagedRow{"change " + std::to_string(expected.value) + " is missing"};
    return found;
  });
}

Result<feed::Sequence> SqliteReader::last_sequence() {
  return answer("reading the last change", [&] { return read_state(connection_).sequence; });
}

// A lost entry would make a history shorter without a trace, so the whole list of entries is verified before the first
// answer: some 15 ms for 100,000 orders.
void SqliteReader::verify_histories_once() {
  if (histories_verified_) return;
  if (sum_histories(connection_, {}) != read_state(connection_).sums.histories) throw DamagedRow{"entries of the histories are missing"};
  histories_verified_ = true;
}

Result<std::vector<feed::Change>> SqliteReader::changes_of_order(const OrderNumber& number, std::size_t limit) {
  return answer("reading the history of order " + number.text, [&] {
    verify_histories_once();
    SQLite::Statement& rows = connection_.statement("changes_of_order");
    const ResetAtEnd reset(rows);
    rows.bind(1, number.text);
    rows.bind(2, static_cast<std::int64_t>(limit));
    std::vector<feed::Change> found;
    while (rows.executeStep()) {
      found.push_back(change_of(rows));
      if (feed::subject(found.back()) != number.text) throw DamagedRow{"a change of another order is in its history"};
    }
    std::ranges::reverse(found);
    return found;
  });
}

Result<std::vector<FileRecord>> SqliteReader::files(const std::string& source) {
  return answer("reading the known files", [&] {
    std::vector<FileRecord> found;
    SQLite::Statement& rows = connection_.statement("files_of_source");
    const ResetAtEnd reset(rows);
    rows.bind(1, source);
    while (rows.executeStep()) found.push_back(file_of(rows));
    return found;
  });
}

Result<void> SqliteReader::candidates(const std::string& source, const std::function<bool(Candidate)>& row) {
  const auto done = answer("reading the candidates", [&] {
    SQLite::Statement& rows = connection_.statement("candidates_of_source");
    const ResetAtEnd reset(rows);
    rows.bind(1, source);
    while (rows.executeStep() && row(candidate_of(rows))) {
    }
    return true;
  });
  if (!done) return pass_on(done);
  return {};
}

Result<Candidate> SqliteReader::candidate(const std::string& source, const std::string& path, std::uint32_t ordinal) {
  const auto found = answer("reading what " + printable(path) + " says", [&]() -> std::optional<Candidate> {
    SQLite::Statement& row = connection_.statement("candidate_of_file");
    const ResetAtEnd reset(row);
    bind_key(row, source, path);
    row.bind(3, static_cast<std::int64_t>(ordinal));
    if (!row.executeStep()) return std::nullopt;
    return candidate_of(row);
  });
  if (!found) return pass_on(found);
  if (!*found) return fail(ErrorCode::not_found, "the record has no order from " + printable(path));
  return **found;
}

Result<std::vector<feed::Rejection>> SqliteReader::rejections() {
  return answer("reading the rejections", [&] {
    const TableSum said = read_state(connection_).sums.rejections;
    std::vector<feed::Rejection> found;
    TableSum sum;
    SQLite::Statement& rows = connection_.statement("rejections_all");
    const ResetAtEnd reset(rows);
    while (rows.executeStep()) {
      found.push_back(rejection_of(rows));
      sum.add(rows.getColumn(2).getInt64());
    }
    if (sum != said) throw DamagedRow{"found " + std::to_string(sum.count) + " of " + std::to_string(said.count) + " rejections"};
    return found;
  });
}

// A row that is lost or went to another space would make an answer short without a trace, so all are verified before the
// first one.
void SqliteReader::verify_kept_once() {
  if (kept_verified_) return;
  const TableSum said = read_state(connection_).sums.kept, found = sum_kept(connection_);
  if (found != said) throw DamagedRow{"found " + std::to_string(found.count) + " of " + std::to_string(said.count) + " kept rows"};
  kept_verified_ = true;
}

Result<void> SqliteReader::kept(const std::string& space, const std::function<bool(KeptRow)>& row) {
  const auto done = answer("reading what is kept as " + printable(space), [&] {
    verify_kept_once();
    SQLite::Statement& rows = connection_.statement("kept_of_space");
    const ResetAtEnd reset(rows);
    rows.bind(1, space);
    while (rows.executeStep() && row(kept_of(rows))) {
    }
    return true;
  });
  if (!done) return pass_on(done);
  return {};
}

Result<std::optional<std::string>> SqliteReader::kept_one(const std::string& space, const std::string& key) {
  return answer("reading what is kept as " + printable(space), [&]() -> std::optional<std::string> {
    verify_kept_once();
    SQLite::Statement& row = connection_.statement("kept_one");
    const ResetAtEnd reset(row);
    bind_key(row, space, key);
    if (!row.executeStep()) return std::nullopt;
    return kept_of(row).content;
  });
}

Result<RecordState> SqliteReader::state() {
  return answer("reading where the record stands", [&] { return read_state(connection_); });
}

Result<std::vector<FileNow>> SqliteReader::files_changed_after(std::uint64_t revision, std::uint64_t revisions_max, std::size_t files_max) {
  auto found = answer("reading the touched files", [&]() -> std::optional<std::vector<FileNow>> {
    const auto touched = touched_after(revision, revisions_max, files_max);
    if (!touched) return std::nullopt;
    std::vector<FileNow> files;
    files.reserve(touched->size());
    for (const auto& [source, path] : *touched) files.push_back(file_now(source, path));
    return files;
  });
  if (!found) return pass_on(found);
  if (!*found) return fail(ErrorCode::limit_reached, "too much happened after revision " + std::to_string(revision) + ": read everything");
  return std::move(**found);
}

// Nothing when the list does not go back that far, or is too long.
std::optional<SqliteReader::Touched> SqliteReader::touched_after(std::uint64_t revision, std::uint64_t revisions_max, std::size_t files_max) {
  const RecordState now = read_state(connection_);
  if (revision > now.revision || now.revision - revision > revisions_max || revision < now.touched_floor) return std::nullopt;
  Touched touched;
  SQLite::Statement& rows = connection_.statement("touches_after");
  const ResetAtEnd reset(rows);
  rows.bind(1, stored(revision));
  std::uint64_t last = revision;  // of the chain of rows
  while (rows.executeStep()) {
    const Touch touch = touch_of(rows);
    const bool first = touched.empty() && last == revision;
    if (first ? touch.previous > revision : touch.previous != last) throw DamagedRow{"a list of touched files is missing"};
    last = touch.revision;
    ByteReader in(touch.files);
    while (in.ok() && !in.at_end()) {
      const std::string source(in.text());
      const std::size_t count = in.count();
      for (std::size_t i = 0; i < count && in.ok(); ++i) touched.emplace_back(source, in.text());
    }
    if (!in.ok()) throw DamagedRow{"a list of touched files cannot be read"};
    if (touched.size() > 4 * files_max) return std::nullopt;
  }
  if (last != std::max(now.touched, revision)) throw DamagedRow{"the last list of touched files is missing"};
  std::ranges::sort(touched);
  const auto repeated = std::ranges::unique(touched);
  touched.erase(repeated.begin(), repeated.end());
  if (touched.size() > files_max) return std::nullopt;
  return touched;
}

FileNow SqliteReader::file_now(const std::string& source, const std::string& path) {
  FileNow now{source, path, std::nullopt, {}};
  SQLite::Statement& file = connection_.statement("file_one");
  const ResetAtEnd reset_file(file);
  bind_key(file, source, path);
  if (file.executeStep()) now.file = file_of(file);
  SQLite::Statement& candidates = connection_.statement("candidates_of_file");
  const ResetAtEnd reset_candidates(candidates);
  bind_key(candidates, source, path);
  while (candidates.executeStep()) now.candidates.push_back(candidate_of(candidates));
  return now;
}

Result<void> SqliteReader::check_pages(bool full) {
  const auto verdict = answer("checking the pages of the record", [&] {
    return connection_.database().execAndGet(full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)").getString();
  });
  if (!verdict) return pass_on(verdict);
  if (*verdict == "ok") return {};
  const Error damage(ErrorCode::corrupt, "the pages of the record are damaged: " + *verdict);
  if (on_damage_) on_damage_(damage);
  return Failure(damage);
}

}  // namespace millrace::store
