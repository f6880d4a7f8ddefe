// A table of columns in few bytes that stays exact while rows are added and changed.
//
// Invariants
//   * One writer thread; `snapshot()` may be called by any. Readers are never blocked by the writer but for the moment
//     in which one pointer is copied.
//   * A snapshot shows all changes before its publish() and none after.
//   * Changes cost memory only until they are folded: at most delta_cells_max cells of a block wait at a time.
//   * A column of numbers ascends as long as each row is at least the one before it and no cell is empty: a row that
//     breaks this makes the table forget the property, never the row.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columns/block_encoder.h"
#include "columns/snapshot.h"

namespace millrace::columns {

inline constexpr std::size_t delta_cells_max = 256;
inline constexpr std::size_t columns_max = 1024;

class Table {
 public:
  explicit Table(Shape shape);

  const Shape& shape() const { return *shape_; }
  std::uint64_t rows() const { return work_.rows(); }

  // Adds rows, given column by column; texts as codes of their dictionary, numbers that `check_value` accepts.
  void append(std::span<const std::int64_t* const> columns, std::size_t count);
  // Changes one cell.
  // Errors   invalid_input  the column does not write such a number, or has no such code
  //          not_found      there is no such row or column
  Result<void> set(std::uint64_t row, std::size_t column, std::int64_t value);
  // As `set`, from the text of the cell; a new text enters the dictionary.
  Result<void> set_cell(std::uint64_t row, std::size_t column, std::string_view cell);
  // The number a cell of this column stands for; a new text enters the dictionary.
  Result<std::int64_t> value_of(std::size_t column, std::string_view cell);

  // Keeps the answer to a question right from now on; answers its index in each snapshot.
  std::size_t keep_total(TotalQuestion question);

  // Packs what waits in the tail and in the deltas.
  void compact();
  // Lets readers see everything up to now.
  void publish();
  SnapshotPtr snapshot() const;

  // Memory of the rows and derivations, without dictionaries. Writer only, as all but snapshot().
  std::uint64_t bytes() const;

 private:
  // What is kept besides the rows. Copied into a snapshot when it changed since the last one.
  struct Order {
    bool ascends = false;
    bool changed = true;
    std::int64_t last = 0;
    std::vector<std::int64_t> first_values;  // of each block, and of the tail
  };
  struct Total {
    KeptTotal kept;
    bool changed = true;
  };

  Result<void> check_value(std::size_t column, std::int64_t value) const;
  BlockState& writable(std::size_t block);
  Tail& writable_tail(std::size_t row);
  void start_tail(std::size_t columns);
  void append_to_tail(std::span<const std::int64_t* const> columns, std::size_t from, std::size_t count);
  void add_block(std::shared_ptr<const Block> block);
  void pack_tail();
  void unpack_last_block();
  void fold(std::size_t block);
  void note_order(std::span<const std::int64_t* const> columns, std::size_t count);
  void note_order_of(std::uint64_t row, std::size_t column, std::int64_t value);
  void write_cell(std::uint64_t row, std::size_t column, std::int64_t value);
  RowFacts facts_of(const TotalQuestion& question, std::uint64_t row) const;

  std::shared_ptr<const Shape> shape_;
  BlockEncoder encoder_;
  Snapshot work_;                                    // what the next publish shows
  std::vector<std::shared_ptr<BlockState>> blocks_;  // the same states as in work_, those no reader has seen
  std::shared_ptr<Tail> tail_;                       // the same as in work_
  std::size_t tail_rows_seen_ = 0;                   // rows of it that readers may know: not changed in place
  std::vector<Order> orders_;                        // by column
  std::vector<Total> totals_;
  std::uint64_t block_bytes_ = 0;  // of all packed blocks
  mutable std::mutex mutex_;
  SnapshotPtr published_;  // guarded by mutex_
};

}  // namespace millrace::columns
