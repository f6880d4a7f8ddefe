#include "app/exporter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <array>
#include <atomic>
#include <charconv>

#include "app/console.h"
#include "base/check.h"
#include "base/fd.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "query/order_detail.h"

namespace millrace::app {
namespace {

using query::FieldType;

constexpr std::size_t block_rows = 500;
constexpr std::size_t changes_per_step = 2000;
constexpr std::uint32_t sheet_rows_max = 1'048'576;

// A cell as text, with what it needs to be a number in a sheet or an amount in JSON.
struct Cell {
  FieldType type = FieldType::text;
  std::string text;        // "" is absent
  std::int64_t minor = 0;  // of money
  Currency currency;
};

struct Head {
  std::string_view name;
  std::string_view title;
  FieldType type;
};

std::string day_text(const std::optional<Day>& day) { return day ? iso(*day) : ""; }

Cell money_cell(std::int64_t minor, Currency currency) {
  return {FieldType::money, decimal_text(Money{minor, currency}), minor, currency};
}

Cell order_cell(const query::OrderRow& row, const query::FieldRow& field) {
  using F = query::OrderField;
  const auto plain = [&](std::string text) { return Cell{field.type, std::move(text), 0, {}}; };
  switch (field.field) {
    case F::order:
      return plain(std::string(row.order));
    case F::status:
      return plain(std::string(row.status));
    case F::document_status:
      return plain(std::string(row.document_status));
    case F::customer:
      return plain(std::string(row.customer));
    case F::customer_name:
      return plain(std::string(row.customer_name));
    case F::customer_reference:
      return plain(std::string(row.customer_reference));
    case F::salesman:
      return plain(std::string(row.salesman));
    case F::currency:
      return plain(row.currency.code());
    case F::order_date:
      return plain(day_text(row.order_date));
    case F::due:
      return plain(day_text(row.due));
    case F::requested:
      return plain(day_text(row.requested));
    case F::promise:
      return plain(day_text(row.promise));
    case F::lines:
      return plain(std::to_string(row.lines));
    case F::quantity:
      return plain(decimal_text(Quantity{row.quantity}));
    case F::open_quantity:
      return plain(decimal_text(Quantity{row.open_quantity}));
    case F::net:
      return money_cell(row.net, row.currency);
    case F::tax:
      return money_cell(row.tax, row.currency);
    case F::freight:
      return money_cell(row.freight, row.currency);
    case F::total:
      return money_cell(row.total, row.currency);
    case F::open_amount:
      return money_cell(row.open_amount, row.currency);
    case F::lateness_days:
      return plain(row.lateness_days ? std::to_string(*row.lateness_days) : "");
    case F::late:
      return plain(row.late ? "true" : "false");
    case F::updated:
      return plain(row.updated ? rfc3339(*row.updated) : "");
    case F::changed_at:
      return plain(rfc3339(row.changed_at));
    case F::revision:
      return plain(std::string(row.revision));
    case F::format:
      return plain(std::string(row.format));
    case F::path:
      return plain(printable(row.path));
    case F::source:
      return plain(std::string(row.source));
    case F::flagged:
      return plain(row.flagged ? "true" : "false");
  }
  return {};
}

constexpr std::array line_heads = std::to_array<Head>({
    {"order", "Order", FieldType::text},
    {"status", "Status", FieldType::text},
    {"customer", "Customer", FieldType::text},
    {"customer_name", "Customer name", FieldType::text},
    {"currency", "Currency", FieldType::text},
    {"line", "Line", FieldType::number},
    {"item", "Item", FieldType::text},
    {"item_name", "Item name", FieldType::text},
    {"manufacturer", "Manufacturer", FieldType::text},
    {"warehouse", "Warehouse", FieldType::text},
    {"unit", "Unit", FieldType::text},
    {"quantity", "Quantity", FieldType::quantity},
    {"open_quantity", "Open quantity", FieldType::quantity},
    {"unit_price", "Unit price", FieldType::quantity},
    {"discount", "Discount %", FieldType::quantity},
    {"line_total", "Line total", FieldType::money},
    {"open_amount", "Open amount", FieldType::money},
    {"line_status", "Line status", FieldType::text},
    {"due", "Due", FieldType::day},
    {"place", "Place", FieldType::text},
    {"path", "File", FieldType::text},
});

std::vector<Cell> line_cells(const query::OrderRow& row, const SalesOrder& order, const OrderLine& line) {
  const auto text = [](std::string_view value) { return Cell{FieldType::text, std::string(value), 0, {}}; };
  const auto number = [](std::string value) { return Cell{FieldType::quantity, std::move(value), 0, {}}; };
  return {text(row.order),
          text(row.status),
          text(row.customer),
          text(row.customer_name),
          text(order.currency.code()),
          number(std::to_string(line.line_number)),
          text(line.item_code),
          text(line.item_name),
          text(line.manufacturer),
          text(line.warehouse_code),
          text(line.unit),
          number(decimal_text(line.quantity_ordered)),
          number(decimal_text(line.quantity_open)),
          number(decimal_text(line.unit_price)),
          number(decimal_text(line.discount)),
          money_cell(line.line_total, order.currency),
          money_cell(line.open_amount, order.currency),
          text(word(line.status)),
          Cell{FieldType::day, day_text(due_date(order, line)), 0, {}},
          text(place_text(line.place)),
          text(printable(row.path))};
}

std::vector<const query::FieldRow*> order_columns(const query::OrderQuery& query) {
  std::vector<const query::FieldRow*> columns;
  for (const query::FieldRow& row : query::order_fields()) {
    if (query.fields.empty()) columns.push_back(&row);
  }
  for (const query::OrderField field : query.fields) {
    for (const query::FieldRow& row : query::order_fields()) {
      if (row.field == field) columns.push_back(&row);
    }
  }
  return columns;
}

std::vector<Head> heads_of(const ExportRequest& request) {
  if (request.lines) return {line_heads.begin(), line_heads.end()};
  std::vector<Head> heads;
  for (const query::FieldRow* column : order_columns(request.query))
    heads.push_back({column->name, column->title, column->type});
  return heads;
}

// Calls `row` for every row of the export; a false answer ends it. Answers the number of rows.
Result<std::uint64_t> each_row(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request,
                               const std::function<bool(const std::vector<Cell>&)>& row) {
  query::OrderCursor cursor(snapshot, request.query, request.today);
  const auto columns = order_columns(request.query);
  std::uint64_t count = 0;
  for (;;) {
    const auto block = cursor.next(block_rows);
    if (block.empty()) return count;
    for (const query::OrderRow& order : block) {
      if (!request.lines) {
        std::vector<Cell> cells;
        for (const query::FieldRow* column : columns) cells.push_back(order_cell(order, *column));
        ++count;
        if (!row(cells)) return count;
        continue;
      }
      const auto detail = query::order_detail(*snapshot, order.order, request.today);
      if (!detail) return pass_on(detail);
      for (const OrderLine& line : detail->put.order->lines) {
        ++count;
        if (!row(line_cells(order, *detail->put.order, line))) return count;
      }
    }
  }
}

std::string csv_cell(const Cell& cell) {
  const bool formula = cell.type == FieldType::text && !cell.text.empty() &&
                       std::string_view("=+-@\t\r").find(cell.text.front()) != std::string_view::npos;
  return csv_field(formula ? "'" + cell.text : cell.text);
}

Result<void> write_csv(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink) {
  std::string text;
  for (const Head& head : heads_of(request)) text += (text.empty() ? "" : ",") + csv_field(head.name);
  text += "\n";
  bool open = true;
  const auto count = each_row(snapshot, request, [&](const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : ",") + csv_cell(cells[i]);
    text += "\n";
    if (text.size() < 64 * 1024) return true;
    open = sink(text);
    text.clear();
    return open;
  });
  if (!count) return pass_on(count);
  if (open) sink(text);
  return {};
}

void write_json_cell(JsonWriter& json, const Head& head, const Cell& cell) {
  json.key(head.name);
  if (cell.text.empty() && cell.type != FieldType::text) {
    json.null();
  } else if (cell.type == FieldType::money) {
    json.begin_object().field("minor", cell.minor).field("currency", cell.currency.code()).end_object();
  } else if (cell.type == FieldType::flag || (cell.type == FieldType::number && head.type == FieldType::number &&
                                              head.name != "quantity" && head.name != "open_quantity")) {
    json.raw(cell.text);
  } else {
    json.text(cell.text);
  }
}

Result<void> write_json(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink) {
  const auto heads = heads_of(request);
  query::OrderQuery probe = request.query;
  probe.limit = 1;
  const auto page = query::orders(*snapshot, probe, request.today);
  if (!page) return pass_on(page);
  std::string text = "{\"as_of\":" + std::to_string(page->as_of.value) + ",\"as_of_time\":\"" +
                     rfc3339(page->as_of_time) + "\",\"data\":[";
  bool open = true, first = true;
  const auto count = each_row(snapshot, request, [&](const std::vector<Cell>& cells) {
    text += first ? "\n" : ",\n";
    first = false;
    JsonWriter json(text);
    json.begin_object();
    for (std::size_t i = 0; i < cells.size(); ++i) write_json_cell(json, heads[i], cells[i]);
    json.end_object();
    if (text.size() < 64 * 1024) return true;
    open = sink(text);
    text.clear();
    return open;
  });
  if (!count) return pass_on(count);
  text += "\n],\"rows\":" + std::to_string(*count) + "}\n";
  if (open) sink(text);
  return {};
}

// Row by row into a memory file: the library keeps one row at a time and writes to a name only.
class Workbook {
 public:
  explicit Workbook(const std::string& path) {
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    book_ = workbook_new_opt(path.c_str(), &options);
    if (book_ == nullptr) return;
    sheet_ = workbook_add_worksheet(book_, "Export");
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    day_ = number_format("yyyy-mm-dd");
    money_[0] = number_format("#,##0");
    money_[1] = number_format("#,##0.00");
    money_[2] = number_format("#,##0.000");
    worksheet_freeze_panes(sheet_, 1, 0);
  }
  ~Workbook() {
    if (book_ != nullptr) workbook_close(book_);
  }
  Workbook(const Workbook&) = delete;
  Workbook& operator=(const Workbook&) = delete;

