#include <zlib.h>

#include <string>

#include "document_check.h"
#include "ingest/internal/fields.h"
#include "ingest/xlsx_parser.h"

// Bytes that begin like an archive are one. Others are the XML of the sheet of an otherwise sound workbook, with its
// shared texts behind the first NUL: behind compression and checksums no mutation would reach the XML.
namespace {

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
    put(out_, 0x06054b50, 4);
    put(out_, 0, 4), put(out_, count_, 2), put(out_, count_, 2), put(out_, directory_.size(), 4), put(out_, start, 4), put(out_, 0, 2);
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

  std::string out_;
  std::string directory_;
  std::uint64_t count_ = 0;
};

std::string workbook_around(const std::string& sheet, const std::string& texts) {
  const std::string relations = "<Relationships><Relationship Id=\"r1\" Type=\"t/";
  StoredZip zip;
  zip.add("_rels/.rels", relations + "officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>");
  zip.add("xl/workbook.xml", "<workbook xmlns:r=\"r\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>");
  zip.add("xl/_rels/workbook.xml.rels",
          relations + "worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"t/sharedStrings\" Target=\"texts.xml\"/>"
                      "<Relationship Id=\"r3\" Type=\"t/styles\" Target=\"styles.xml\"/></Relationships>");
  zip.add("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>");
  zip.add("xl/texts.xml", texts);
  zip.add("xl/worksheets/sheet1.xml", sheet);
  return zip.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::ingest;
  static const CompiledLayout layout(built_in_profile());
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.starts_with("PK")) {
    hold(parse_xlsx(bytes, layout));
    return 0;
  }
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  hold(parse_xlsx(workbook_around(std::string(bytes.substr(0, end)), std::string(bytes.substr(std::min(end + 1, size)))), layout));
  return 0;
}
