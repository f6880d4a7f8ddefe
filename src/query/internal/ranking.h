// The order of results: sort fields, then the natural order of order numbers, so that it is always total.
//
// Invariants
//   * `key` is the first sort field squeezed into 64 bits: smaller keys come first, equal keys decide nothing.
//   * A value that is absent comes last, ascending or descending.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/orders.h"
#include "readmodel/snapshot.h"

namespace millrace::query::internal {

struct RankedRow {
  std::uint64_t key = 0;
  readmodel::RowId row = 0;
};

struct SortValue {
  bool absent = false;
  std::int64_t number = 0;
  std::string text;  // folded
};

// A place between rows: what a cursor remembers.
struct Position {
  std::vector<SortValue> values;
  std::string number;
};

class Ranking {
 public:
  Ranking(const readmodel::Snapshot& snapshot, std::span<const SortKey> sort, Day today);

  std::uint64_t key(const readmodel::OrderChunk& chunk, std::size_t row) const;
  RankedRow ranked(readmodel::RowId row) const;
  bool less(const RankedRow& left, const RankedRow& right) const;

  Position position(readmodel::RowId row) const;
  bool fits(const Position& position) const { return position.values.size() == sort_.size(); }
  std::uint64_t key(const Position& position) const;
  // Negative when the row comes before the position, 0 when it is the row the position was taken from.
  int compare(const RankedRow& row, const Position& position, std::uint64_t position_key) const;

 private:
  struct View {
    bool absent = false;
    std::int64_t number = 0;
    std::string_view text;
  };
  View view(OrderField field, const readmodel::OrderChunk& chunk, std::size_t row, std::string& scratch) const;
  int compare(const SortKey& sort, const View& left, const View& right) const;

  const readmodel::Snapshot& snapshot_;
  std::vector<SortKey> sort_;
  std::int32_t today_;
};

}  // namespace millrace::query::internal
