#include "server/workbook.h"

#include <fcntl.h>
#include <xlsxwriter.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/check.h"
#include "base/text.h"

namespace millrace::server {

using query::Cell;
using query::FieldType;

namespace {

inline constexpr std::size_t cell_text_max = 32'767;  // of the format
inline constexpr int year_first = 1900;               // of the format's calendar

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

// The library's book and its formats, each made once.
class Book {
 public:
  explicit Book(const std::string& path) {
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    book_ = workbook_new_opt(path.c_str(), &options);
  }
  ~Book() {
    if (book_) workbook_close(book_);
  }
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  lxw_worksheet* sheet(const std::string& name) {
    return book_ ? workbook_add_worksheet(book_, name.c_str()) : nullptr;
  }
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
  lxw_format* editable_head() {
    if (!editable_head_) {
      constexpr lxw_color_t light_yellow = 0xFFF2CC;
      editable_head_ = workbook_add_format(book_);
      format_set_bold(editable_head_);
      format_set_bg_color(editable_head_, light_yellow);
    }
    return editable_head_;
  }

 private:
  lxw_workbook* book_ = nullptr;
  lxw_format* bold_ = nullptr;
  lxw_format* editable_head_ = nullptr;
  std::map<std::string, lxw_format*> formats_;
};

std::string money_format(int decimals) {
  return decimals == 0 ? "#,##0" : "#,##0." + std::string(static_cast<std::size_t>(decimals), '0');
}

// At most 15 digits (amounts stay below 2^53), so the sheet shows exactly our number.
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

std::string clipped(std::string_view value) {
  std::string clean;
  for (const std::string_view line : split(value, '\n')) clean.append(clean.empty() ? "" : "\n").append(printable(line));
  if (clean.size() <= cell_text_max) return clean;
  std::size_t end = cell_text_max;  // never inside a character: half of one would make the sheet unreadable
  while (end > 0 && (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80) --end;
  clean.resize(end);
  return clean;
}

}  // namespace

struct Workbook::Impl {
  TemporaryName name;
  Book book{name.path()};
  lxw_worksheet* list = nullptr;
  lxw_worksheet* about = nullptr;
  std::size_t column_count = 0;
  lxw_row_t rows = 0;
  lxw_error worst = LXW_NO_ERROR;

  void begin(const std::vector<SheetColumn>& columns) {
    column_count = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto column = static_cast<lxw_col_t>(i);
      using Look = SheetColumn::Look;
      lxw_row_col_options hidden{};
      hidden.hidden = columns[i].look == Look::hidden ? LXW_TRUE : LXW_FALSE;
      worksheet_set_column_opt(list, column, column, columns[i].type == FieldType::text ? 18 : 14, nullptr, &hidden);
      worksheet_write_string(list, 0, column, clipped(columns[i].title).c_str(), columns[i].look == Look::editable ? book.editable_head() : book.bold());
    }
    worksheet_freeze_panes(list, 1, 1);
  }

  lxw_error text(lxw_col_t column, std::string_view value) {
    return worksheet_write_string(list, rows, column, clipped(value).c_str(), nullptr);
  }
  lxw_error number(lxw_col_t column, double value, const std::string& format) {
    return worksheet_write_number(list, rows, column, value, book.number_format(format));
  }
  lxw_error when(lxw_col_t column, lxw_datetime value, const char* format) {
    return worksheet_write_datetime(list, rows, column, &value, book.number_format(format));
  }

