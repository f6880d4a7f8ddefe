// What a column of a file is: numbers in one exact notation, or texts.
//
// Invariants
//   * The notation is only believed while every cell fits it to the byte; the final word is the reading itself, which
//     asks again for each cell.
//   * Memory is bounded: at most `distinct_max` texts are told apart.
#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "columns/number_format.h"
#include "columns/shape.h"

namespace millrace::columns {

class ColumnGuess {
 public:
  static constexpr std::size_t distinct_max = 1 << 16;

  void see(std::string_view cell);
  // The notation, or none: texts. Numbers with letters around them (SO-00123) are numbers only where they hardly
  // repeat: a short list of item numbers is smaller, and faster to show, as texts.
  std::optional<NumberFormat> format() const;

 private:
  void begin(std::string_view cell);

  std::uint64_t cells_ = 0;
  std::uint64_t with_value_ = 0;
  std::vector<NumberFormat> candidates_;  // best first
  std::unordered_set<std::uint64_t> distinct_;
};

struct SampleColumn {
  const std::int64_t* numbers = nullptr;
  bool is_text = false;
};

struct Relations {
  std::optional<std::size_t> run_key;
  std::vector<std::optional<std::size_t>> sources;  // by column: the text column that determines it
};

// What the first rows say about columns that belong together. A wrong guess costs bytes, never truth.
Relations find_relations(const std::vector<SampleColumn>& columns, std::size_t rows);

}  // namespace millrace::columns
