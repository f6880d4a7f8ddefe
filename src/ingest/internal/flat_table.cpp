#include "ingest/internal/flat_table.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/text.h"

namespace millrace::ingest {

bool is_total_word(std::string_view text) {
  static constexpr std::array<std::string_view, 8> words{"total", "totals", "sum", "summe", "gesamt", "gesamtsumme", "grandtotal", "endsumme"};
  const std::string word = normal_word(trim(text));
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<FlatColumn> flat_columns(std::span<const std::string> headers, const CompiledLayout& layout) {
  std::vector<FlatColumn> columns;
  std::array<int, field_count> owner;
  owner.fill(-1);
  for (const std::string& header : headers) {
    FlatColumn column{layout.find(header, Scope::flat), header, {}};
    if (column.match.field == Field::lines || column.match.field == Field::expenses) column.match = {};
    if (column.match.field != Field::unknown) {
      int& owned_by = owner[static_cast<std::size_t>(column.match.field)];
      if (owned_by < 0) {
        owned_by = static_cast<int>(columns.size());
      } else if (columns[owned_by].match.rank > column.match.rank) {
        columns[owned_by].match = {};
        owned_by = static_cast<int>(columns.size());
      } else {
        column.match = {};
      }
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

bool is_order_header(std::span<const FlatColumn> columns) {
  bool number = false;
  bool line = false;
  for (const FlatColumn& column : columns) {
    number = number || column.match.field == Field::order_number;
    line = line || column.match.field == Field::item_code || column.match.field == Field::quantity_ordered ||
           column.match.field == Field::line_total || column.match.field == Field::line_number;
  }
  return number && line;
}

FlatTable::FlatTable(std::vector<FlatColumn> columns, const CompiledLayout& layout) : columns_(std::move(columns)), layout_(layout) {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [](const FlatColumn& column) { return column.match.field == Field::order_number; });
  check(found != columns_.end(), "a flat table has an order number column");
  number_column_ = static_cast<std::size_t>(found - columns_.begin());
}

std::string FlatTable::column_place(Place place, std::size_t column) const {
  return "row " + std::to_string(place.number) + " column " + printable(columns_[column].header);
}

FlatTable::Group& FlatTable::group(const std::string& number) {
  if (last_ != nullptr && number == last_number_) return *last_;
  Group*& known = by_number_[number];
  if (known == nullptr) known = &groups_.emplace_back(Group{OrderDraft(layout_), {}});
  last_number_ = number;
  last_ = known;
  return *known;
}

bool FlatTable::is_header_again(std::span<const FieldValue> values) const {
  std::size_t same = 0;
  for (std::size_t i = 0; i < values.size() && i < columns_.size(); ++i) {
    if (values[i].kind == FieldValue::Kind::text && equal_ignoring_case(values[i].text, trim(columns_[i].header))) ++same;
  }
  return same >= 3 && same * 2 > columns_.size();
}

void FlatTable::set_order_fields(Group& group, std::span<const FieldValue> values, Place place) {
  group.order_values.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const FlatColumn& column = columns_[i];
    if (column.match.field == Field::unknown) {
      group.draft.add_extra(column.header, text_of(values[i]));
    } else if (!is_line_field(column.match.field)) {
      group.order_values[i] = text_of(values[i]);
      if (auto wrong = group.draft.set(column.match, values[i], column.style); !wrong.empty()) {
        group.draft.refuse(column_place(place, i), std::move(wrong), text_of(values[i]));
      }
    }
  }
}

void FlatTable::compare_order_fields(Group& group, std::span<const FieldValue> values, Place place) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Field field = columns_[i].match.field;
    if (field == Field::unknown || is_line_field(field)) continue;
    const bool same = values[i].kind == FieldValue::Kind::text ? values[i].text == group.order_values[i]
                                                               : text_of(values[i]) == group.order_values[i];
    if (!same) {
      group.draft.refuse(column_place(place, i), "the rows of one order disagree: an earlier row says '" +
                                                     printable(shortened(group.order_values[i])) + "'", text_of(values[i]));
    }
  }
}

void FlatTable::add_row(std::span<const FieldValue> values, Place place) {
  check(values.size() == columns_.size(), "a row has the columns of its table");
  const bool empty = std::all_of(values.begin(), values.end(), [](const FieldValue& value) { return value.kind == FieldValue::Kind::empty; });
  if (empty || is_header_again(values)) return;
  const FieldValue& number = values[number_column_];
  if (number.kind == FieldValue::Kind::empty || (number.kind == FieldValue::Kind::text && is_total_word(number.text))) {
    const bool total = std::any_of(values.begin(), values.end(), [](const FieldValue& value) {
      return value.kind == FieldValue::Kind::text && is_total_word(value.text);
    });
    if (total) return;
    refuse_row(values, place, "the order number is missing, so the row's order cannot be told");
    return;
  }
  Group& owner = group(text_of(number));
  if (owner.order_values.empty()) {
    set_order_fields(owner, values, place);
  } else {
    compare_order_fields(owner, values, place);
  }
  if (owner.draft.refused()) return;
  owner.draft.add_line(place);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const FlatColumn& column = columns_[i];
    if (column.match.field == Field::unknown || !is_line_field(column.match.field)) continue;
    if (auto wrong = owner.draft.set_on_line(column.match, values[i], column.style); !wrong.empty()) {
      owner.draft.refuse(column_place(place, i), std::move(wrong), text_of(values[i]));
    }
  }
}

void FlatTable::refuse_row(std::span<const FieldValue> values, Place place, const std::string& reason) {
  const std::string where = "row " + std::to_string(place.number);
  const bool named = number_column_ < values.size() && values[number_column_].kind != FieldValue::Kind::empty;
  if (named) {
    Group& owner = group(text_of(values[number_column_]));
    owner.draft.set(columns_[number_column_].match, values[number_column_]);
    owner.draft.refuse(where, reason);
  } else if (last_ != nullptr) {
    // A row without its number most likely continues the order above: that order is not whole.
    last_->draft.refuse(where, reason);
  } else {
    strays_.push_back({feed::Outcome::reject, where, reason, "", ""});
  }
}

void FlatTable::finish(ParsedDocument& document) {
  for (Group& group : groups_) group.draft.finish(document, Disagreement::flag);
  if (!strays_.empty()) document.is_order_document = true;
  document.findings.insert(document.findings.end(), strays_.begin(), strays_.end());
}

}  // namespace millrace::ingest
