// Workbooks for tests, made of the XML of their sheets.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "testing/stored_zip.h"

namespace millrace::ingest::testing_files {

using millrace::testing::StoredZip;

// What a cell of a sheet is: t"text", n"12.5", d"46084" (a number in a day's format), f"" (a formula without a value).
struct SheetValue {
  char kind = 't';
  std::string text;
};
inline SheetValue t(std::string text) { return {'t', std::move(text)}; }
inline SheetValue n(std::string text) { return {'n', std::move(text)}; }
inline SheetValue d(std::string text) { return {'d', std::move(text)}; }
inline SheetValue f() { return {'f', ""}; }
inline SheetValue none() { return {'-', ""}; }

struct SheetText {
  std::string name;
  std::vector<std::vector<SheetValue>> rows;
  bool is_hidden = false;
};

inline std::string sheet_xml(const SheetText& sheet) {
  std::string xml = "<worksheet><sheetData>";
  for (std::size_t row = 0; row < sheet.rows.size(); ++row) {
    xml += "<row r=\"" + std::to_string(row + 1) + "\">";
    for (std::size_t column = 0; column < sheet.rows[row].size(); ++column) {
      const SheetValue& value = sheet.rows[row][column];
      const std::string at = std::string(1, static_cast<char>('A' + column)) + std::to_string(row + 1);
      if (value.kind == 't') xml += "<c r=\"" + at + "\" t=\"inlineStr\"><is><t>" + value.text + "</t></is></c>";
      if (value.kind == 'n') xml += "<c r=\"" + at + "\"><v>" + value.text + "</v></c>";
      if (value.kind == 'd') xml += "<c r=\"" + at + "\" s=\"1\"><v>" + value.text + "</v></c>";
      if (value.kind == 'f') xml += "<c r=\"" + at + "\"><f>SUM(A1:A2)</f></c>";
    }
    xml += "</row>";
  }
  return xml + "</sheetData></worksheet>";
}

inline std::string workbook(const std::vector<SheetText>& sheets, bool from_1904 = false) {
  const std::string relations = "<Relationships><Relationship Id=\"r0\" Type=\"t/";
  StoredZip zip;
  zip.add("_rels/.rels", relations + "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>");
  std::string book = "<workbook xmlns:r=\"r\">" + std::string(from_1904 ? "<workbookPr date1904=\"1\"/>" : "") + "<sheets>";
  std::string targets = relations + "styles\" Target=\"styles.xml\"/>";
  for (std::size_t i = 0; i < sheets.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    book += "<sheet name=\"" + sheets[i].name + "\" sheetId=\"" + number + "\"" + (sheets[i].is_hidden ? " state=\"hidden\"" : "") + " r:id=\"r" + number + "\"/>";
    targets += "<Relationship Id=\"r" + number + "\" Type=\"t/worksheet\" Target=\"worksheets/sheet" + number + ".xml\"/>";
    zip.add("xl/worksheets/sheet" + number + ".xml", sheet_xml(sheets[i]));
  }
  zip.add("xl/workbook.xml", book + "</sheets></workbook>");
  zip.add("xl/_rels/workbook.xml.rels", targets + "</Relationships>");
  zip.add("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>");
  return zip.finish();
}

inline std::string utf16le(std::string_view ascii) {
  std::string out = "\xFF\xFE";
  for (const char c : ascii) {
    out += c == '~' ? '\xA0' : c;  // ~ stands for a no-break space
    out += '\0';
  }
  return out;
}

}  // namespace millrace::ingest::testing_files
