// A workbook as an office makes it: label and value rows, then the table of lines.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <array>
#include <memory>

#include "app/internal/demo_formats.h"
#include "base/fd.h"
#include "domain/order_rules.h"

namespace millrace::app::internal {
namespace {

struct Formats {
  lxw_format* bold;
  lxw_format* day;
  lxw_format* instant;
  lxw_format* money;
};

constexpr std::array<const char*, 14> heads = {"Line",        "Item",      "Description", "Manufacturer", "Qty",
                                               "Unit",        "Open qty",  "Unit price",  "Disc %",       "Line total",
                                               "Open amount", "Ship date", "Line status", "Warehouse"};
constexpr lxw_col_t label_column = 8;  // of the sums below the table: left of "Line total"

// Spreadsheets keep doubles; every number here has at most 15 digits, so that the reader gets back what was meant.
double cell_number(std::int64_t value, std::int64_t scale) {
  return static_cast<double>(value) / static_cast<double>(scale);
}

class Sheet {
 public:
  Sheet(lxw_worksheet* sheet, const Formats& formats, Currency currency) : sheet_(sheet), formats_(formats) {
    for (int i = 0; i < currency.decimals(); ++i) minor_per_major_ *= 10;
  }
  void text(lxw_row_t row, lxw_col_t column, const std::string& value, lxw_format* format = nullptr) {
    if (!value.empty()) note(worksheet_write_string(sheet_, row, column, value.c_str(), format));
  }
  void number(lxw_row_t row, lxw_col_t column, std::int64_t value, std::int64_t scale) {
    note(worksheet_write_number(sheet_, row, column, cell_number(value, scale), nullptr));
  }
  void money(lxw_row_t row, lxw_col_t column, std::int64_t minor) {
    note(worksheet_write_number(sheet_, row, column, cell_number(minor, minor_per_major_), formats_.money));
  }
  void day(lxw_row_t row, lxw_col_t column, const std::optional<Day>& value) {
    if (!value) return;
    lxw_datetime date{static_cast<int>(value->year()),
                      static_cast<int>(unsigned(value->month())),
                      static_cast<int>(unsigned(value->day())),
                      0,
                      0,
                      0.0};
    note(worksheet_write_datetime(sheet_, row, column, &date, formats_.day));
  }
  void instant(lxw_row_t row, lxw_col_t column, const std::optional<Instant>& value) {
    if (!value) return;
    const Day day = utc_day(*value);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*value - std::chrono::sys_days(day)).count();
    lxw_datetime stamp{static_cast<int>(day.year()),          static_cast<int>(unsigned(day.month())),
                       static_cast<int>(unsigned(day.day())), static_cast<int>(seconds / 3600),
                       static_cast<int>(seconds / 60 % 60),   static_cast<double>(seconds % 60)};
    note(worksheet_write_datetime(sheet_, row, column, &stamp, formats_.instant));
  }
  lxw_error error() const { return error_; }

