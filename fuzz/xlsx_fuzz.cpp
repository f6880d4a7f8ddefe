#include <string>

#include "document_check.h"
#include "ingest/internal/fields.h"
#include "ingest/xlsx_parser.h"
#include "testing/stored_zip.h"

// Bytes that begin like an archive are one. Others are the XML of the sheet of an otherwise sound workbook, with its
// shared texts behind the first NUL: behind compression and checksums no mutation would reach the XML.
namespace {

using millrace::testing::StoredZip;

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
