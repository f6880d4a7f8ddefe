// What all blocks of a table share: its columns, their dictionaries, and what was found out about them.
//
// A derived column needs no bytes of its own where another one determines it: the price that belongs to an item, the
// salesman of a customer. `Derivation` is the table from the codes of the one to the numbers of the other. Rows that
// say something else are kept as exceptions, so a derivation is a matter of size, never of truth.
//
// Invariants
//   * Columns and derivations are fixed once a table has rows; dictionaries and derivation tables only grow.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "columns/dictionary.h"
#include "columns/number_format.h"
#include "columns/stable_array.h"

namespace millrace::columns {

// An empty cell in a column of numbers. (An empty text is a text like any other.)
inline constexpr std::int64_t absent = std::numeric_limits<std::int64_t>::min();

struct Column {
  std::string name;
  std::optional<NumberFormat> format;      // numbers written like this; none: texts
  std::shared_ptr<Dictionary> dictionary;  // texts

  bool is_text() const { return dictionary != nullptr; }
};

struct Derivation {
  std::size_t source = 0;               // a text column that is not derived itself
  StableArray<std::int64_t> by_code{};  // `absent`: nothing known for this code yet
};

struct Shape {
  std::vector<Column> columns;
  std::optional<std::size_t> run_key;  // rows with equal values here stand together, like the lines of an order
  std::vector<std::shared_ptr<Derivation>> derivations;  // by column; empty where it stands for itself

  std::size_t column_count() const { return columns.size(); }
};

}  // namespace millrace::columns
