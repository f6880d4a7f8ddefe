// The order list as a workbook: raw numbers with formats on the first sheet, what it is on the second.
#include <fcntl.h>
#include <xlsxwriter.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/text.h"
#include "server/internal/exports.h"
#include "server/internal/rows.h"

namespace millrace::server {

using query::FieldRow;
using query::FieldType;
using query::OrderField;

namespace {

inline constexpr std::uint64_t sheet_rows_max = 1'048'575;  // one row is the heading
inline constexpr std::size_t cell_text_max = 32'767;

// The name of a temporary file for as long as the writer needs one.
class TemporaryName {
 public:
  TemporaryName() {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder && *folder ? folder : "/tmp") + "/millrace-export-XXXXXX";
    fd_.reset(::mkstemp(path_.data()));
  }
  ~TemporaryName() {
    if (fd_) ::unlink(path_.c_str());
  }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  bool ok() const { return static_cast<bool>(fd_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  UniqueFd fd_;
};

class Workbook {
 public:
  explicit Workbook(const std::string& path) {
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    book_ = workbook_new_opt(path.c_str(), &options);
  }
  ~Workbook() {
    if (book_) workbook_close(book_);
  }
  Workbook(const Workbook&) = delete;
  Workbook& operator=(const Workbook&) = delete;

  lxw_workbook* get() const { return book_; }
  lxw_error close() { return workbook_close(std::exchange(book_, nullptr)); }

  lxw_format* number_format(const std::string& code) {
    auto [found, added] = formats_.try_emplace(code, nullptr);
    if (added) {
      found->second = workbook_add_format(book_);
      format_set_num_format(found->second, code.c_str());
    }
    return found->second;
  }
  lxw_format* bold() {
    if (!bold_) {
      bold_ = workbook_add_format(book_);
      format_set_bold(bold_);
    }
    return bold_;
  }

 private:
  lxw_workbook* book_ = nullptr;
  lxw_format* bold_ = nullptr;
  std::map<std::string, lxw_format*> formats_;
};

std::string money_format(int decimals) {
  return decimals == 0 ? "#,##0" : "#,##0." + std::string(static_cast<std::size_t>(decimals), '0');
}

double money_number(std::int64_t minor, Currency currency) {
  double divisor = 1;
  for (int i = 0; i < currency.decimals(); ++i) divisor *= 10;
  return static_cast<double>(minor) / divisor;
}

lxw_datetime sheet_day(Day day) {
  lxw_datetime when{};
  when.year = int{day.year()};
  when.month = static_cast<int>(unsigned{day.month()});
  when.day = static_cast<int>(unsigned{day.day()});
  return when;
}

lxw_datetime sheet_instant(Instant instant) {
  const auto days = std::chrono::floor<std::chrono::days>(instant);
  lxw_datetime when = sheet_day(Day(days));
  const std::chrono::hh_mm_ss time(instant - days);
  when.hour = static_cast<int>(time.hours().count());
  when.min = static_cast<int>(time.minutes().count());
  when.sec = static_cast<double>(time.seconds().count());
  return when;
}

class SheetWriter {
 public:
  SheetWriter(Workbook& book, lxw_worksheet* sheet, const query::OrderQuery& query) : book_(book), sheet_(sheet) {
    for (const FieldRow& field : query::order_fields()) {
      const bool wanted = query.fields.empty() || field.field == OrderField::order ||
                          std::find(query.fields.begin(), query.fields.end(), field.field) != query.fields.end();
      if (wanted) columns_.push_back(&field);
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto column = static_cast<lxw_col_t>(i);
      worksheet_set_column(sheet_, column, column, columns_[i]->type == FieldType::text ? 18 : 14, nullptr);
      text(0, column, columns_[i]->title, book_.bold());
    }
    worksheet_freeze_panes(sheet_, 1, 1);
  }

  lxw_error row(const query::OrderRow& order) {
    ++row_;
    lxw_error worst = LXW_NO_ERROR;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const lxw_error error = cell(static_cast<lxw_col_t>(i), order, *columns_[i]);
      if (error != LXW_NO_ERROR) worst = error;
    }
    return worst;
  }
  void finish() {
    if (row_ > 0) worksheet_autofilter(sheet_, 0, 0, row_, static_cast<lxw_col_t>(columns_.size() - 1));
  }

 private:
  lxw_error text(lxw_row_t row, lxw_col_t column, std::string_view value, lxw_format* format = nullptr) {
    if (value.empty()) return LXW_NO_ERROR;
    std::string clean = printable(value);
    if (clean.size() > cell_text_max) clean.resize(cell_text_max);
    return worksheet_write_string(sheet_, row, column, clean.c_str(), format);
  }
  lxw_error day(lxw_col_t column, const std::optional<Day>& value) {
    if (!value || int{value->year()} < 1900) return value ? text(row_, column, iso(*value)) : LXW_NO_ERROR;
    lxw_datetime when = sheet_day(*value);
    return worksheet_write_datetime(sheet_, row_, column, &when, book_.number_format("yyyy-mm-dd"));
  }
  lxw_error instant(lxw_col_t column, const std::optional<Instant>& value) {
    if (!value || int{utc_day(*value).year()} < 1900) return LXW_NO_ERROR;
    lxw_datetime when = sheet_instant(*value);
    return worksheet_write_datetime(sheet_, row_, column, &when, book_.number_format("yyyy-mm-dd hh:mm:ss"));
  }
  lxw_error number(lxw_col_t column, double value, const std::string& format) {
    return worksheet_write_number(sheet_, row_, column, value, book_.number_format(format));
  }
  lxw_error money(lxw_col_t column, std::int64_t minor, Currency currency) {
    return number(column, money_number(minor, currency), money_format(currency.decimals()));
  }
  lxw_error quantity(lxw_col_t column, std::int64_t micros) {
    return number(column, static_cast<double>(micros) / 1e6, "#,##0.######");
  }

  lxw_error cell(lxw_col_t column, const query::OrderRow& order, const FieldRow& field) {
    switch (field.field) {
      case OrderField::order_date:
        return day(column, order.order_date);
      case OrderField::due:
        return day(column, order.due);
      case OrderField::requested:
        return day(column, order.requested);
      case OrderField::promise:
        return day(column, order.promise);
      case OrderField::lines:
        return number(column, order.lines, "0");
      case OrderField::quantity:
        return quantity(column, order.quantity);
      case OrderField::open_quantity:
        return quantity(column, order.open_quantity);
      case OrderField::net:
        return money(column, order.net, order.currency);
      case OrderField::tax:
        return money(column, order.tax, order.currency);
      case OrderField::freight:
        return money(column, order.freight, order.currency);
      case OrderField::total:
        return money(column, order.total, order.currency);
      case OrderField::open_amount:
        return money(column, order.open_amount, order.currency);
      case OrderField::lateness_days:
        return order.lateness_days ? number(column, *order.lateness_days, "0") : LXW_NO_ERROR;
      case OrderField::late:
        return worksheet_write_boolean(sheet_, row_, column, order.late, nullptr);
      case OrderField::flagged:
        return worksheet_write_boolean(sheet_, row_, column, order.flagged, nullptr);
      case OrderField::updated:
        return instant(column, order.updated);
      case OrderField::changed_at:
        return instant(column, order.changed_at);
      default:
        return text(row_, column, cell_text(order, field.field));
    }
  }

  Workbook& book_;
  lxw_worksheet* sheet_;
  std::vector<const FieldRow*> columns_;
  lxw_row_t row_ = 0;
};

void write_about(Workbook& book, lxw_worksheet* sheet, const SheetRequest& request, std::uint64_t rows) {
  worksheet_set_column(sheet, 0, 0, 20, nullptr);
  worksheet_set_column(sheet, 1, 1, 60, nullptr);
  lxw_row_t row = 0;
  const auto line = [&](const char* name, const std::string& value) {
    worksheet_write_string(sheet, row, 0, name, book.bold());
    worksheet_write_string(sheet, row, 1, printable(value).substr(0, cell_text_max).c_str(), nullptr);
    ++row;
  };
  line("Title", "Millrace order list");
  worksheet_write_string(sheet, row, 0, "Rows", book.bold());
  worksheet_write_number(sheet, row++, 1, static_cast<double>(rows), nullptr);
  line("Filter", request.filter_text.empty() ? "none: all orders" : request.filter_text);
  worksheet_write_string(sheet, row, 0, "As of Sequence", book.bold());
  worksheet_write_number(sheet, row++, 1, static_cast<double>(request.at.as_of.value), nullptr);
  line("As of time", rfc3339(request.at.as_of_time));
  line("Written", rfc3339(request.at.now));
  line("Today", iso(request.at.today));
}

}  // namespace

Result<UniqueFd> write_orders_workbook(const SheetRequest& request) {
  query::OrderCursor cursor(request.at.snapshot, request.query, request.at.today);
  if (cursor.matching() > sheet_rows_max)
    return fail(ErrorCode::limit_reached, "A sheet holds " + std::to_string(sheet_rows_max) + " rows and " +
                                              std::to_string(cursor.matching()) +
                                              " match: narrow the filter or take the list as .csv.");
  TemporaryName name;
  if (!name.ok())
    return fail(ErrorCode::unavailable,
                std::string("The sheet needs a temporary file and the folder refuses: ") + std::strerror(errno));
  Workbook book(name.path());
  lxw_worksheet* orders = workbook_add_worksheet(book.get(), "Orders");
  lxw_worksheet* about = workbook_add_worksheet(book.get(), "About");
  if (!orders || !about) return fail(ErrorCode::unavailable, "The sheet could not be started: no temporary file.");
  SheetWriter writer(book, orders, request.query);
  std::uint64_t rows = 0;
  lxw_error worst = LXW_NO_ERROR;
  for (auto block = cursor.next(512); !block.empty(); block = cursor.next(512)) {
    for (const auto& row : block)
      if (const lxw_error error = writer.row(row); error != LXW_NO_ERROR) worst = error;
    rows += block.size();
  }
  writer.finish();
  write_about(book, about, request, rows);
  const lxw_error closed = book.close();
  if (closed != LXW_NO_ERROR) worst = closed;
  if (worst != LXW_NO_ERROR)
    return fail(ErrorCode::unavailable, std::string("The sheet was not written: ") + lxw_strerror(worst));
  UniqueFd file(::open(name.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(ErrorCode::unavailable, std::string("The sheet was not read back: ") + std::strerror(errno));
  return file;
}

}  // namespace millrace::server
