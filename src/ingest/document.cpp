#include "ingest/document.h"

#include "base/bytes.h"
#include "base/text.h"
#include "domain/finance_codec.h"
#include "domain/order_codec.h"
#include "ingest/csv_parser.h"
#include "ingest/internal/reader.h"
#include "ingest/json_parser.h"
#include "ingest/pdf_parser.h"
#include "ingest/xlsx_parser.h"

namespace millrace::ingest {
namespace {

constexpr std::uint8_t version = 2;
constexpr std::size_t sniff_bytes = 4096;

std::string extension(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string() : lower_ascii(name.substr(dot + 1));
}

ParsedDocument refused(Format format, std::string reason) {
  ParsedDocument answer;
  answer.format = format;
  answer.is_order_document = true;
  answer.findings.push_back({feed::Outcome::reject, "", std::move(reason), "", ""});
  return answer;
}

ParsedDocument unknown_content(std::string_view content, std::string_view name) {
  const std::string ending = extension(name);
  const bool named_as_document = ending == "json" || ending == "csv" || ending == "xlsx" || ending == "pdf";
  if (content.empty()) return refused(Format::none, "the file is empty");
  if (named_as_document && content.starts_with("\xD0\xCF\x11\xE0")) {
    return refused(Format::none, "an old or password-protected workbook; save it as .xlsx without a password");
  }
  if (named_as_document) return refused(Format::none, "the content is neither JSON, CSV, XLSX nor PDF, whatever the name says");
  ParsedDocument answer;
  answer.ignored_because = "neither JSON, CSV, XLSX nor PDF";
  return answer;
}

}  // namespace

std::string_view word(Format format) {
  switch (format) {
    case Format::none: return "none";
    case Format::json: return "json";
    case Format::csv: return "csv";
    case Format::xlsx: return "xlsx";
    case Format::pdf: return "pdf";
    case Format::sap_b1: return "sap-b1";
    case Format::odata: return "odata";
  }
  return "none";
}

Format sniff(std::string_view content, std::string_view name) {
  if (content.empty()) return Format::none;
  if (content.starts_with(std::string_view("PK\x03\x04", 4)) || content.starts_with(std::string_view("PK\x05\x06", 4))) return Format::xlsx;
  const std::string_view start = content.substr(0, sniff_bytes);
  if (start.substr(0, 1024).find("%PDF-") != std::string_view::npos) return Format::pdf;
  if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) return Format::csv;
  const std::string_view text = trim(start);
  if (!text.empty() && (text.front() == '{' || text.front() == '[')) return Format::json;
  if (start.find('\0') != std::string_view::npos) return Format::none;
  // A text that is named JSON and is none is damage, not a table.
  return extension(name) == "json" && start.find_first_of(",;\t|") == std::string_view::npos ? Format::none : Format::csv;
}

ParsedDocument parse_with(std::string_view content, std::string_view name, const CompiledLayout& layout) {
  switch (sniff(content, name)) {
    case Format::json: return parse_json(content, layout);
    case Format::csv: return parse_csv(content, layout);
    case Format::xlsx: return parse_xlsx(content, layout);
    case Format::pdf: return refused(Format::pdf, "a PDF is read in a sandboxed process only; put the file into an order folder");
    case Format::none:
    case Format::sap_b1:
    case Format::odata: break;
  }
  return unknown_content(content, name);
}

ParsedDocument parse_document(std::string_view content, std::string_view name, const LayoutProfile& profile) {
  return parse_with(content, name, CompiledLayout(profile));
}

