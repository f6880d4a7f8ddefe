#include "app/report_pack.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "ingest/internal/zip_archive.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

const Currency eur = *Currency::parse("EUR");

query::Cell euros(std::int64_t minor) { return query::money_cell({minor, eur}); }
Day day(int month, unsigned of_month) { return std::chrono::year(2026) / month / std::chrono::day(of_month); }

Pack november() {
  Pack pack;
  pack.title = "Month-end pack November 2026";
  pack.company = "Plant Süd";
  pack.sentence = "Cash is lowest on 14 January.";
  pack.figures = {{"Cash today", euros(21'200'050)}, {"Credit line", euros(-2'500'000)}, {"Days of sales outstanding", query::number_cell(41)}};
  pack.curve = PackCurve{"Balance", eur, {}, -2'500'000};
  for (int i = 0; i < 20; ++i) pack.curve->points.push_back({day(12, static_cast<unsigned>(i + 1)), 100'000 * (10 - i), 100'000 * (8 - i), 100'000 * (12 - i)});
  PackTable table{"Receivables by customer", "Amounts in EUR.", {{"Customer", false, 2}, {"Since", false, 1}, {"Open", true, 1}}, {}, true};
  for (int i = 0; i < 120; ++i) table.rows.push_back({query::text_cell(i == 3 ? "=cmd|' /C calc'!A0" : "Müller & Söhne " + std::to_string(i)), query::day_cell(day(11, 1)), euros(100 + i)});
  table.rows.push_back({query::text_cell("Total"), query::day_cell({}), euros(19'140)});
  pack.tables = {table, {"Costs: planned/actual [month]", "", {{"Category"}, {"Actual", true}}, {}, false}};
  pack.as_of = feed::Sequence{812};
  pack.as_of_time = *parse_instant("2026-11-30 18:00:00");
  pack.day = day(11, 30);
  return pack;
}

struct Folder {
  fs::path path = fs::temp_directory_path() / ("millrace-pack-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() {
    std::error_code ignored;  // a leftover in the temporary folder harms nobody
    fs::remove_all(path, ignored);
  }
};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

std::string text_of(const fs::path& pdf) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("pdftotext -layout " + pdf.string() + " -").c_str(), "r"), ::pclose);
  std::string text;
  char block[4096];
  for (std::size_t count; (count = std::fread(block, 1, sizeof block, pipe.get())) > 0;) text.append(block, count);
  return text;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the pack on paper says its figures, every row and the moment of its data") {
  const Folder folder;
  const auto pdf = pack_pdf(november());
  REQUIRE(pdf);
  std::ofstream(folder.path / "pack.pdf", std::ios::binary) << *pdf;
  const std::string text = text_of(folder.path / "pack.pdf");
  for (const std::string part : {"Month-end pack November 2026", "Plant Süd", "212,000.50 EUR", "-25,000.00 EUR", "Müller & Söhne 119", "2.19", "191.40",
                                 "as of Sequence 812, 2026-11-30T18:00:00.000Z, for 2026-11-30", "page 1 of", "-9,000.00 on 2026-12-20", "nothing"})
    CHECK_MESSAGE(holds(text, part), part);
  for (int i = 0; i < 120; ++i) CHECK(holds(text, decimal_text(Money{100 + i, eur})));
}

TEST_CASE("the same pack gives the same bytes as PDF and as workbook") {
  const Folder folder;
  CHECK(*pack_pdf(november()) == *pack_pdf(november()));
  REQUIRE(write_pack_xlsx(november(), folder.path / "a.xlsx"));
  REQUIRE(write_pack_xlsx(november(), folder.path / "b.xlsx"));
  CHECK(contents(folder.path / "a.xlsx") == contents(folder.path / "b.xlsx"));
}

TEST_CASE("the workbook holds numbers as numbers and a formula as a text") {
  const Folder folder;
  REQUIRE(write_pack_xlsx(november(), folder.path / "a.xlsx"));
  const std::string bytes = contents(folder.path / "a.xlsx");
  const auto archive = ingest::ZipArchive::open(bytes);
  REQUIRE(archive);
  const std::string book = archive->unpack("xl/workbook.xml").value();
  for (const std::string name : {"Figures", "Balance", "Receivables by customer", "Costs  planned actual", "About"}) CHECK_MESSAGE(holds(book, name), book);
  const std::string sheet = archive->unpack("xl/worksheets/sheet3.xml").value();
  CHECK(holds(sheet, "<v>2.19</v>"));
  CHECK(holds(sheet, "<v>191.4</v>"));
  CHECK_FALSE(holds(sheet, "<f>"));
  CHECK(holds(archive->unpack("xl/sharedStrings.xml").value(), "=cmd|"));
}

TEST_CASE("a folder that is not there is said") {
  const auto written = write_pack_xlsx(november(), "/nowhere/at/all.xlsx");
  REQUIRE_FALSE(written);
  CHECK(holds(written.error().text(), "/nowhere/at/all.xlsx"));
}

}  // namespace millrace::app
