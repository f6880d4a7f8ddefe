// What the memory of a Snapshot is spent on, table by table and column by column.
//
// Invariants
//   * Bytes are counted, not estimated: a table's bytes are the sum of its columns', and with the allocator's own
//     rounding added. What several Snapshots share counts once, in each of their reports.
//   * Distinct values and entropy come from at most `sampled_chunks_max` chunks spread over the book, so that the
//     report of a million orders takes no longer than that of a hundred thousand; `rows_sampled` says of how many.
//     Of a column with more different values than were sampled the entropy is too low: it cannot see more than it drew.
//   * Pure: any thread may call.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "readmodel/snapshot.h"

namespace millrace::readmodel {

inline constexpr std::size_t sampled_chunks_max = 48;

struct MemoryColumn {
  std::string name;
  std::uint64_t bytes = 0;
  // The same values as 64-bit numbers, and as one std::string per value where they are texts.
  std::uint64_t bytes_plain = 0;
  // Of columns of values only:
  bool sampled = false;
  std::uint64_t distinct = 0;       // among the sampled
  std::uint64_t entropy_bytes = 0;  // the column's own entropy, over all rows; columns taken as independent
};

struct MemoryTable {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t rows_sampled = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_plain = 0;
  std::vector<MemoryColumn> columns;
};

std::vector<MemoryTable> memory_report(const Snapshot& snapshot);

}  // namespace millrace::readmodel
