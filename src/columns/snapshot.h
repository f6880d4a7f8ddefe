// A table as it stood at one moment. Readers keep it as long as they like; the writer goes on meanwhile.
//
//   main   blocks of 4,096 rows that never change (block.h), shared by all snapshots that see them alike
//   delta  per block the cells that differ from it, ascending by column and row; folded into a new block when many
//   tail   the last rows, not packed yet
//
// Invariants
//   * Never changes; any thread. Row numbers are 0, 1, 2, ... in the order of arrival.
//   * Every block but the last has block_rows rows.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columns/block.h"
#include "columns/kept_total.h"
#include "columns/shape.h"

namespace millrace::columns {

struct ChangedCell {
  std::uint16_t column = 0;
  std::uint16_t row = 0;  // in its block
  std::int64_t value = 0;
};

struct BlockState {
  std::shared_ptr<const Block> main;
  std::vector<ChangedCell> delta;

  std::span<const ChangedCell> changes(std::size_t column) const;
  const ChangedCell* change(std::size_t column, std::size_t row) const;  // nullptr: as in the block
};

// Rows not packed yet, column by column. Rows below the count of a snapshot do not change.
struct Tail {
  explicit Tail(std::size_t column_count) : numbers(column_count * block_rows) {}
  std::int64_t* column(std::size_t index) { return numbers.data() + index * block_rows; }
  const std::int64_t* column(std::size_t index) const { return numbers.data() + index * block_rows; }
  std::vector<std::int64_t> numbers;
};

struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

// The smallest range that is known to hold all values of a column in one block, absent left out.
struct ValueRange {
  std::int64_t low = 0, high = 0;
  bool holds(std::int64_t value) const { return low <= value && value <= high; }
};

class Snapshot {
 public:
  const Shape& shape() const { return *shape_; }
  std::uint64_t rows() const { return blocks_.size() * block_rows - missing_rows() + tail_rows_; }
  std::size_t block_count() const { return blocks_.size() + (tail_rows_ > 0 ? 1 : 0); }
  std::size_t rows_of_block(std::size_t block) const;

  std::int64_t value(std::size_t column, std::uint64_t row) const;
  std::string_view text(std::size_t column, std::uint64_t row) const;  // a text column
  // The exact bytes the cell was read from or set to.
  void append_cell(std::size_t column, std::int64_t value, std::string& out) const;
  // All columns of a few neighbouring rows: value of column c, row r is out[c * count + r]. `count` up to 64.
  void read(std::uint64_t row, std::size_t count, std::int64_t* out) const;
  // One column of one block; `out` has room for block_rows.
  void decode(std::size_t block, std::size_t column, std::int64_t* out) const;

  // Rows of a column that ascends: found by bisection, without an index. See `ascends`.
  RowRange equal_range(std::size_t column, std::int64_t wanted) const;
  bool ascends(std::size_t column) const { return first_values_[column] != nullptr; }

  // ---- for scans: what a block is made of; `state` is nullptr for the tail
  const BlockState* state(std::size_t block) const { return block < blocks_.size() ? blocks_[block].get() : nullptr; }
  ValueRange range(std::size_t block, std::size_t column) const;
  const Tail& tail() const { return *tail_; }

  const KeptTotal& kept_total(std::size_t index) const { return *totals_[index]; }
  std::size_t kept_total_count() const { return totals_.size(); }

 private:
  friend class Table;

  std::size_t missing_rows() const { return blocks_.empty() ? 0 : block_rows - blocks_.back()->main->rows(); }
  std::uint64_t lower_bound(std::size_t column, std::int64_t wanted) const;

  std::shared_ptr<const Shape> shape_;
  std::vector<std::shared_ptr<const BlockState>> blocks_;
  std::shared_ptr<const Tail> tail_;
  std::size_t tail_rows_ = 0;
  std::vector<std::shared_ptr<const std::vector<std::int64_t>>>
      first_values_;  // by column: of each block, if it ascends
  std::vector<std::shared_ptr<const KeptTotal>> totals_;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace millrace::columns
