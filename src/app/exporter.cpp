#include "app/exporter.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/fd.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "query/cells.h"
#include "query/order_detail.h"
#include "server/workbook.h"

namespace millrace::app {
namespace {

using query::Cell;
using query::FieldType;

constexpr std::size_t block_rows = 500;
constexpr std::size_t changes_per_step = 2000;
// For pipes and scripts: lines of a Unix file, quoted only where RFC 4180 asks for it.
constexpr query::CsvStyle csv_style{.quote_doubtful = false, .line_end = "\n"};

struct Head {
  std::string_view name;
  std::string_view title;
  FieldType type;
};

// The number of a line is its name, as the order's is: text in JSON.
constexpr std::string_view line_name = "line";

constexpr std::array line_heads = std::to_array<Head>({
    {"order", "Order", FieldType::text},
    {"status", "Status", FieldType::text},
    {"customer", "Customer", FieldType::text},
    {"customer_name", "Customer name", FieldType::text},
    {"currency", "Currency", FieldType::text},
    {line_name, "Line", FieldType::number},
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
  using namespace query;
  return {text_cell(row.order),
          text_cell(row.status),
          text_cell(row.customer),
          text_cell(row.customer_name),
          text_cell(order.currency.code()),
          number_cell(line.line_number),
          text_cell(line.item_code),
          text_cell(line.item_name),
          text_cell(line.manufacturer),
          text_cell(line.warehouse_code),
          text_cell(line.unit),
          quantity_cell(line.quantity_ordered.micros),
          quantity_cell(line.quantity_open.micros),
          quantity_cell(line.unit_price.micros),
          quantity_cell(line.discount.micros),
          money_cell({line.line_total, order.currency}),
          money_cell({line.open_amount, order.currency}),
          text_cell(word(line.status)),
          day_cell(due_date(order, line)),
          text_cell(place_text(line.place)),
          text_cell(printable(row.path))};
}

// In the order asked for, and only those: a script names the columns it reads.
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
        for (const query::FieldRow* column : columns) cells.push_back(order_cell(order, column->field));
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

Result<void> write_csv(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink) {
  std::string text;
  for (const Head& head : heads_of(request)) {
    if (!text.empty()) text += csv_style.separator;
    text += head.name;
  }
  text += csv_style.line_end;
  bool open = true;
  const auto count = each_row(snapshot, request, [&](const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += csv_style.separator;
      append_csv_cell(text, cells[i], csv_style);
    }
    text += csv_style.line_end;
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
    json.begin_object().field("minor", cell.number).field("currency", cell.currency.code()).end_object();
  } else if (cell.type == FieldType::flag || (cell.type == FieldType::number && head.name != line_name)) {
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

Result<void> send_file(const UniqueFd& file, const Sink& sink) {
  std::array<char, 64 * 1024> block;
  for (;;) {
    const auto count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return fail(ErrorCode::unavailable, std::string("the workbook cannot be read back: ") + std::strerror(errno));
    if (count == 0 || !sink(std::string_view(block.data(), static_cast<std::size_t>(count)))) return {};
  }
}

Result<void> write_xlsx(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink) {
  std::vector<server::SheetColumn> columns;
  for (const Head& head : heads_of(request)) columns.push_back({head.title, head.type});
  auto book = server::Workbook::start(request.lines ? "Lines" : "Orders", columns);
  if (!book) return pass_on(book);
  Result<void> written;
  const auto count = each_row(snapshot, request, [&](const std::vector<Cell>& cells) {
    written = book->row(cells);
    return written.has_value();
  });
  if (!count) return pass_on(count);
  if (!written && written.error().code() == ErrorCode::limit_reached)
    return fail(ErrorCode::limit_reached, written.error().text() + " Filter with --where or take --format csv.");
  if (!written) return written;
  const auto file = book->finish({request.lines ? "Millrace order lines" : "Millrace order list", request.filter_text,
                                  snapshot->as_of(), snapshot->as_of_time(), request.written, request.today});
  if (!file) return pass_on(file);
  return send_file(*file, sink);
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
