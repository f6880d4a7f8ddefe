// Opening a record: its lock, its schema, and whether it stands where its commit mark says.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "store/internal/commit_mark.h"
#include "store/internal/sqlite_connection.h"

namespace millrace::store {

// One millrace at a time writes a record. Errors: unavailable  another one does, or the folder cannot be written
Result<UniqueFd> hold_record(const std::string& path);

struct OpenedDatabase {
  std::unique_ptr<SqliteConnection> connection;  // absent when damaged
  std::optional<CommitMark> mark;
  RecordCondition condition;
  std::uint32_t schema_version = 0;
};
// Creates what is missing, brings the schema up to date, compares with the mark and renews it.
// Throws SQLite::Exception and DamagedRow. Errors: those of migrate and CommitMark; corrupt  the database is gone
Result<OpenedDatabase> open_database(const std::string& path);

// "" when a record that stands at `state` has everything that `mark` saw; else what is missing, for a person.
std::string missing_since(const RecordState& mark, const RecordState& state);

// Opens a record that may be in use. Errors: those of open_sqlite_reader
Result<RecordState> check_before_reading(const std::string& path);

}  // namespace millrace::store
