// The pack as a workbook: a sheet of figures, one for each table, and "About".
#include <xlsxwriter.h>

#include <map>
#include <set>
#include <utility>

#include "app/report_pack.h"
#include "base/text.h"

namespace millrace::app {
namespace {

constexpr std::size_t sheet_name_max = 31;  // of the format
constexpr std::size_t cell_text_max = 32'767;

// A name every program takes: no []:*?/\ in it, not too long, unlike the others.
std::string sheet_name(std::string_view title, std::set<std::string>& taken) {
  std::string name;
  for (const char c : title) name += std::string_view("[]:*?/\\").find(c) == std::string_view::npos ? c : ' ';
  while (name.size() > sheet_name_max - 3) name.pop_back();
  while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80) name.pop_back();
  std::string unlike = name;
  for (int i = 2; !taken.insert(lower_ascii(unlike)).second; ++i) unlike = name + " " + std::to_string(i);
  return unlike;
}

class PackBook {
 public:
  explicit PackBook(const std::string& path) : book_(workbook_new(path.c_str())) {}
  ~PackBook() {
    if (book_) workbook_close(book_);
  }
  PackBook(const PackBook&) = delete;
  PackBook& operator=(const PackBook&) = delete;
  bool ok() const { return book_ != nullptr; }

  void write(const Pack& pack) {
    // The moment of its data, not of its writing: the same pack gives the same bytes.
    lxw_doc_properties properties{};
    std::string title = pack.title;
    properties.title = title.data();
    properties.created = std::chrono::system_clock::to_time_t(pack.as_of_time);
    workbook_set_properties(book_, &properties);
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    write_figures(pack);
    if (pack.curve) write_curve(*pack.curve);
    for (const PackTable& table : pack.tables) write_table(table);
    write_about(pack);
  }
  Result<void> close(const std::string& path) {
    const lxw_error closed = workbook_close(std::exchange(book_, nullptr));
    const lxw_error worst = worst_ != LXW_NO_ERROR ? worst_ : closed;
    if (worst == LXW_NO_ERROR) return {};
    return fail(ErrorCode::unavailable, "The workbook " + path + " was not written (" + lxw_strerror(worst) + "); look at its folder and the disk.");
  }

 private:
  lxw_worksheet* sheet(std::string_view title) { return workbook_add_worksheet(book_, sheet_name(title, names_).c_str()); }

  lxw_format* format(const std::string& code, bool bold) {
    auto [found, added] = formats_.try_emplace({code, bold}, nullptr);
    if (added) {
      found->second = workbook_add_format(book_);
      format_set_num_format(found->second, code.c_str());
      if (bold) format_set_bold(found->second);
    }
    return found->second;
  }

  void note(lxw_error error) {
    if (worst_ == LXW_NO_ERROR) worst_ = error;
  }

  void text(lxw_worksheet* sheet, lxw_row_t row, lxw_col_t column, std::string_view value, bool bold) {
    std::string clean = printable(value);
    if (clean.size() > cell_text_max) clean.resize(cell_text_max);
    note(worksheet_write_string(sheet, row, column, clean.c_str(), bold ? bold_ : nullptr));
  }

  void cell(lxw_worksheet* sheet, lxw_row_t row, lxw_col_t column, const query::Cell& cell, bool bold) {
    using query::FieldType;
    if (cell.text.empty()) return;
    if (cell.type == FieldType::money) {
      // At most 15 digits (amounts stay below 2^53), so the sheet shows exactly our number.
      double divisor = 1;
      for (int i = 0; i < cell.currency.decimals(); ++i) divisor *= 10;
      const std::string code = cell.currency.decimals() == 0 ? "#,##0" : "#,##0." + std::string(static_cast<std::size_t>(cell.currency.decimals()), '0');
      return note(worksheet_write_number(sheet, row, column, static_cast<double>(cell.number) / divisor, format(code, bold)));
    }
    if (cell.type == FieldType::number) return note(worksheet_write_number(sheet, row, column, static_cast<double>(cell.number), format("0", bold)));
    if (cell.type == FieldType::day && cell.day && int{cell.day->year()} >= 1900) {
      lxw_datetime when{};
      when.year = int{cell.day->year()};
      when.month = static_cast<int>(unsigned{cell.day->month()});
      when.day = static_cast<int>(unsigned{cell.day->day()});
      return note(worksheet_write_datetime(sheet, row, column, &when, format("yyyy-mm-dd", bold)));
    }
    text(sheet, row, column, cell.text, bold);
  }

