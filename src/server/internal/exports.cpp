#include "server/internal/exports.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "ingest/overlay_sheet.h"
#include "query/order_detail.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"
#include "server/workbook.h"

namespace millrace::server {

using query::CsvStyle;
using query::FieldRow;

namespace {

inline constexpr std::size_t rows_per_block = 256;

}  // namespace

std::string last_line(std::uint64_t rows, const Moment& at) {
  return "# rows: " + std::to_string(rows) + ", as of Sequence " + std::to_string(at.as_of.value) + ", " +
         rfc3339(at.as_of_time);
}

namespace {

// Rows of one Snapshot in blocks; `Shape` decides what a row looks like.
class RowStream : public BodyStream {
 public:
  RowStream(Moment at, const query::OrderQuery& query)
      : at_(std::move(at)), query_(query) {}

  Result<bool> next(std::string& out) final {
    if (!cursor_) {
      cursor_.emplace(at_.snapshot, query_, at_.today);  // finding the rows is work of its turn, as each block is
      begin(out);
    }
    const std::vector<query::OrderRow> rows = cursor_->next(rows_per_block);
    for (const auto& row : rows) {
      append(out, row, written_ == 0);
      ++written_;
    }
    if (!rows.empty()) return true;
    if (written_ != cursor_->matching()) {
      out += "#ERROR " + std::to_string(cursor_->matching() - written_) + " rows are missing";
      return fail(ErrorCode::internal, "the export gave " + std::to_string(written_) + " of " +
                                           std::to_string(cursor_->matching()) + " rows");
    }
    end(out);
    return false;
  }

 protected:
  virtual void begin(std::string& out) = 0;
  virtual void append(std::string& out, const query::OrderRow& row, bool first) = 0;
  virtual void end(std::string& out) = 0;

  const Moment at_;
  const query::OrderQuery query_;
  std::uint64_t written_ = 0;

 private:
  std::optional<query::OrderCursor> cursor_;
};

class CsvStream final : public RowStream {
 public:
  CsvStream(Moment at, const query::OrderQuery& query, CsvStyle style)
      : RowStream(std::move(at), query), columns_(query::list_columns(query)), style_(style) {}

 private:
  void begin(std::string& out) override {
    if (style_.bom) out += "\xEF\xBB\xBF";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += style_.separator;
      out += columns_[i]->name;
    }
    out += style_.line_end;
  }
  void append(std::string& out, const query::OrderRow& row, bool) override {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += style_.separator;
      append_csv_cell(out, order_cell(row, columns_[i]->field), style_);
    }
    out += style_.line_end;
  }
  void end(std::string& out) override { (out += last_line(written_, at_)) += style_.line_end; }

  const std::vector<const FieldRow*> columns_;
  const CsvStyle style_;
};

class NdjsonStream final : public RowStream {
 public:
  using RowStream::RowStream;

 private:
  void begin(std::string&) override {}
  void append(std::string& out, const query::OrderRow& row, bool) override {
    JsonWriter json(out);
    write_row(json, row, query_.fields);
    out += '\n';
  }
  void end(std::string&) override {}
};

class JsonStream final : public RowStream {
 public:
  JsonStream(Moment at, const query::OrderQuery& query, std::string head)
      : RowStream(std::move(at), query), head_(std::move(head)) {}

 private:
  void begin(std::string& out) override { out += "{" + head_ + ",\"data\":["; }
  void append(std::string& out, const query::OrderRow& row, bool first) override {
    if (!first) out += ",\n";
    JsonWriter json(out);
    write_row(json, row, query_.fields);
  }
  void end(std::string& out) override { out += "],\"total\":" + std::to_string(written_) + "}\n"; }

  const std::string head_;
};

class FileStream final : public BodyStream {
 public:
  FileStream(UniqueFd file, std::uint64_t size) : file_(std::move(file)), left_(size), size_(size) {}
  std::optional<std::uint64_t> length() const override { return size_; }
  Result<bool> next(std::string& out) override {
    const std::size_t before = out.size();
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, 64 << 10));
    out.resize(before + wanted);
    const ssize_t got = ::read(file_.get(), out.data() + before, wanted);
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0 && wanted > 0) return fail(ErrorCode::internal, "the temporary file of the export ended early");
    left_ -= static_cast<std::uint64_t>(got);
    return left_ > 0;
  }

 private:
  UniqueFd file_;
  std::uint64_t left_;
  const std::uint64_t size_;
};

std::string disposition(const Moment& at, std::string_view suffix) {
  return "attachment; filename=\"orders_" + iso(at.today) + "." + std::string(suffix) + "\"";
}

