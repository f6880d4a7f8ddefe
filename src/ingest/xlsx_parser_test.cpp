#include "ingest/xlsx_parser.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "domain/order_rules.h"
#include "ingest/document.h"

namespace millrace::ingest {
namespace {

struct Part {
  std::string name;
  std::string body;
  bool deflate = false;
  std::uint32_t claimed_size = 0;  // 0: the truth
  bool wrong_checksum = false;
};

void put(std::string& out, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
}

std::string deflated(const std::string& body) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zip(const std::vector<Part>& parts, bool overlapping = false) {
  std::string out;
  std::string directory;
  std::size_t first_offset = 0;
  for (const Part& part : parts) {
    const std::string data = part.deflate ? deflated(part.body) : part.body;
    const std::size_t offset = overlapping && !directory.empty() ? first_offset : out.size();
    if (directory.empty()) first_offset = offset;
    const std::uint32_t size = part.claimed_size != 0 ? part.claimed_size : static_cast<std::uint32_t>(part.body.size());
    const auto fields = [&](std::string& to) {
      const auto sum = crc32(0, reinterpret_cast<const Bytef*>(part.body.data()), static_cast<uInt>(part.body.size()));
      put(to, 20, 2), put(to, 0, 2), put(to, part.deflate ? 8 : 0, 2), put(to, 0, 4), put(to, sum ^ (part.wrong_checksum ? 1u : 0u), 4);
      put(to, data.size(), 4), put(to, size, 4), put(to, part.name.size(), 2), put(to, 0, 2);
    };
    put(out, 0x04034b50, 4);
    fields(out);
    out += part.name + data;
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);
    fields(directory);
    put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 2), put(directory, 0, 4), put(directory, offset, 4);
    directory += part.name;
  }
  const std::size_t start = out.size();
  out += directory;
  put(out, 0x06054b50, 4), put(out, 0, 4), put(out, parts.size(), 2), put(out, parts.size(), 2), put(out, directory.size(), 4), put(out, start, 4), put(out, 0, 2);
  return out;
}

std::string text_cell(std::string_view at, std::string_view text) {
  return "<c r=\"" + std::string(at) + "\" t=\"inlineStr\"><is><t>" + std::string(text) + "</t></is></c>";
}
std::string number_cell(std::string_view at, std::string_view number, int style = 0) {
  return "<c r=\"" + std::string(at) + "\" s=\"" + std::to_string(style) + "\"><v>" + std::string(number) + "</v></c>";
}

std::string order_sheet(std::string_view extra_cell = {}) {
  std::string rows;
  rows += "<row r=\"1\">" + text_cell("A1", "Sales Order") + text_cell("B1", "SO77") + "</row>";
  rows += "<row r=\"2\">" + text_cell("A2", "Customer") + text_cell("B2", "C1") + text_cell("C2", "M&amp;S Ltd") + "</row>";
  rows += "<row r=\"3\">" + text_cell("A3", "Due date") + number_cell("B3", "46084", 1) + "</row>";
  rows += "<row r=\"4\">" + text_cell("A4", "Currency") + text_cell("B4", "EUR") + "</row>";
  rows += "<row r=\"6\">" + text_cell("A6", "Line") + text_cell("B6", "Item") + text_cell("C6", "Qty") + text_cell("D6", "Open qty") + text_cell("E6", "Unit price") + text_cell("F6", "Line total") + "</row>";
  rows += "<row r=\"7\">" + number_cell("A7", "1") + text_cell("B7", "00123") + number_cell("C7", "3") + number_cell("D7", "1") + number_cell("E7", "1.1") +
          (extra_cell.empty() ? number_cell("F7", "3.3000000000000003") : std::string(extra_cell)) + "</row>";
  rows += "<row r=\"9\">" + text_cell("E9", "Net total") + number_cell("F9", "3.3") + "</row>";
  rows += "<row r=\"10\">" + text_cell("E10", "Tax") + number_cell("F10", "0.63") + "</row>";
  return "<dimension ref=\"A1:XFD1048576\"/><sheetData>" + rows + "</sheetData>";
}

std::vector<Part> workbook(const std::string& sheet, bool from_1904 = false, const std::string& prolog = "") {
  const std::string relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/";
  return {{"_rels/.rels", "<Relationships><Relationship Id=\"rId1\" Type=\"" + relation + "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"},
          {"xl/workbook.xml", "<workbook xmlns:r=\"r\"><workbookPr" + std::string(from_1904 ? " date1904=\"1\"" : "") + "/><sheets><sheet name=\"Order\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"},
          {"xl/_rels/workbook.xml.rels", "<Relationships><Relationship Id=\"rId1\" Type=\"" + relation + "worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"" + relation + "styles\" Target=\"styles.xml\"/></Relationships>"},
          {"xl/styles.xml", "<styleSheet><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"},
          {"xl/worksheets/sheet1.xml", prolog + "<worksheet>" + sheet + "</worksheet>", true}};
}

