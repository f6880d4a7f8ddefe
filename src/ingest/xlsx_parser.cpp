#include "ingest/xlsx_parser.h"

#include <algorithm>
#include <span>

#include "base/text.h"
#include "ingest/internal/flat_table.h"
#include "ingest/internal/sheet_reader.h"

namespace millrace::ingest {
namespace {

using Row = std::span<const SheetCell>;

std::vector<Row> rows_of(const Sheet& sheet) {
  std::vector<Row> rows;
  for (std::size_t begin = 0; begin < sheet.cells.size();) {
    std::size_t end = begin;
    while (end < sheet.cells.size() && sheet.cells[end].row == sheet.cells[begin].row) ++end;
    rows.push_back(Row(sheet.cells).subspan(begin, end - begin));
    begin = end;
  }
  return rows;
}

std::string_view text(const SheetCell& cell) { return cell.value.kind == FieldValue::Kind::text ? cell.value.text : std::string_view(); }

struct TableColumn {
  std::int32_t column = 0;
  FieldMatch match;
};

// The columns a head row of line fields names; empty when the row is no head.
std::vector<TableColumn> line_head(Row row, const CompiledLayout& layout) {
  std::vector<TableColumn> columns;
  bool what = false;
  bool how_much = false;
  for (const SheetCell& cell : row) {
    const FieldMatch match = layout.find(text(cell), Scope::line);
    if (match.field == Field::unknown) continue;
    columns.push_back({cell.column, match});
    what = what || match.field == Field::item_code || match.field == Field::item_name || match.field == Field::line_number;
    how_much = how_much || match.field == Field::quantity_ordered || match.field == Field::line_total;
  }
  if (columns.size() < 3 || !what || !how_much) columns.clear();
  return columns;
}

class SheetReader {
 public:
  SheetReader(const Sheet& sheet, const CompiledLayout& layout) : sheet_(sheet), layout_(layout), draft_(layout) {}

  // False when the sheet holds no order.
  bool read(ParsedDocument& answer) {
    const auto rows = rows_of(sheet_);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (head_.empty() && read_flat(rows, i, answer)) return true;
      read_row(rows[i]);
    }
    if (!draft_.has(Field::order_number) && head_.empty()) return false;
    if (!draft_.has(Field::order_number) && !draft_.has(Field::customer_code)) return false;  // a price list has a head, too
    draft_.finish(answer, Disagreement::flag);
    return true;
  }

 private:
  std::string place(const SheetCell& cell) const {
    return "sheet " + printable(sheet_.name) + " cell " + cell_name(cell.row, cell.column);
  }

  bool usable(const SheetCell& cell) {
    if (!cell.formula_without_value) return true;
    draft_.refuse(place(cell), "the cell holds a formula without a stored result; open and save the workbook once");
    return false;
  }

  void read_row(Row row) {
    if (auto head = line_head(row, layout_); !head.empty()) {
      if (head_.empty()) head_ = std::move(head);  // heads repeat on printed pages
      return;
    }
    if (!head_.empty() && is_line(row)) {
      read_line(row);
    } else {
      read_labels(row);
    }
  }

  const SheetCell* cell_at(Row row, std::int32_t column) const {
    const auto found = std::find_if(row.begin(), row.end(), [&](const SheetCell& cell) { return cell.column == column; });
    return found == row.end() ? nullptr : &*found;
  }

  bool is_line(Row row) const {
    for (const TableColumn& column : head_) {
      const Field field = column.match.field;
      if (field != Field::item_code && field != Field::line_number && field != Field::item_name && field != Field::quantity_ordered) continue;
      const SheetCell* cell = cell_at(row, column.column);
      if (cell == nullptr) continue;
      const Field label = layout_.find(text(*cell), Scope::order).field;
      if (label == Field::net_total || label == Field::document_total || label == Field::tax || label == Field::freight || is_total_word(text(*cell))) return false;
      return true;
    }
    return false;
  }