  bool ok() const { return book_ != nullptr; }
  lxw_error close() { return workbook_close(std::exchange(book_, nullptr)); }
  void head(std::uint16_t column, std::string_view title) {
    worksheet_write_string(sheet_, 0, column, std::string(title).c_str(), bold_);
  }

  void cell(std::uint32_t row, std::uint16_t column, const Cell& cell) {
    if (cell.text.empty()) return;
    if (cell.type == FieldType::money) {
      // At most 15 digits (amounts stay below 2^53), so the sheet shows exactly our number.
      const std::size_t decimals = static_cast<std::size_t>(cell.currency.decimals());
      const std::size_t shown = decimals == 0 ? 0 : decimals <= 2 ? 1 : 2;
      write_number(row, column, cell.text, money_[shown]);
    } else if (cell.type == FieldType::number || cell.type == FieldType::quantity) {
      write_number(row, column, cell.text, nullptr);
    } else if (const auto day = cell.type == FieldType::day ? parse_iso_day(cell.text) : std::nullopt) {
      lxw_datetime date{static_cast<int>(day->year()),
                        static_cast<int>(unsigned(day->month())),
                        static_cast<int>(unsigned(day->day())),
                        0,
                        0,
                        0.0};
      worksheet_write_datetime(sheet_, row, column, &date, day_);
    } else {
      worksheet_write_string(sheet_, row, column, cell.text.c_str(), nullptr);
    }
  }

