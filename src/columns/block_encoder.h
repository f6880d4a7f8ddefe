// Makes a block from plain numbers: weighs every form a column can take and keeps the smallest.
//
// Invariants
//   * The block says exactly what it was given (see block.h); how many bytes it takes is all that is decided here.
//   * May add to the derivations of the shape, never changes what they say already. Writer's thread only.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "columns/block.h"

namespace millrace::columns {

class BlockEncoder {
 public:
  // The shape outlives the encoder.
  explicit BlockEncoder(const Shape& shape) : shape_(shape) {}

  // One pointer per column, each to `rows` numbers, 1..block_rows.
  std::shared_ptr<const Block> encode(std::span<const std::int64_t* const> columns, std::size_t rows);

 private:
  using Numbers = std::span<const std::int64_t>;
  // One form of a column, and what it costs.
  struct Form {
    Segment segment;
    std::uint64_t bits = ~std::uint64_t{0};
  };

  void find_runs(Numbers key);
  std::uint64_t mark_bits() const;
  void write_marks();
  Segment describe(Numbers values) const;
  Numbers without_absent(Numbers values, const Segment& described);
  Form packed_form(std::size_t count, std::int64_t low, std::int64_t high, const Segment& described) const;
  Form excepting_form(Numbers numbers, const Form& packed) const;
  Form sloped_form(Numbers numbers, const Segment& described) const;
  Form row_form(Numbers numbers, const Segment& described) const;
  Form run_form(Numbers numbers, const Segment& described, std::uint64_t worth);
  Form place_form(Numbers numbers, const Segment& described, std::uint64_t worth) const;
  Form derived_form(std::size_t column, Numbers numbers, const std::int64_t* source, const Segment& described,
                    std::uint64_t worth) const;
  void write(Segment segment, Numbers numbers, const std::int64_t* source);
  std::uint32_t write_packed(unsigned width);
  void write_exceptions(Segment& segment, Numbers numbers);
  std::size_t run_end(std::size_t run) const { return run + 1 < starts_.size() ? starts_[run + 1] : rows_; }

  const Shape& shape_;
  Block* block_ = nullptr;  // the one being made
  std::size_t rows_ = 0;
  std::vector<std::uint16_t> starts_;     // rows at which runs begin; empty: no runs are kept
  std::vector<std::int64_t> values_;      // scratch: a column with its stand-in for absent
  std::vector<std::int64_t> run_values_;  // scratch: its value at each start
  std::vector<std::uint64_t> rest_;       // scratch: what is packed
  std::vector<std::uint16_t> excepted_;   // scratch: rows that do not fit
};

}  // namespace millrace::columns
