#include "ingest/internal/pdf_plain.h"

#include <doctest/doctest.h>

#include <cmath>

#include "ingest/internal/fields.h"
#include "ingest/internal/pdf_text.h"
#include "ingest/pdf_parser.h"

namespace millrace::ingest {
namespace {

struct PdfParts {
  std::string page = "/MediaBox [0 0 595 842]";
  std::string font = "/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding";
  std::string content;
  std::string catalog;
};

std::string pdf(const PdfParts& parts) {
  const std::string objects[] = {"<< /Type /Catalog /Pages 2 0 R " + parts.catalog + " >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
                                 "<< /Type /Page /Parent 2 0 R " + parts.page + " /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
                                 "<< " + parts.font + " >>",
                                 "<< /Length " + std::to_string(parts.content.size()) + " >>\nstream\n" + parts.content + "\nendstream"};
  std::string text = "%PDF-1.4\n";
  std::string table = "xref\n0 6\n0000000000 65535 f \n";
  for (std::size_t i = 0; i < 5; ++i) {
    const std::string offset = std::to_string(text.size());
    table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
    text += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::size_t start = text.size();
  return text + table + "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n" + std::to_string(start) + "\n%%EOF\n";
}

// What the short road reads: one word per piece, "left|bottom|text".
std::string seen(const std::string& content) {
  const auto words = plain_pdf_words(content);
  if (!words) return "not plain";
  std::string all;
  for (const PdfWord& word : words->words) {
    all += std::to_string(std::lround(word.left)) + "|" + std::to_string(std::lround(word.bottom)) + "|" + std::string(word.text) + " ";
  }
  return all;
}

PdfParts showing(std::string content) {
  PdfParts parts;
  parts.content = std::move(content);
  return parts;
}

TEST_CASE("Words of a plain page are read where they stand") {
  CHECK(seen(pdf(showing("BT /F1 10 Tf 1 0 0 1 40 742 Tm (Order No: SO7) Tj ET"))) == "40|102|Order 68|102|No: 87|102|SO7 ");
  CHECK(seen(pdf(showing("BT /F1 10 Tf 40 742 Td (A) Tj 0 -20 Td (B) Tj 14 TL T* (C) Tj (D) ' ET"))) == "40|102|A 40|122|B 40|136|C 40|150|D ");
  CHECK(seen(pdf(showing("q 2 0 0 2 10 0 cm BT /F1 5 Tf 15 371 Td (A\\(b\\)\\344) Tj ET Q"))) == "40|102|A(b)\xC3\xA4 ");
}

TEST_CASE("Kerning keeps a word together, a gap ends it") {
  CHECK(seen(pdf(showing("BT /F1 10 Tf 40 742 Td [(Ord) -20 (er) -400 (No)] TJ ET"))) == "40|102|Order 70|102|No ");
}

TEST_CASE("Whatever is out of the ordinary is left to pdftotext") {
  const std::string plain = "BT /F1 10 Tf 40 742 Td (A) Tj ET";
  REQUIRE(seen(pdf(showing(plain))) == "40|102|A ");
  for (const std::string content : {"BT /F1 10 Tf 0 1 -1 0 40 742 Tm (A) Tj ET", "BT /F1 10 Tf 3 Tr 40 742 Td (A) Tj ET", "BT /F2 10 Tf 40 742 Td (A) Tj ET",
                              "BT /F1 10 Tf 40 742 Td (Total) Tj 0.3 0 Td (Total) Tj ET", "BT /F1 10 Tf 40 942 Td (A) Tj ET", "BT /F1 10 Tf 40 742 Td (A) Tj",
                              "/Span << /ActualText (B) >> BDC BT /F1 10 Tf 40 742 Td (A) Tj ET EMC", "/OC /layer BDC BT /F1 10 Tf 40 742 Td (A) Tj ET EMC",
                              "BT /F1 10 Tf 40 742 Td (\\200\\201) Tj ET", "/Form Do", "BI /W 1 ID x EI", "BT /F1 10 Tf 40 742 Td (A Tj ET", ""}) {
    CHECK_MESSAGE(seen(pdf(showing(content))) == "not plain", content);
  }
  PdfParts turned = showing(plain);
  turned.page += " /Rotate 90";
  CHECK(seen(pdf(turned)) == "not plain");
  PdfParts noted = showing(plain);
  noted.page += " /Annots [4 0 R]";
  CHECK(seen(pdf(noted)) == "not plain");
  PdfParts form = showing(plain);
  form.catalog = "/AcroForm << >>";
  CHECK(seen(pdf(form)) == "not plain");
  PdfParts strange = showing(plain);
  strange.font = "/Type /Font /Subtype /Type3";
  CHECK(seen(pdf(strange)) == "not plain");
  CHECK(seen("%PDF-1.4\nstartxref\n0\n%%EOF\n") == "not plain");
}

TEST_CASE("A map from codes to letters is read, a doubtful one is not") {
  const auto map = LetterMap::parse("1 beginbfrange <0120> <0122> <0041> endbfrange 2 beginbfchar <0001> <00E4> <0002> <00660069> endbfchar", 2);
  REQUIRE(map.has_value());
  CHECK(map->letter(0x121) == U'B');
  CHECK(map->letter(1) == 0xE4);
  CHECK(map->letter(2) == 0);  // two letters
  CHECK(map->letter(0x123) == 0);
  CHECK_FALSE(LetterMap::parse("beginbfrange <0120> <0122> <0041> <0121> <0123> <0061> endbfrange", 2).has_value());
  CHECK_FALSE(LetterMap::parse("beginbfchar <01> <0041> endbfchar", 2).has_value());
  CHECK_FALSE(LetterMap::parse("beginbfchar <0120> <0041>", 2).has_value());
}

TEST_CASE("Both roads read the same order") {
  std::string page = "BT";
  struct Text {
    int x, y;
    const char* text;
  };
  for (const Text& t : std::initializer_list<Text>{{40, 760, "Order No:"}, {140, 760, "SO77"}, {40, 746, "Customer:"}, {140, 746, "C1"}, {40, 732, "Currency:"}, {140, 732, "EUR"},
                                                   {40, 700, "Item"}, {140, 700, "Description"}, {330, 700, "Qty"}, {400, 700, "Unit price"}, {503, 700, "Line total"},
                                                   {40, 685, "BK-1"}, {140, 685, "Road bike"}, {340, 685, "2"}, {422, 685, "2.50"}, {526, 685, "5.00"},
                                                   {400, 650, "Net total"}, {526, 650, "5.00"}}) {
    page += " /F1 9 Tf 1 0 0 1 " + std::to_string(t.x) + " " + std::to_string(t.y) + " Tm (" + t.text + ") Tj";
  }
  const std::string file = pdf(showing(page + " ET"));
  const CompiledLayout layout(built_in_profile());
  const auto words = plain_pdf_words(file);
  REQUIRE(words.has_value());
  const auto tsv = pdf_words(file, {});
  if (!tsv) {
    MESSAGE("pdftotext is not there: " << tsv.error().text());
    return;
  }
  const ParsedDocument mine = parse_pdf_rows(rows_of(words->words), layout);
  CHECK(encode(mine) == encode(parse_pdf_words(*tsv, layout)));
  CHECK(mine.orders.size() == 1);
}

}  // namespace
}  // namespace millrace::ingest
