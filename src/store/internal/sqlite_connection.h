// One SQLite connection with its prepared statements by name.
//
// Invariants
//   * A writer sets synchronous=FULL and checkpoints itself; readers are read-only and never checkpoint, because
//     SQLite before 3.51.3 can corrupt the log when two connections write or checkpoint.
//   * Closing a connection never checkpoints: what a damaged or failing disk holds is left as it is.
//   * Not thread-safe: one thread at a time.
#pragma once
#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "feed/change.h"

namespace millrace::store {

class SqliteConnection {
 public:
  enum class Mode { write, read };
  // Throws SQLite::Exception; callers turn it into an Error with `error_of`.
  SqliteConnection(const std::string& path, Mode mode);

  // The prepared statement of sql/<name>.sql, reset and ready to bind.
  SQLite::Statement& statement(std::string_view name);
  SQLite::Database& database() { return database_; }
  // Adds every SQL statement that begins to run from now on to `counter`, which outlives the connection.
  void count_statements_in(std::atomic<std::uint64_t>& counter);

 private:
  SQLite::Database database_;
  std::map<std::string, SQLite::Statement, std::less<>> statements_;
};

// A statement's rows end with this: an unfinished statement would hold the log and stop checkpoints.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(SQLite::Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.tryReset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  SQLite::Statement& statement_;
};

// Thrown when stored bytes cannot be what was written; it becomes `corrupt`.
struct DamagedRow {
  std::string text;
};

// What a person can do about a damaged record; ends the texts of `corrupt`.
std::string advice_for_damage(const std::string& database_path);

// `writing` tells a disk that refuses writes (read_only) from one that cannot be read now (unavailable).
Error error_of(const SQLite::Exception& exception, std::string_view doing, bool writing = false);

// Runs `question` and turns what SQLite and the row decoders throw into an Error.
template <class Question>
auto answer_of(const std::string& doing, Question question) -> Result<decltype(question())> {
  try {
    return question();
  } catch (const SQLite::Exception& exception) {
    return Failure(error_of(exception, doing));
  } catch (const DamagedRow& damaged) {
    return fail(ErrorCode::corrupt, doing + ": " + damaged.text);
  }
}

}  // namespace millrace::store
