// What sources say differently of the same orders: the list that a person works off, one by one.
//
// Invariants
//   * Pure; any thread may call. Texts are views into the Snapshot or copies.
//   * Sorted by order number, then as on the order: a decision moves no row.
//   * A cursor is the last order number and place of a page; it stays valid when differences come and go.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feed/change.h"
#include "readmodel/snapshot.h"

namespace millrace::query {

enum class DecidedBy : std::uint8_t { anybody, rule, person };

struct DifferenceQuery {
  std::string field = {};   // "" any
  std::string order = {};   // "" any
  std::string source = {};  // one of those that differ; "" any
  DecidedBy decided = DecidedBy::anybody;
  std::size_t limit = 100;
  std::string cursor = {};  // "" first page
};

struct DifferenceRow {
  std::string order, customer, customer_name;
  feed::Difference difference;
  std::vector<feed::OrderDocument> documents;  // those that `difference` speaks of are among them
};

struct DifferencePage {
  std::vector<DifferenceRow> rows;
  std::string next_cursor;  // "" at the end
};

// Errors   invalid_input  the cursor is not one of ours
Result<DifferencePage> differences(const readmodel::Snapshot& snapshot, const DifferenceQuery& query);

struct DifferenceCount {
  std::uint64_t orders = 0;     // with any difference
  std::uint64_t undecided = 0;  // with one that no person decided
};
DifferenceCount count_differences(const readmodel::Snapshot& snapshot);

}  // namespace millrace::query
