#include "store/internal/open_record.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "store/internal/migrations.h"
#include "store/internal/sqlite_reader.h"

namespace millrace::store {
namespace {

constexpr std::uint32_t format_with_mark = 3;

std::uint64_t file_bytes(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string changes_text(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " change" : " changes"); }

// A mark that is gone or unreadable proves nothing about the tail of the record: everything else is proved, and a new
// mark is made.
Result<void> verify_without_mark(const std::string& path, const std::string& why) {
  log_warning("record_mark_renewed", {{"reason", why}, {"record", path}});
  const auto whole = verify_sqlite_record(path, [](std::uint64_t, std::uint64_t) { return true; });
  if (!whole) return pass_on(whole);
  return {};
}

}  // namespace

Result<UniqueFd> hold_record(const std::string& path) {
  const std::string lock_path = path + ".lock";
  UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!lock)
    return fail(ErrorCode::unavailable, "cannot write " + lock_path + ": " + std::strerror(errno) +
                                            "; choose a data folder you may write to (--data)");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::unavailable, "another millrace already uses " + path + "; stop it or choose another --data folder");
  return lock;
}

std::string missing_since(const RecordState& mark, const RecordState& state) {
  if (mark.identity != state.identity) return "the commit mark beside it belongs to another record";
  if (state.revision < mark.revision)
    return "its newest commits are missing: it has " + changes_text(state.sequence.value) + ", " +
           changes_text(mark.sequence.value) + " were acknowledged";
  if (state.revision == mark.revision && !(state == mark)) return "its newest commit is not the one that was acknowledged";
  return "";
}

Result<OpenedDatabase> open_database(const std::string& path) {
  auto marked = CommitMark::read(mark_path(path));
  if (!marked && marked.error().code() != ErrorCode::corrupt) return pass_on(marked);
  const bool mark_there = !marked || marked->has_value();
  if (mark_there && file_bytes(path) == 0)
    return fail(ErrorCode::corrupt, "the database is " + std::string(::access(path.c_str(), F_OK) == 0 ? "empty" : "gone") +
                                        ", but its commit mark is there" + advice_for_damage(path));
  OpenedDatabase opened;
  opened.connection = std::make_unique<SqliteConnection>(path, SqliteConnection::Mode::write);
  if (mark_there && schema_version(*opened.connection) < format_with_mark)
    return fail(ErrorCode::corrupt, "the database is not the one whose commit mark is beside it" + advice_for_damage(path));
  const auto migrated = migrate(*opened.connection);
  if (!migrated) return pass_on(migrated);
  // A log that gets lost later must not take the tables with it.
  if (migrated->from != migrated->to)
    sqlite3_wal_checkpoint_v2(opened.connection->database().getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  opened.schema_version = migrated->to;
  const RecordState state = read_state(*opened.connection);
  std::string missing;
  if (mark_there && marked) {
    missing = missing_since(**marked, state);
  } else if (migrated->from >= format_with_mark) {
    const auto verified = verify_without_mark(path, marked ? "there is no commit mark" : marked.error().text());
    if (!verified) missing = verified.error().text();
  }
  if (!missing.empty()) {
    opened.connection.reset();
    opened.condition = {RecordCondition::State::damaged, "the record is damaged: " + missing + advice_for_damage(path)};
    return opened;
  }
  const bool mark_current = marked && *marked && **marked == state;
  auto mark = mark_current ? CommitMark::open(mark_path(path)) : CommitMark::create(mark_path(path), state);
  if (!mark) return pass_on(mark);
  opened.mark = std::move(*mark);
  return opened;
}

Result<RecordState> check_before_reading(const std::string& path) {
  if (file_bytes(path) == 0 && ::access(mark_path(path).c_str(), F_OK) != 0)
    return fail(ErrorCode::not_found, "there is no record at " + path + "; name the data folder with --data");
  // The mark first: a running server may commit in between, and then the database is the newer one.
  const auto mark = CommitMark::read(mark_path(path));
  if (!mark && mark.error().code() != ErrorCode::corrupt) return pass_on(mark);
  if (file_bytes(path) == 0) return fail(ErrorCode::corrupt, "the database " + path + " is empty or gone" + advice_for_damage(path));
  const auto state = answer_of("opening the record " + path, [&]() -> std::optional<RecordState> {
    SqliteConnection connection(path, SqliteConnection::Mode::read);
    if (schema_version(connection) != schema_version_newest()) return std::nullopt;
    return read_state(connection);
  });
  if (!state && state.error().code() == ErrorCode::corrupt)
    return fail(ErrorCode::corrupt, state.error().text() + advice_for_damage(path));
  if (!state) return pass_on(state);
  if (!*state)
    return fail(ErrorCode::conflict, "the record " + path + " has another format; start `millrace serve` once to bring it up to date");
  if (mark && *mark)
    if (const std::string missing = missing_since(**mark, **state); !missing.empty())
      return fail(ErrorCode::corrupt, "the record " + path + " is damaged: " + missing + advice_for_damage(path));
  return **state;
}

Result<std::unique_ptr<feed::Reader>> open_sqlite_reader(const std::string& path) {
  if (const auto checked = check_before_reading(path); !checked) return pass_on(checked);
  return answer_of("opening the record " + path,
                   [&]() -> std::unique_ptr<feed::Reader> { return std::make_unique<SqliteReader>(path, [](const Error&) {}); });
}

Result<RecordReport> verify_sqlite_record(const std::string& path,
                                          const std::function<bool(std::uint64_t done, std::uint64_t total)>& progress) {
  if (const auto checked = check_before_reading(path); !checked) return pass_on(checked);
  bool stopped = false;
  RecordReport report;
  const auto found = answer_of("verifying the record " + path, [&]() -> std::string {
    SqliteConnection connection(path, SqliteConnection::Mode::read);
    SQLite::Transaction transaction(connection.database());
    const RecordState state = read_state(connection);
    const RecordSums& said = state.sums;
    const std::uint64_t total = said.changes.count + said.histories.count + said.files.count + said.candidates.count + said.rejections.count +
                                said.kept.count;
    const RecordSums sums = sum_rows(connection, [&](std::uint64_t rows) { return stopped = !progress(rows, total), !stopped; });
    report = {{state.identity, state.revision, state.sequence}, digest(sums), said.changes.count, said.files.count, said.candidates.count,
              said.rejections.count, said.kept.count, schema_version(connection)};
    return stopped ? "" : difference(state, sums);
  });
  if (stopped) return fail(ErrorCode::cancelled, "verifying the record was stopped");
  if (!found && found.error().code() == ErrorCode::corrupt) return fail(ErrorCode::corrupt, found.error().text() + advice_for_damage(path));
  if (!found) return pass_on(found);
  if (!found->empty()) return fail(ErrorCode::corrupt, "the record " + path + " is damaged: " + *found + advice_for_damage(path));
  return report;
}

}  // namespace millrace::store
