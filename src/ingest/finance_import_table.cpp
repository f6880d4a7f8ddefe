// Bytes of a CSV file or a workbook as cells, whatever they say: runs in the sandboxed parser.
#include <algorithm>

#include "base/text.h"
#include "ingest/finance_import.h"
#include "ingest/internal/csv_text.h"
#include "ingest/internal/finance_words.h"
#include "ingest/internal/sheet_reader.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t header_rows_looked_at = 40;

ParsedDocument refused(Format format, std::string reason, std::string place = {}) {
  ParsedDocument document;
  document.format = format;
  document.findings.push_back({feed::Outcome::reject, std::move(place), std::move(reason), "", ""});
  return document;
}

ParsedDocument too_many(Format format) {
  return refused(format, "the table has more than " + std::to_string(import_cells_max) + " cells; send it in parts");
}

std::string encoding_of(std::string_view content) {
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF")) return "utf-16";
  return is_valid_utf8(content) ? "utf-8" : "windows-1252";
}

// Under which separator the first rows name most columns, or else are most alike.
char separator_of(std::string_view text) {
  char best = ',';
  std::size_t best_known = 0, best_alike = 0;
  for (const char separator : {';', ',', '\t', '|'}) {
    if (text.find(separator) == std::string_view::npos) continue;
    RecordReader reader(text, separator);
    std::vector<std::string_view> fields;
    std::size_t known = 0, alike = 0, width = 0;
    for (std::size_t i = 0; i < header_rows_looked_at && reader.next(fields); ++i) {
      if (fields.size() < 2) continue;
      const std::vector<std::string> headers(fields.begin(), fields.end());
      known = std::max(known, known_columns(headers));
      alike += fields.size() == width;
      width = fields.size();
    }
    if (known < best_known || (known == best_known && alike <= best_alike)) continue;
    best = separator, best_known = known, best_alike = alike;
  }
  return best;
}

ParsedDocument csv_cells(std::string_view content) {
  const auto text = decode_text(content);
  if (!text) return refused(Format::csv, text.error().text());
  const char separator = separator_of(*text);
  ParsedDocument document;
  document.format = Format::csv;
  document.facts.encoding = encoding_of(content);
  document.facts.separator = separator == '\t' ? "tab" : std::string(1, separator);
  RecordReader reader(*text, separator);
  std::vector<std::string_view> fields;
  while (reader.next(fields)) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (trim(fields[i]).empty()) continue;
      if (document.table.size() >= import_cells_max) return too_many(Format::csv);
      document.table.push_back({reader.row() - 1, static_cast<std::uint32_t>(i), std::string(trim(fields[i]))});
    }
  }
  // Half a file is none: what follows the damage could be anything.
  if (!reader.damage().empty()) return refused(Format::csv, reader.damage(), "row " + std::to_string(reader.row()));
  return document;
}

std::size_t known_in(const Sheet& sheet) {
  std::size_t known = 0, rows = 0;
  for (auto begin = sheet.cells.begin(); begin != sheet.cells.end() && rows < header_rows_looked_at; ++rows) {
    const auto end = std::find_if(begin, sheet.cells.end(), [&](const SheetCell& cell) { return cell.row != begin->row; });
    std::vector<std::string> headers;
    for (auto cell = begin; cell != end; ++cell) headers.push_back(text_of(cell->value));
    known = std::max(known, known_columns(headers));
    begin = end;
  }
  return known;
}

ParsedDocument workbook_cells(std::string_view content) {
  const auto workbook = read_workbook(content);
  if (!workbook) return refused(Format::xlsx, workbook.error().text());
  // The first sheet that people see and that names columns; else the first that says anything.
  const Sheet* chosen = nullptr;
  std::size_t best = 0;
  for (const Sheet& sheet : workbook->sheets) {
    if (sheet.is_hidden || sheet.cells.empty()) continue;
    const std::size_t known = known_in(sheet);
    if (chosen == nullptr || (best < 2 && known > best)) chosen = &sheet, best = known;
  }
  if (chosen == nullptr) return refused(Format::xlsx, "this is no workbook with a sheet that shows something");
  if (chosen->cells.size() > import_cells_max) return too_many(Format::xlsx);
  ParsedDocument document;
  document.format = Format::xlsx;
  document.facts.sheet = chosen->name;
  document.facts.from_1904 = workbook->from_1904;
  document.table.reserve(chosen->cells.size());
  for (const SheetCell& cell : chosen->cells) {
    const TableCell::Kind kind = cell.value.kind == FieldValue::Kind::number   ? TableCell::Kind::number
                                 : cell.value.kind == FieldValue::Kind::moment ? TableCell::Kind::day
                                                                               : TableCell::Kind::text;
    document.table.push_back({static_cast<std::uint32_t>(cell.row), static_cast<std::uint32_t>(cell.column), text_of(cell.value), cell.formula_without_value, kind});
  }
  return document;
}

}  // namespace

ParsedDocument parse_finance_table(std::string_view content) {
  if (trim(content).empty()) return refused(Format::none, "the file is empty");
  if (content.starts_with("\xD0\xCF\x11\xE0")) return refused(Format::none, "an old or password-protected workbook; save it as .xlsx without a password");
  switch (sniff(content, "")) {
    case Format::xlsx: return workbook_cells(content);
    case Format::csv: return csv_cells(content);
    case Format::json: return refused(Format::json, "this is JSON; send a CSV file or a workbook, or push the batch to a source");
    case Format::pdf: return refused(Format::pdf, "this is a PDF; send the table as a CSV file or a workbook");
    default: return refused(Format::none, "this is neither a CSV file nor a workbook");
  }
}

}  // namespace millrace::ingest