struct Export {
  Response response;  // headers, or the refusal
  Moment at;
  query::OrderQuery query;
  bool ready = false;
};
Export begin_export(const Request& request, Backend& backend, std::string_view suffix,
                    std::initializer_list<std::string_view> also_known) {
  Export begun;
  begun.at = moment(backend.services);
  OrderQuestion question = order_question(request, begun.at.today, also_known);
  if (question.problem) {
    begun.response = problem_response(request, *question.problem);
    return begun;
  }
  begun.query = std::move(question.query);
  begun.query.cursor.clear();
  if (not_modified(request, begun.at, suffix, begun.response)) return begun;
  begun.response.header("Content-Disposition", disposition(begun.at, suffix));
  begun.response.encoded = true;
  begun.ready = true;
  return begun;
}

}  // namespace

CsvStyle csv_style(const Request& request, std::vector<query::ParameterError>& errors) {
  CsvStyle style;
  const auto one_of = [&](std::string_view name, std::initializer_list<std::string_view> allowed, std::string_view text,
                          std::string_view help) {
    if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return true;
    errors.push_back({std::string(name), "bad-value", std::string(name) + " is " + std::string(help) + "."});
    return false;
  };
  if (request.has_parameter("bom")) {
    const std::string_view text = request.parameter("bom");
    if (one_of("bom", {"0", "1", "true", "false"}, text, "0 or 1")) style.bom = text == "1" || text == "true";
  }
  if (request.has_parameter("sep")) {
    const std::string_view text = request.parameter("sep");
    if (one_of("sep", {",", ";", "\t", "|", "tab"}, text, "one of , ; | tab"))
      style.separator = text == "tab" ? '\t' : text.front();
  }
  if (request.has_parameter("decimal")) {
    const std::string_view text = request.parameter("decimal");
    if (one_of("decimal", {",", "."}, text, "a point or a comma")) style.decimal = text.front();
  }
  return style;
}

Response orders_csv(const Request& request, Backend& backend) {
  std::vector<query::ParameterError> errors;
  const CsvStyle style = csv_style(request, errors);
  if (!errors.empty()) return problem_response(request, problem_of(errors));
  Export begun = begin_export(request, backend, "csv", {"bom", "sep", "decimal"});
  if (!begun.ready) return std::move(begun.response);
  begun.response.content_type = "text/csv; charset=utf-8; header=present";
  begun.response.stream = std::make_unique<CsvStream>(std::move(begun.at), begun.query, style);
  return std::move(begun.response);
}

Response orders_ndjson(const Request& request, Backend& backend) {
  Export begun = begin_export(request, backend, "ndjson", {});
  if (!begun.ready) return std::move(begun.response);
  begun.response.content_type = "application/x-ndjson";
  begun.response.stream = std::make_unique<NdjsonStream>(std::move(begun.at), begun.query);
  return std::move(begun.response);
}

Response orders_json(const Request& request, Backend& backend) {
  Export begun = begin_export(request, backend, "json", {});
  if (!begun.ready) return std::move(begun.response);
  begun.response.content_type = "application/json";
  std::string head = envelope(begun.at, backend.services.sources.sources());
  begun.response.stream = std::make_unique<JsonStream>(std::move(begun.at), begun.query, std::move(head));
  return std::move(begun.response);
}

namespace {

// Written whole before the first byte leaves: a refusal can still be an answer.
Result<UniqueFd> orders_workbook(const Moment& at, const query::OrderQuery& query, std::string filter) {
  query::OrderCursor cursor(at.snapshot, query, at.today);
  if (cursor.matching() > sheet_rows_max)
    return fail(ErrorCode::limit_reached, "A sheet holds " + std::to_string(sheet_rows_max) + " rows and " +
                                              std::to_string(cursor.matching()) +
                                              " match: narrow the filter or take the list as .csv.");
  const std::vector<const FieldRow*> fields = query::list_columns(query);
  std::vector<SheetColumn> columns;
  for (const FieldRow* field : fields) columns.push_back({field->title, field->type});
  auto book = Workbook::start("Orders", columns);
  if (!book) return pass_on(book);
  std::vector<query::Cell> cells(fields.size());
  for (auto block = cursor.next(rows_per_block); !block.empty(); block = cursor.next(rows_per_block)) {
    for (const query::OrderRow& row : block) {
      for (std::size_t i = 0; i < fields.size(); ++i) cells[i] = order_cell(row, fields[i]->field);
      if (const auto written = book->row(cells); !written) return pass_on(written);
    }
  }
  return book->finish({"Millrace order list", std::move(filter), at.as_of, at.as_of_time, at.now, at.today});
}

std::string filter_text(const Request& request) {
  std::string filter;
  for (const auto& [name, value] : request.parameters) filter += (filter.empty() ? "" : "  ") + name + "=" + value;
  return filter;
}

Response sheet_response(const Request& request, Response response, Result<UniqueFd> file) {
  if (!file) return problem_response(request, problem_of(file.error()));
  struct stat facts{};
  if (::fstat(file->get(), &facts) != 0)
    return problem_response(
        request, {503, "unavailable", std::string("The sheet was not written: ") + std::strerror(errno), {}});
  response.content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  response.stream = std::make_unique<FileStream>(std::move(*file), static_cast<std::uint64_t>(facts.st_size));
  return response;
}

}  // namespace