  void write_figures(const Pack& pack) {
    lxw_worksheet* figures = sheet("Figures");
    worksheet_set_column(figures, 0, 0, 36, nullptr);
    worksheet_set_column(figures, 1, 1, 20, nullptr);
    text(figures, 0, 0, pack.title, true);
    text(figures, 1, 0, pack.sentence, false);
    lxw_row_t row = 3;
    for (const PackFigure& figure : pack.figures) {
      text(figures, row, 0, figure.title, false);
      cell(figures, row, 1, figure.value, true);
      if (figure.value.type == query::FieldType::money) text(figures, row, 2, figure.value.currency.code(), false);
      ++row;
    }
  }

  void write_curve(const PackCurve& curve) {
    lxw_worksheet* days = sheet(curve.title);
    worksheet_set_column(days, 0, 3, 16, nullptr);
    worksheet_freeze_panes(days, 1, 0);
    lxw_col_t column = 0;
    for (const std::string& title : {std::string("Day"), "Balance " + curve.currency.code(), std::string("p10"), std::string("p90")}) text(days, 0, column++, title, true);
    lxw_row_t row = 1;
    for (const auto& point : curve.points) {
      cell(days, row, 0, query::day_cell(point.day), false);
      cell(days, row, 1, query::money_cell({point.value, curve.currency}), false);
      cell(days, row, 2, query::money_cell({point.low, curve.currency}), false);
      cell(days, row++, 3, query::money_cell({point.high, curve.currency}), false);
    }
  }

  void write_table(const PackTable& table) {
    lxw_worksheet* rows = sheet(table.title);
    worksheet_freeze_panes(rows, 1, 0);
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const auto column = static_cast<lxw_col_t>(c);
      worksheet_set_column(rows, column, column, table.columns[c].share > 1.5F ? 28 : 16, nullptr);
      text(rows, 0, column, table.columns[c].title, true);
    }
    for (std::size_t i = 0; i < table.rows.size(); ++i)
      for (std::size_t c = 0; c < table.columns.size(); ++c)
        cell(rows, static_cast<lxw_row_t>(i + 1), static_cast<lxw_col_t>(c), table.rows[i][c], table.has_total && i + 1 == table.rows.size());
    if (!table.note.empty()) text(rows, static_cast<lxw_row_t>(table.rows.size() + 2), 0, table.note, false);
  }

  void write_about(const Pack& pack) {
    lxw_worksheet* about = sheet("About");
    worksheet_set_column(about, 0, 0, 20, nullptr);
    worksheet_set_column(about, 1, 1, 40, nullptr);
    const std::pair<const char*, std::string> lines[] = {
        {"Title", pack.title}, {"Company", pack.company}, {"As of Sequence", std::to_string(pack.as_of.value)}, {"As of time", rfc3339(pack.as_of_time)}, {"Day", iso(pack.day)}};
    lxw_row_t row = 0;
    for (const auto& [title, value] : lines) {
      text(about, row, 0, title, true);
      text(about, row++, 1, value, false);
    }
  }

  lxw_workbook* book_;
  lxw_format* bold_ = nullptr;
  std::map<std::pair<std::string, bool>, lxw_format*> formats_;
  std::set<std::string> names_;
  lxw_error worst_ = LXW_NO_ERROR;
};

}  // namespace

Result<void> write_pack_xlsx(const Pack& pack, const std::string& path) {
  PackBook book(path);
  if (!book.ok()) return fail(ErrorCode::unavailable, "The workbook " + path + " could not be begun: no memory.");
  book.write(pack);
  return book.close(path);
}

}  // namespace millrace::app
