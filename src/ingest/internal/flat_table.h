// Rows that carry an order's fields and one of its lines side by side, grouped by order number.
//
// Invariants
//   * Rows of one order agree on the order's own fields, or the order is refused.
//   * A bad row refuses its order only.
#pragma once
#include <deque>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/internal/order_draft.h"

namespace millrace::ingest {

struct FlatColumn {
  FieldMatch match;
  std::string header;  // as the file writes it
  TextStyle style;
};

// The columns a header row names; of two columns for one field the earlier word of the profile counts and the
// other is unknown.
std::vector<FlatColumn> flat_columns(std::span<const std::string> headers, const CompiledLayout& layout);
// An order number and something about lines: a customer list has the first only in name.
bool is_order_header(std::span<const FlatColumn> columns);

class FlatTable {
 public:
  FlatTable(std::vector<FlatColumn> columns, const CompiledLayout& layout);

  // Empty rows, repeated headers and rows of totals are passed over.
  void add_row(std::span<const FieldValue> values, Place place);
  // The rows of this order cannot be read; "" is the order of the row before.
  void refuse_row(std::span<const FieldValue> values, Place place, const std::string& reason);
  void finish(ParsedDocument& document);

 private:
  struct Group {
    OrderDraft draft;
    std::vector<std::string> order_values;  // of the first row, by column
  };
  Group& group(const std::string& number);
  std::string column_place(Place place, std::size_t column) const;
  void set_order_fields(Group& group, std::span<const FieldValue> values, Place place);
  void compare_order_fields(Group& group, std::span<const FieldValue> values, Place place);
  bool is_header_again(std::span<const FieldValue> values) const;

  std::vector<FlatColumn> columns_;
  const CompiledLayout& layout_;
  std::size_t number_column_ = 0;
  std::deque<Group> groups_;
  std::unordered_map<std::string, Group*> by_number_;
  std::string last_number_;
  Group* last_ = nullptr;
  std::vector<Finding> strays_;
};

bool is_total_word(std::string_view text);

}  // namespace millrace::ingest