  void about(std::uint64_t rows, const query::OrderPage& page) {
    lxw_worksheet* sheet = workbook_add_worksheet(book_, "About");
    worksheet_write_string(sheet, 0, 0, "Rows", bold_);
    worksheet_write_number(sheet, 0, 1, static_cast<double>(rows), nullptr);
    worksheet_write_string(sheet, 1, 0, "As of Sequence", bold_);
    worksheet_write_number(sheet, 1, 1, static_cast<double>(page.as_of.value), nullptr);
    worksheet_write_string(sheet, 2, 0, "As of", bold_);
    worksheet_write_string(sheet, 2, 1, rfc3339(page.as_of_time).c_str(), nullptr);
  }

 private:
  lxw_format* number_format(const char* code) {
    lxw_format* format = workbook_add_format(book_);
    format_set_num_format(format, code);
    return format;
  }
  void write_number(std::uint32_t row, std::uint16_t column, const std::string& text, lxw_format* format) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    worksheet_write_number(sheet_, row, column, value, format);
  }

  lxw_workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  lxw_format *bold_ = nullptr, *day_ = nullptr;
  lxw_format* money_[3] = {};
};

Result<void> send_file(int fd, const Sink& sink) {
  std::array<char, 64 * 1024> block;
  off_t at = 0;
  for (;;) {
    const auto count = ::pread(fd, block.data(), block.size(), at);
    if (count < 0) return fail(ErrorCode::unavailable, "the workbook cannot be read back");
    if (count == 0 || !sink(std::string_view(block.data(), static_cast<std::size_t>(count)))) return {};
    at += count;
  }
}

