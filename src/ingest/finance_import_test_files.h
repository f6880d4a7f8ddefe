// Workbooks for tests, made of the XML of their sheets.
#pragma once
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

namespace millrace::ingest::testing_files {

class StoredZip {
 public:
  void add(const std::string& name, const std::string& body) {
    const std::size_t offset = out_.size();
    put(out_, 0x04034b50, 4);
    describe(out_, name, body);
    out_ += name + body;
    put(directory_, 0x02014b50, 4);
    put(directory_, 20, 2);
    describe(directory_, name, body);
    for (const int width : {2, 2, 2, 4}) put(directory_, 0, width);
    put(directory_, offset, 4);
    directory_ += name;
    ++count_;
  }
  std::string finish() {
    const std::size_t start = out_.size();
    out_ += directory_;
    put(out_, 0x06054b50, 4), put(out_, 0, 4), put(out_, count_, 2), put(out_, count_, 2), put(out_, directory_.size(), 4), put(out_, start, 4), put(out_, 0, 2);
    return out_;
  }

 private:
  static void put(std::string& out, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
  }
  static void describe(std::string& to, const std::string& name, const std::string& body) {
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    put(to, 20, 2), put(to, 0, 2), put(to, 0, 2), put(to, 0, 4), put(to, sum, 4);
    put(to, body.size(), 4), put(to, body.size(), 4), put(to, name.size(), 2), put(to, 0, 2);
  }
  std::string out_, directory_;
  std::uint64_t count_ = 0;
};

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