//   version format is_order ignored_because | order_count (order)* | finding_count (outcome place reason value number)* | cell_count (row column text flags)* encoding separator sheet from_1904
//   flags: 1 unread, kind times 2
std::string encode(const ParsedDocument& document) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(version);
  writer.u8(static_cast<std::uint8_t>(document.format));
  writer.u8(document.is_order_document ? 1 : 0);
  writer.text(document.ignored_because);
  writer.varint(document.orders.size());
  for (const SalesOrder& order : document.orders) writer.text(encode(order));
  writer.varint(document.findings.size());
  for (const Finding& finding : document.findings) {
    writer.u8(static_cast<std::uint8_t>(finding.outcome));
    writer.text(finding.place);
    writer.text(finding.reason);
    writer.text(finding.value);
    writer.text(finding.order_number);
  }
  writer.varint(document.table.size());
  for (const TableCell& cell : document.table) {
    writer.varint(cell.row);
    writer.varint(cell.column);
    writer.text(cell.text);
    writer.u8(static_cast<std::uint8_t>((cell.unread ? 1 : 0) | static_cast<int>(cell.kind) << 1));
  }
  writer.varint(document.finance.size());
  for (const FinanceRow& row : document.finance) {
    writer.varint(row.row);
    writer.u8(row.removed ? 1 : 0);
    writer.text(encode(row.document));
  }
  writer.text(document.facts.encoding);
  writer.text(document.facts.separator);
  writer.text(document.facts.sheet);
  writer.u8(document.facts.from_1904 ? 1 : 0);
  return out;
}

Result<ParsedDocument> decode_parsed_document(std::string_view bytes) {
  const auto damaged = [] { return fail(ErrorCode::corrupt, "the answer of a parser process is damaged"); };
  ByteReader reader(bytes);
  ParsedDocument document;
  if (reader.u8() != version) return damaged();
  const std::uint8_t format = reader.u8();
  const std::uint8_t is_order = reader.u8();
  if (format > static_cast<std::uint8_t>(Format::pdf) || is_order > 1) return damaged();
  document.format = static_cast<Format>(format);
  document.is_order_document = is_order == 1;
  document.ignored_because = reader.text();
  const std::size_t order_count = reader.count(1);
  document.orders.reserve(order_count);
  for (std::size_t i = 0; i < order_count && reader.ok(); ++i) {
    auto order = decode_order(reader.text());
    if (!order) return damaged();
    document.orders.push_back(std::move(*order));
  }
  const std::size_t finding_count = reader.count(5);
  for (std::size_t i = 0; i < finding_count && reader.ok(); ++i) {
    const std::uint8_t outcome = reader.u8();
    if (outcome > static_cast<std::uint8_t>(feed::Outcome::held)) return damaged();
    Finding finding;
    finding.outcome = static_cast<feed::Outcome>(outcome);
    finding.place = reader.text();
    finding.reason = reader.text();
    finding.value = reader.text();
    finding.order_number = reader.text();
    document.findings.push_back(std::move(finding));
  }
  document.table.resize(reader.count(4));
  for (TableCell& cell : document.table) {
    cell.row = static_cast<std::uint32_t>(reader.varint());
    cell.column = static_cast<std::uint32_t>(reader.varint());
    cell.text = reader.text();
    const std::uint8_t flags = reader.u8();
    if (flags >> 1 > static_cast<int>(TableCell::Kind::day)) return damaged();
    cell.unread = (flags & 1) != 0;
    cell.kind = static_cast<TableCell::Kind>(flags >> 1);
  }
  const std::size_t finance_count = reader.count(3);
  for (std::size_t i = 0; i < finance_count && reader.ok(); ++i) {
    FinanceRow row;
    row.row = reader.varint();
    row.removed = reader.u8() == 1;
    auto finance = decode_finance_document(reader.text());
    if (!finance) return damaged();
    row.document = std::move(*finance);
    document.finance.push_back(std::move(row));
  }
  document.facts.encoding = reader.text();
  document.facts.separator = reader.text();
  document.facts.sheet = reader.text();
  document.facts.from_1904 = reader.u8() != 0;
  if (!reader.ok() || !reader.at_end()) return damaged();
  return document;
}

}  // namespace millrace::ingest
