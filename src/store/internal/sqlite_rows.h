// Rows of the record as values, verified: whoever reads a row through here gets what was written, or DamagedRow.
#pragma once
#include <functional>

#include "store/internal/checksum.h"
#include "store/internal/sqlite_connection.h"

namespace millrace::store {

// SQLite keeps signed 64 bits; inode numbers use all of them and come back by the same cast.
inline std::int64_t stored(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::int64_t checksum_of_change(std::int64_t sequence, std::int64_t at_ms, int kind, std::string_view payload);
std::int64_t checksum_of_history(std::string_view number, std::int64_t sequence);
std::int64_t checksum_of_file(std::string_view source, const FileRecord& file);
std::int64_t checksum_of_candidate(std::string_view source, std::string_view path, std::int64_t ordinal,
                                   std::int64_t sequence, std::string_view content, std::string_view flags);
std::int64_t checksum_of_rejection(std::int64_t id, std::string_view payload);
std::int64_t checksum_of_kept(std::string_view space, std::string_view key, std::string_view content);
std::int64_t checksum_of_touch(std::int64_t revision, std::int64_t previous, std::string_view files);

// Each takes the current row of the statement that is named in the comment.
feed::Change change_of(SQLite::Statement& row);             // changes_after, changes_of_order
FileRecord file_of(SQLite::Statement& row);                 // files_of_source, file_one, files_all
Candidate candidate_of(SQLite::Statement& row);             // candidate_of_file, candidates_of_file, candidates_of_source
feed::Rejection rejection_of(SQLite::Statement& row);       // rejections_all
KeptRow kept_of(SQLite::Statement& row);                    // kept_of_space, kept_one
struct Touch {
  std::uint64_t revision = 0, previous = 0;
  std::string files;
};
Touch touch_of(SQLite::Statement& row);  // touches_after

RecordState read_state(SqliteConnection& connection);
// Inside a transaction of the caller.
void write_state(SqliteConnection& connection, const RecordState& state);

// Reads every row and verifies it. `progress` hears how many rows were read now and then; false ends the reading with
// the sums so far.
RecordSums sum_rows(SqliteConnection& connection, const std::function<bool(std::uint64_t rows)>& progress);
TableSum sum_histories(SqliteConnection& connection, const std::function<bool(std::uint64_t rows)>& progress);
TableSum sum_kept(SqliteConnection& connection);
// For a database that has no kept rows yet: what migration 3 begins with.
RecordSums sum_rows_of_format_three(SqliteConnection& connection);

// What of `sums` is not what `state` says, "" when all is; for a person.
std::string difference(const RecordState& state, const RecordSums& sums);

}  // namespace millrace::store