  void read_line(Row row) {
    draft_.add_line(Place{Place::Kind::cell, static_cast<std::uint32_t>(row.front().row + 1), static_cast<std::uint32_t>(row.front().column + 1)});
    for (const TableColumn& column : head_) {
      const SheetCell* cell = cell_at(row, column.column);
      if (cell == nullptr || !usable(*cell)) continue;
      if (auto wrong = draft_.set_on_line(column.match, cell->value); !wrong.empty()) {
        draft_.refuse(place(*cell), std::move(wrong), text_of(cell->value));
      }
    }
  }

  void read_labels(Row row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string_view label = text(row[i]);
      if (label.empty()) continue;
      const FieldMatch match = layout_.find(label, Scope::order);
      if (match.field == Field::unknown || match.field == Field::lines || match.field == Field::expenses) {
        if (i == 0 && head_.empty() && row.size() == 2 && usable(row[1])) draft_.add_extra(label, text_of(row[1].value));
        continue;
      }
      if (i + 1 >= row.size()) return;
      set(match, row[++i]);
      // "Customer | C30084 | Maria Lopez": code and name share a label
      if (match.field == Field::customer_code && i + 1 < row.size() &&
          layout_.find(text(row[i + 1]), Scope::order).field == Field::unknown) {
        set(FieldMatch{Field::customer_name, 0}, row[++i]);
      }
    }
  }

  void set(FieldMatch match, const SheetCell& cell) {
    if (!usable(cell)) return;
    if (auto wrong = draft_.set(match, cell.value); !wrong.empty()) draft_.refuse(place(cell), std::move(wrong), text_of(cell.value));
  }

  // A head row with an order number column: the whole sheet is one flat table from here on.
  bool read_flat(const std::vector<Row>& rows, std::size_t head, ParsedDocument& answer) {
    const auto names = [&](const SheetCell& cell) { return layout_.find(text(cell), Scope::flat).field != Field::unknown; };
    if (rows[head].size() < 4 || std::count_if(rows[head].begin(), rows[head].end(), names) < 4) return false;
    std::vector<std::string> headers;
    for (const SheetCell& cell : rows[head]) headers.emplace_back(text(cell));
    auto columns = flat_columns(headers, layout_);
    const auto known = std::count_if(columns.begin(), columns.end(), [](const FlatColumn& column) { return column.match.field != Field::unknown; });
    if (known < 4 || !is_order_header(columns)) return false;
    FlatTable table(columns, layout_);
    std::vector<FieldValue> values;
    for (std::size_t i = head + 1; i < rows.size(); ++i) {
      values.assign(columns.size(), FieldValue{});
      const SheetCell* broken = nullptr;
      for (std::size_t c = 0; c < columns.size(); ++c) {
        const SheetCell* cell = cell_at(rows[i], rows[head][c].column);
        if (cell == nullptr) continue;
        if (cell->formula_without_value) broken = cell;
        values[c] = cell->value;
      }
      const Place place{Place::Kind::row, static_cast<std::uint32_t>(rows[i].front().row + 1), 0};
      if (broken != nullptr) {
        table.refuse_row(values, place, "cell " + cell_name(broken->row, broken->column) + " holds a formula without a stored result");
      } else {
        table.add_row(values, place);
      }
    }
    table.finish(answer);
    if (!answer.is_order_document) answer.ignored_because = "a header without order rows";
    return true;
  }

  const Sheet& sheet_;
  const CompiledLayout& layout_;
  OrderDraft draft_;
  std::vector<TableColumn> head_;
};

}  // namespace

ParsedDocument parse_xlsx(std::string_view content, const CompiledLayout& layout) {
  ParsedDocument answer;
  answer.format = Format::xlsx;
  const auto workbook = read_workbook(content);
  if (!workbook) {
    answer.is_order_document = true;
    answer.findings.push_back({feed::Outcome::reject, "", workbook.error().text(), "", ""});
    return answer;
  }
  for (const Sheet& sheet : workbook->sheets) {
    if (SheetReader(sheet, layout).read(answer)) return answer;
  }
  answer.ignored_because = "no sheet names an order";
  return answer;
}

}  // namespace millrace::ingest