  lxw_error cell(lxw_col_t column, const Cell& cell) {
    if (cell.text.empty()) return LXW_NO_ERROR;
    switch (cell.type) {
      case FieldType::text:
        break;
      case FieldType::number:
        return number(column, static_cast<double>(cell.number), "0");
      case FieldType::quantity:
        return number(column, static_cast<double>(cell.number) / micros_per_one, "#,##0.######");
      case FieldType::money:
        return number(column, money_number(cell.number, cell.currency), money_format(cell.currency.decimals()));
      case FieldType::flag:
        return worksheet_write_boolean(list, rows, column, cell.number != 0, nullptr);
      case FieldType::day:  // earlier days do not exist in a sheet and stay text
        if (cell.day && int{cell.day->year()} >= year_first) return when(column, sheet_day(*cell.day), "yyyy-mm-dd");
        break;
      case FieldType::instant:
        if (cell.instant && int{utc_day(*cell.instant).year()} >= year_first)
          return when(column, sheet_instant(*cell.instant), "yyyy-mm-dd hh:mm:ss");
        break;
    }
    return text(column, cell.text);
  }

  void write_about(const AboutSheet& facts) {
    worksheet_set_column(about, 0, 0, 20, nullptr);
    worksheet_set_column(about, 1, 1, 60, nullptr);
    lxw_row_t row = 0;
    const auto line = [&](const char* title, std::string_view value) {
      worksheet_write_string(about, row, 0, title, book.bold());
      worksheet_write_string(about, row++, 1, clipped(value).c_str(), nullptr);
    };
    const auto count = [&](const char* title, std::uint64_t value) {
      worksheet_write_string(about, row, 0, title, book.bold());
      worksheet_write_number(about, row++, 1, static_cast<double>(value), nullptr);
    };
    line("Title", facts.title);
    count("Rows", rows);
    line("Filter", facts.filter.empty() ? "none: all orders" : facts.filter);
    count("As of Sequence", facts.as_of.value);
    line("As of time", rfc3339(facts.as_of_time));
    line("Written", rfc3339(facts.written));
    line("Today", iso(facts.today));
  }
};

Workbook::Workbook(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Workbook::~Workbook() = default;
Workbook::Workbook(Workbook&&) noexcept = default;

Result<Workbook> Workbook::start(const std::string& sheet, const std::vector<SheetColumn>& columns) {
  check(!columns.empty(), "a sheet has at least one column");
  auto impl = std::make_unique<Impl>();
  if (!impl->name.ok())
    return fail(ErrorCode::unavailable,
                std::string("The sheet needs a temporary file and the folder refuses: ") + std::strerror(errno));
  impl->list = impl->book.sheet(sheet);
  impl->about = impl->book.sheet("About");
  if (!impl->list || !impl->about)
    return fail(ErrorCode::unavailable, "The sheet could not be started: no temporary file.");
  impl->begin(columns);
  return Workbook(std::move(impl));
}

Result<void> Workbook::row(std::span<const Cell> cells) {
  check(cells.size() == impl_->column_count, "a row of a sheet has a cell for every column");
  if (impl_->rows >= sheet_rows_max)
    return fail(ErrorCode::limit_reached, "A sheet holds " + std::to_string(sheet_rows_max) + " rows.");
  ++impl_->rows;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const lxw_error error = impl_->cell(static_cast<lxw_col_t>(i), cells[i]);
    if (error == LXW_NO_ERROR) continue;
    impl_->worst = error;
    return fail(ErrorCode::unavailable, std::string("The sheet was not written: ") + lxw_strerror(error));
  }
  return {};
}

std::uint64_t Workbook::row_count() const { return impl_->rows; }

Result<UniqueFd> Workbook::finish(const AboutSheet& about) {
  if (impl_->rows > 0)
    worksheet_autofilter(impl_->list, 0, 0, impl_->rows, static_cast<lxw_col_t>(impl_->column_count - 1));
  impl_->write_about(about);
  const lxw_error closed = impl_->book.close();
  const lxw_error worst = closed != LXW_NO_ERROR ? closed : impl_->worst;
  if (worst != LXW_NO_ERROR)
    return fail(ErrorCode::unavailable, std::string("The sheet was not written: ") + lxw_strerror(worst));
  UniqueFd file(::open(impl_->name.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(ErrorCode::unavailable, std::string("The sheet was not read back: ") + std::strerror(errno));
  return file;
}

}  // namespace millrace::server
