// Up to 4,096 rows of a table, each column in the form that takes the fewest bytes there. Never changes.
//
// A value is its base, plus a step for each place, plus a packed rest, where the basis says what counts as the place:
//
//     basis    place                              good for
//     row      the row in the block               most columns; with a step: numbers that rise evenly (line 1, 2, 3
//     ...) run      the run the row stands in          what all lines of an order share: customer, status, day place
//     the row within its run             line numbers 1, 2, 3 that begin again with each order derived  what the source
//     column's code says prices by item; no base, step or rest
//
// A run is a stretch of rows with equal values in the table's run key; one bit per row marks where runs begin. Rows
// that do not fit are exceptions: their positions (16 bits, ascending) and values stand beside the rest.
//
// Invariants
//   * value(column, row) is exactly what the block was made from, for every int64 but the smallest, which is `absent`.
//   * Everything is O(1) for one row but exceptions, which are looked up by bisection.
#pragma once
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "columns/packing.h"
#include "columns/shape.h"

namespace millrace::columns {

inline constexpr std::size_t block_rows = 4096;

enum class Basis : std::uint8_t { row, run, place, derived };

struct Segment {
  std::int64_t low = 0, high = 0;  // of the values that are there; low > high when none is
  std::int64_t base = 0;
  std::int32_t step = 0;
  std::uint32_t rest = 0;        // packed numbers, at this word of the block
  std::uint32_t exceptions = 0;  // positions, then values, at this word
  std::uint16_t exception_count = 0;
  std::uint16_t source = 0;  // derived
  std::uint8_t width = 0;    // bits of the packed rest
  Basis basis = Basis::row;
  bool has_absent = false;       // `low - 1` stands for absent
  bool wide_exceptions = false;  // 64 bits each; else 32 bits above `origin()`

  std::int64_t origin() const { return has_absent ? low - 1 : low; }
  // Every value is the same but the exceptions.
  bool constant() const { return basis != Basis::derived && width == 0 && step == 0; }
};

class Block {
 public:
  std::size_t rows() const { return rows_; }
  std::size_t runs() const { return runs_; }
  const Segment& segment(std::size_t column) const { return segments_[column]; }

  std::int64_t value(const Shape& shape, std::size_t column, std::size_t row) const;
  // All rows of a column; `out` has room for block_rows.
  void decode(const Shape& shape, std::size_t column, std::int64_t* out) const;
  // All columns of a few neighbouring rows: value of column c, row r is out[c * count + r]. `count` up to 64.
  void read(const Shape& shape, std::size_t row, std::size_t count, std::int64_t* out) const;
  // Bits of the rows with this value, block_rows / 32 words. False: cheaper to decode and compare.
  bool select_packed(std::size_t column, std::int64_t wanted, std::uint32_t* selection) const;
  // The same for a column kept per run: bits of the runs. `spread` makes them bits of rows.
  bool select_runs(std::size_t column, std::int64_t wanted, std::uint32_t* selection) const;
  void spread(const std::uint32_t* runs, std::uint32_t* rows) const;

  // The first row whose value is not less than `wanted`, rows() if none. The column ascends in this block.
  std::size_t lower_bound(const Shape& shape, std::size_t column, std::int64_t wanted) const;

  // The first row at or after `from` whose value is above `wanted`, rows() if none; the value at `from` is not below
  // it.
  std::size_t upper_bound(const Shape& shape, std::size_t column, std::int64_t wanted, std::size_t from) const;

  std::size_t run_of(std::size_t row) const {
    const std::size_t word = row / 64;
    return run_rank(word) + bit_count(run_bits(word) & (~std::uint64_t{0} >> (63 - row % 64))) - 1;
  }
  std::size_t run_start(std::size_t run) const;
  // The first row of the run of a row, and of the run after it (rows() if there is none).
  std::size_t start_at_or_before(std::size_t row) const;
  std::size_t start_after(std::size_t row) const;

  std::size_t column_bytes(std::size_t column) const;  // with its description
  std::size_t run_bytes() const;                       // the marks shared by all columns
  std::size_t bytes() const;

 private:
  friend class BlockEncoder;

  std::uint64_t run_bits(std::size_t word) const {
    return std::uint64_t{words_[2 * word]} | std::uint64_t{words_[2 * word + 1]} << 32;
  }
  // Runs that begin before this word of marks; two ranks of 16 bits share a word of the block.
  std::size_t run_rank(std::size_t word) const {
    return words_[2 * mark_words() + word / 2] >> (word % 2 * 16) & 0xFFFF;
  }
  std::size_t mark_words() const { return (rows_ + 63) / 64; }

  std::size_t position(const Segment& segment, std::size_t index) const {
    return words_[segment.exceptions + index / 2] >> (index % 2 * 16) & 0xFFFF;
  }
  std::int64_t exception_value(const Segment& segment, std::size_t index) const;
  std::size_t exception_at_or_after(const Segment& segment, std::size_t row) const;
  std::size_t numbers_of(const Segment& segment) const { return segment.basis == Basis::run ? runs_ : rows_; }
  // Undoes the stand-in for absent.
  static std::int64_t plain_value(const Segment& segment, std::int64_t value) {
    return segment.has_absent && value == segment.low - 1 ? absent : value;
  }
  std::int64_t at_place(const Segment& segment, std::size_t place, std::size_t packed_index) const {
    const std::uint64_t rest =
        packed_value(words_.data() + segment.rest, numbers_of(segment), segment.width, packed_index);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(segment.base) +
                                     static_cast<std::uint64_t>(std::int64_t{segment.step}) * place + rest);
  }
  std::int64_t formula(const Shape& shape, const Segment& segment, std::size_t row) const;
  void values_at(const Segment& segment, std::size_t row, std::size_t count, std::int64_t* out) const;
  bool select_numbers(const Segment& segment, std::int64_t wanted, std::uint32_t* selection) const;
  void decode_numbers(const Segment& segment, std::size_t count, std::int64_t* out) const;
  void spread_runs(const std::int64_t* of_run, std::int64_t* out) const;
  void apply_exceptions(const Segment& segment, std::int64_t* out) const;

  std::uint32_t rows_ = 0;
  std::uint32_t runs_ = 0;  // 0: the block keeps no runs
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> words_;  // marks and ranks of runs, then what the segments point at
};

}  // namespace millrace::columns