 private:
  void note(lxw_error error) {
    if (error_ == LXW_NO_ERROR) error_ = error;
  }
  lxw_worksheet* sheet_;
  Formats formats_;
  std::int64_t minor_per_major_ = 1;
  lxw_error error_ = LXW_NO_ERROR;
};

void add_head(Sheet& sheet, const SalesOrder& order, lxw_format* bold) {
  const std::array<const char*, 9> labels = {"Sales Order", "Customer", "Customer PO", "Sales person", "Order date",
                                             "Due date",    "Currency", "Revision",    "Last change"};
  for (lxw_row_t row = 0; row < labels.size(); ++row) sheet.text(row, 0, labels[row], bold);
  sheet.text(0, 1, "SO" + order.number.text);
  sheet.text(1, 1, order.customer_code);
  sheet.text(1, 2, order.customer_name);
  sheet.text(2, 1, order.customer_reference);
  sheet.text(3, 1, order.salesperson);
  sheet.day(4, 1, order.order_date);
  sheet.day(5, 1, order.requested_date);
  sheet.text(6, 1, order.currency.code());
  sheet.text(7, 1, order.revision);
  sheet.instant(8, 1, order.updated);
}

void add_lines(Sheet& sheet, const SalesOrder& order, lxw_format* bold) {
  lxw_row_t row = 10;
  for (lxw_col_t column = 0; column < heads.size(); ++column) sheet.text(row, column, heads[column], bold);
  for (const OrderLine& line : order.lines) {
    ++row;
    sheet.number(row, 0, line.line_number, 1);
    sheet.text(row, 1, line.item_code);
    sheet.text(row, 2, line.item_name);
    sheet.text(row, 3, line.manufacturer);
    sheet.number(row, 4, line.quantity_ordered.micros, micros_per_one);
    sheet.text(row, 5, line.unit);
    sheet.number(row, 6, line.quantity_open.micros, micros_per_one);
    sheet.number(row, 7, line.unit_price.micros, micros_per_one);
    sheet.number(row, 8, line.discount.micros, micros_per_one);
    sheet.money(row, 9, line.line_total);
    sheet.money(row, 10, line.open_amount);
    sheet.day(row, 11, line.requested_date);
    sheet.text(row, 12, std::string(line_status_word(line)));
    sheet.text(row, 13, line.warehouse_code);
  }
  row += 2;
  const OrderAmounts sums = amounts(order);
  const std::array<std::pair<const char*, std::int64_t>, 4> totals = {
      {{"Net total", sums.net}, {"Tax", order.tax}, {"Freight", order.freight}, {"Total", sums.total}}};
  for (const auto& [label, minor] : totals) {
    sheet.text(row, label_column, label, bold);
    sheet.money(row, label_column + 1, minor);
    ++row;
  }
}

Result<std::string> read_all(int fd, const SalesOrder& order) {
  std::string bytes;
  std::array<char, 16384> block;
  off_t at = 0;
  for (;;) {
    const auto count = ::pread(fd, block.data(), block.size(), at);
    if (count < 0)
      return fail(ErrorCode::unavailable, "workbook of order " + order.number.text + ": cannot be read back");
    if (count == 0) return bytes;
    bytes.append(block.data(), static_cast<std::size_t>(count));
    at += count;
  }
}

}  // namespace

Result<std::string> demo_xlsx(const SalesOrder& order) {
  // The library writes to a file name only; a memory file has one.
  const UniqueFd memory(::memfd_create("workbook", MFD_CLOEXEC));
  if (!memory) return fail(ErrorCode::unavailable, "workbook of order " + order.number.text + ": no memory file");
  const std::string path = "/proc/self/fd/" + std::to_string(memory.get());
  lxw_workbook* workbook = workbook_new(path.c_str());
  if (workbook == nullptr)
    return fail(ErrorCode::unavailable, "workbook of order " + order.number.text + ": out of memory");
  lxw_doc_properties properties{};
  std::string title = "Sales order SO" + order.number.text;
  properties.title = title.data();
  // The library stamps "now" otherwise, and the same order would give other bytes.
  properties.created =
      order.updated ? static_cast<time_t>(
                          std::chrono::duration_cast<std::chrono::seconds>(order.updated->time_since_epoch()).count())
                    : 1;
  workbook_set_properties(workbook, &properties);
  lxw_worksheet* worksheet = workbook_add_worksheet(workbook, "Order");
  Formats formats{workbook_add_format(workbook), workbook_add_format(workbook), workbook_add_format(workbook),
                  workbook_add_format(workbook)};
  format_set_bold(formats.bold);
  format_set_num_format(formats.day, "yyyy-mm-dd");
  format_set_num_format(formats.instant, "yyyy-mm-dd hh:mm:ss");
  format_set_num_format(formats.money, order.currency.decimals() == 0 ? "#,##0" : "#,##0.00");
  worksheet_set_column(worksheet, 0, 1, 13, nullptr);
  worksheet_set_column(worksheet, 2, 2, 38, nullptr);
  worksheet_set_column(worksheet, 3, 13, 13, nullptr);
  Sheet sheet(worksheet, formats, order.currency);
  add_head(sheet, order, formats.bold);
  add_lines(sheet, order, formats.bold);
  const lxw_error closed = workbook_close(workbook);  // also frees everything
  const lxw_error error = sheet.error() != LXW_NO_ERROR ? sheet.error() : closed;
  if (error != LXW_NO_ERROR)
    return fail(ErrorCode::unavailable, "workbook of order " + order.number.text + ": " + lxw_strerror(error));
  return read_all(memory.get(), order);
}

}  // namespace millrace::app::internal
