// What a column of a packed table holds and what it takes, for people: kinds of values, their number, the bytes of each
// form, and the entropy that no code of single values can go below.
//
// Invariants
//   * Counts are exact. Looks at one column at a time; memory is at most 8 bytes a row while it does.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "columns/snapshot.h"

namespace millrace::columns {

struct ColumnCensus {
  std::string type;                // "text", "number", "number with 2 decimals", "date", "numbered text"
  std::vector<std::string> forms;  // with the share of blocks where there are several: "packed", "run 93 %"
  std::uint64_t distinct = 0;      // an empty cell counts as a value
  double entropy_bytes = 0;        // of all rows, with values taken as independent of one another
  std::uint64_t bytes = 0;         // now: rows, exceptions, dictionary, derivation
};

ColumnCensus census(const Snapshot& snapshot, std::size_t column);
// The marks of runs, which all columns share, and the changes that wait.
std::uint64_t shared_bytes(const Snapshot& snapshot);

}  // namespace millrace::columns
