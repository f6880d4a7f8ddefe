// How the record notices that it was damaged: a checksum for every row, a count and a sum for every table.
//
// Invariants
//   * A row's checksum is XXH3-64 over its table, key and whole content, column by column. It is checked at every read.
//   * The sum of a table adds the checksums of its rows modulo 2^64: it follows every insert and delete, does not depend
//     on their order, and differs when a row is missing, doubled or from another time.
//   * RecordState is written by every transaction and, after it, to the commit mark beside the database.
//   * These are guards against faults, not against somebody who forges a record.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/record.h"

namespace millrace::store {

// The numbers are stored: migration 0003 uses them.
enum class RowOf : std::uint64_t { change = 1, history = 2, file = 3, candidate = 4, rejection = 5, touch = 6, state = 7, mark = 8, kept = 9 };

class RowChecksum {
 public:
  explicit RowChecksum(RowOf table) : value_(static_cast<std::uint64_t>(table)) {}
  RowChecksum& add(std::string_view bytes);
  RowChecksum& add(std::int64_t number);
  std::int64_t value() const { return static_cast<std::int64_t>(value_); }  // as SQLite keeps it

 private:
  std::uint64_t value_;
};

struct TableSum {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  void add(std::int64_t checksum) { ++count, sum += static_cast<std::uint64_t>(checksum); }
  void remove(std::int64_t checksum) { --count, sum -= static_cast<std::uint64_t>(checksum); }
  bool operator==(const TableSum&) const = default;
};

struct RecordSums {
  TableSum changes, histories, files, candidates, rejections, kept;
  bool operator==(const RecordSums&) const = default;
};

// What the newest transaction left.
struct RecordState {
  RecordIdentity identity;
  std::uint64_t revision = 0;
  feed::Sequence sequence;
  std::uint64_t touched = 0;        // the newest revision that touched files
  std::uint64_t touched_floor = 0;  // what was touched up to here is not known
  RecordSums sums;
  bool operator==(const RecordState&) const = default;
};

std::string encode(const RecordState& state);
// Reads what formats 3 and 4 wrote. corrupt  cut, foreign or of an unknown format
Result<RecordState> decode_state(std::string_view bytes);

// The content of the record as one word: equal for equal rows, whatever pages they are on.
std::string digest(const RecordSums& sums);

}  // namespace millrace::store