ParsedDocument read(const std::string& content) { return parse_document(content, "a.xlsx", built_in_profile()); }
std::string reason(const ParsedDocument& document) { return document.findings.empty() ? document.ignored_because : document.findings[0].place + ": " + document.findings[0].reason; }

TEST_CASE("Labels, a table and sums of a sheet become an order, item codes stay text") {
  const ParsedDocument document = read(zip(workbook(order_sheet())));
  REQUIRE_MESSAGE(document.orders.size() == 1, reason(document));
  const SalesOrder& order = document.orders[0];
  CHECK(order.number.text == "77");
  CHECK(order.customer_code == "C1");
  CHECK(order.customer_name == "M&S Ltd");
  CHECK(iso(*order.requested_date) == "2026-03-03");
  REQUIRE(order.lines.size() == 1);
  CHECK(order.lines[0].item_code == "00123");
  CHECK(order.lines[0].line_total == 330);
  CHECK(order.lines[0].open_amount == 110);
  CHECK(order.tax == 63);
  CHECK(document.findings.empty());
}

TEST_CASE("Days of a 1904 workbook count from 1904") {
  const ParsedDocument document = read(zip(workbook(order_sheet(), true)));
  REQUIRE(document.orders.size() == 1);
  CHECK(iso(*document.orders[0].requested_date) == "2030-03-04");
}

TEST_CASE("A formula without a stored result is refused with its cell") {
  const ParsedDocument document = read(zip(workbook(order_sheet("<c r=\"F7\"><f>C7*E7</f></c>"))));
  CHECK(document.orders.empty());
  CHECK(reason(document).starts_with("sheet Order cell F7"));
  CHECK(read(zip(workbook(order_sheet("<c r=\"F7\"><f>C7*E7</f><v>3.3</v></c>")))).orders.size() == 1);
}

TEST_CASE("A price list is not for us") {
  const ParsedDocument document = read(zip(workbook("<sheetData><row r=\"1\">" + text_cell("A1", "Item") + text_cell("B1", "Price") + "</row></sheetData>")));
  CHECK_FALSE(document.is_order_document);
  CHECK(document.findings.empty());
}

TEST_CASE("A zip bomb is refused before it is unpacked, also when it lies about its size") {
  CHECK(reason(read(zip(workbook(std::string(40'000'000, ' '))))).find("100 times") != std::string::npos);
  auto lying = workbook(std::string(40'000'000, ' '));
  lying.back().claimed_size = 1000;
  CHECK(reason(read(zip(lying))).find("lies about its size") != std::string::npos);
}

TEST_CASE("Overlapping entries and names that leave the archive are refused") {
  CHECK(reason(read(zip(workbook(order_sheet()), true))).find("damaged workbook") != std::string::npos);
  for (const char* name : {"../../x.xml", "/etc/x.xml", "a\\b.xml", "C:x.xml"}) {
    auto parts = workbook(order_sheet());
    parts.push_back({name, "x"});
    CHECK(reason(read(zip(parts))).find("leaves the archive") != std::string::npos);
  }
}

TEST_CASE("A document type or an entity in a workbook is refused") {
  const ParsedDocument document = read(zip(workbook(order_sheet(), false, "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>")));
  CHECK(document.orders.empty());
  CHECK(reason(document).find("document type") != std::string::npos);
}

TEST_CASE("One flipped bit in a workbook is noticed, packed or not, and no entry is there twice") {
  for (const std::size_t part : {std::size_t{3}, std::size_t{4}}) {
    auto parts = workbook(order_sheet());
    parts[part].wrong_checksum = true;
    const ParsedDocument document = read(zip(parts));
    CHECK(document.orders.empty());
    CHECK(reason(document).find("does not match its checksum") != std::string::npos);
  }
  auto twice = workbook(order_sheet());
  twice.push_back(twice.front());
  CHECK(reason(read(zip(twice))).find("is there twice") != std::string::npos);
}

TEST_CASE("A workbook cut anywhere is refused") {
  const std::string whole = zip(workbook(order_sheet()));
  for (std::size_t length = 4; length < whole.size(); length += 7) {
    const ParsedDocument document = read(whole.substr(0, length));
    CAPTURE(length);
    REQUIRE(document.orders.empty());
    REQUIRE(document.findings.size() == 1);
  }
}

}  // namespace
}  // namespace millrace::ingest