Result<void> write_xlsx(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink) {
  query::OrderQuery probe = request.query;
  probe.limit = 1;
  const auto page = query::orders(*snapshot, probe, request.today);
  if (!page) return pass_on(page);
  const UniqueFd memory(::memfd_create("export", MFD_CLOEXEC));
  if (!memory) return fail(ErrorCode::unavailable, "the workbook cannot be written: no memory file");
  Workbook book("/proc/self/fd/" + std::to_string(memory.get()));
  if (!book.ok()) return fail(ErrorCode::unavailable, "the workbook cannot be written: out of memory");
  const auto heads = heads_of(request);
  for (std::size_t i = 0; i < heads.size(); ++i) book.head(static_cast<std::uint16_t>(i), heads[i].title);
  std::uint32_t at = 0;
  bool too_long = false;
  const auto count = each_row(snapshot, request, [&](const std::vector<Cell>& cells) {
    if (++at >= sheet_rows_max) too_long = true;
    if (too_long) return false;
    for (std::size_t i = 0; i < cells.size(); ++i) book.cell(at, static_cast<std::uint16_t>(i), cells[i]);
    return true;
  });
  if (!count) return pass_on(count);
  if (too_long)
    return fail(ErrorCode::limit_reached, "a sheet holds 1 048 575 rows; filter with --where or take --format csv");
  book.about(*count, *page);
  if (const lxw_error error = book.close(); error != LXW_NO_ERROR) {
    return fail(ErrorCode::unavailable, std::string("the workbook cannot be written: ") + lxw_strerror(error));
  }
  return send_file(memory.get(), sink);
}

}  // namespace

std::optional<ExportFormat> parse_export_format(std::string_view name) {
  if (name == "csv") return ExportFormat::csv;
  if (name == "xlsx") return ExportFormat::xlsx;
  if (name == "json") return ExportFormat::json;
  return std::nullopt;
}

Result<void> write_export(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink) {
  switch (request.format) {
    case ExportFormat::csv:
      return write_csv(snapshot, request, sink);
    case ExportFormat::xlsx:
      return write_xlsx(snapshot, request, sink);
    case ExportFormat::json:
      return write_json(snapshot, request, sink);
  }
  return {};
}

Result<AsOf> parse_as_of(std::string_view text) {
  AsOf as_of;
  if (text.empty()) return as_of;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) {
    as_of.sequence = feed::Sequence{number};
    return as_of;
  }
  as_of.time = parse_instant(text);
  if (!as_of.time)
    return fail(
        ErrorCode::invalid_input,
        "--as-of takes a Sequence number or a time such as 2026-11-21T08:00:00Z, not \"" + printable(text) + "\"");
  return as_of;
}

Result<readmodel::SnapshotPtr> replay(feed::Reader& reader, const AsOf& as_of, const std::atomic<bool>& stop,
                                      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  const auto last = reader.last_sequence();
  if (!last) return pass_on(last);
  if (as_of.sequence && *as_of.sequence > *last) {
    return fail(ErrorCode::not_found, "Sequence " + std::to_string(as_of.sequence->value) +
                                          " has not happened yet; the last one is " + std::to_string(last->value));
  }
  const feed::Sequence goal = as_of.sequence.value_or(*last);
  readmodel::ReadModel model;
  feed::Sequence reached;
  while (reached < goal) {
    if (stop.load(std::memory_order_relaxed)) return fail(ErrorCode::cancelled, "the export was stopped");
    auto changes = reader.changes_after(reached, std::min<std::uint64_t>(changes_per_step, goal.value - reached.value));
    if (!changes) return pass_on(changes);
    bool past_time = false;
    while (as_of.time && !changes->empty() && changes->back().at > *as_of.time) {
      past_time = true;
      changes->pop_back();
    }
    if (changes->empty()) break;
    if (auto applied = model.apply(*changes); !applied) return pass_on(applied);
    reached = changes->back().sequence;
    if (progress) progress(reached.value, goal.value);
    if (past_time) break;
  }
  if (as_of.time && reached.value == 0 && last->value > 0)
    return fail(ErrorCode::not_found, "nothing was recorded before " + rfc3339(*as_of.time));
  return model.current();
}

}  // namespace millrace::app
