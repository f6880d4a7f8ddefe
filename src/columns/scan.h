// Questions that read a whole column of a snapshot.
//
// What does not have to be read is not: blocks whose range of values rules them out are skipped, a condition on a
// packed column is checked without unpacking it, one on a column kept per run is checked once per run, and where few
// rows of a block are left only their amounts are looked up.
//
// Invariants
//   * Pure functions of one snapshot; any thread. Sums are exact (kept_total.h).
#pragma once
#include <cstdint>
#include <vector>

#include "columns/snapshot.h"

namespace millrace::columns {

// One total per group that has rows, ascending by group.
std::vector<GroupTotal> totals(const Snapshot& snapshot, const TotalQuestion& question);
// The sum over all groups.
Sum total(const Snapshot& snapshot, const TotalQuestion& question);
// The sum of left * right over the rows that meet the condition and have both; exact if it fits into 128 bits.
Sum total_of_products(const Snapshot& snapshot, std::size_t left, std::size_t right, const Condition& condition);
// The first `limit` rows that meet the condition, ascending.
std::vector<std::uint64_t> rows_where(const Snapshot& snapshot, const Condition& condition, std::size_t limit);

}  // namespace millrace::columns