Response orders_xlsx(const Request& request, Backend& backend) {
  Export begun = begin_export(request, backend, "xlsx", {});
  if (!begun.ready) return std::move(begun.response);
  auto file = orders_workbook(begun.at, begun.query, filter_text(request));
  return sheet_response(request, std::move(begun.response), std::move(file));
}

namespace {

// One row of the sheet that people edit: what the sources say, what people wrote, and the check that holds both together.
std::vector<query::Cell> overlay_cells(const std::vector<ingest::OverlaySheetColumn>& columns, const query::OrderRow& row, const query::WrittenOn& written) {
  std::vector<query::Cell> cells;
  std::vector<std::string> locked;
  const auto value = [&](std::string_view field) -> const feed::Overlaid* {
    const auto found = std::ranges::find_if(written.values, [&](const feed::Overlaid& known) { return known.written.field == field; });
    return found == written.values.end() ? nullptr : &*found;
  };
  const feed::Overlaid* const promised = value(overlay_field::promised_date);
  for (const ingest::OverlaySheetColumn& column : columns) {
    const feed::Overlaid* const own = column.part == ingest::SheetPart::editable ? value(column.field) : nullptr;
    if (column.part == ingest::SheetPart::check) cells.push_back(query::text_cell(ingest::overlay_sheet_check(locked)));
    else if (column.field == overlay_field::promised_date) cells.push_back(query::day_cell(own ? parse_iso_day(own->written.value) : std::nullopt));
    else if (column.field == overlay_field::priority) cells.push_back(query::number_cell(row.priority));
    else if (column.part == ingest::SheetPart::editable) cells.push_back(query::text_cell(own ? own->written.value : ""));
    else if (column.field == "version") cells.push_back(query::number_cell(static_cast<std::int64_t>(written.version)));
    else if (column.field == "promise" && promised) cells.push_back(query::day_cell(parse_iso_day(promised->beneath)));
    else cells.push_back(query::order_cell(row, query::find_field(column.field)->field));
    if (column.part == ingest::SheetPart::locked) locked.push_back(cells.back().text);
  }
  return cells;
}

Result<UniqueFd> overlay_workbook(const Moment& at, const query::OrderQuery& query, const OverlayFields& fields, std::string filter) {
  query::OrderCursor cursor(at.snapshot, query, at.today);
  if (cursor.matching() > sheet_rows_max) return fail(ErrorCode::limit_reached, "A sheet holds " + std::to_string(sheet_rows_max) + " rows: narrow the filter.");
  const std::vector<ingest::OverlaySheetColumn> layout = ingest::overlay_sheet_columns(fields);
  std::vector<SheetColumn> columns;
  using Look = SheetColumn::Look;
  for (const ingest::OverlaySheetColumn& column : layout)
    columns.push_back({column.title, query::FieldType::text,
                       column.part == ingest::SheetPart::editable ? Look::editable : column.part == ingest::SheetPart::check ? Look::hidden : Look::plain});
  auto book = Workbook::start("Orders", columns);
  if (!book) return pass_on(book);
  for (auto block = cursor.next(rows_per_block); !block.empty(); block = cursor.next(rows_per_block))
    for (const query::OrderRow& row : block)
      if (const auto written = book->row(overlay_cells(layout, row, query::written_on(*at.snapshot, row.order))); !written) return pass_on(written);
  return book->finish({"Millrace: write into the coloured columns, then upload this file", std::move(filter), at.as_of, at.as_of_time, at.now, at.today});
}

}  // namespace

Response overlay_xlsx(const Request& request, Backend& backend) {
  Export begun = begin_export(request, backend, "xlsx", {});
  if (!begun.ready) return std::move(begun.response);
  begun.query.fields.clear();
  auto file = overlay_workbook(begun.at, begun.query, backend.services.overlays.fields(), filter_text(request));
  return sheet_response(request, std::move(begun.response), std::move(file));
}

}  // namespace millrace::server
