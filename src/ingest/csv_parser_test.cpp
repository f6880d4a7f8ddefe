#include "ingest/csv_parser.h"

#include <doctest/doctest.h>

#include "domain/order_rules.h"
#include "ingest/document.h"

namespace millrace::ingest {
namespace {

ParsedDocument read(std::string_view text, const LayoutProfile& profile = built_in_profile()) { return parse_document(text, "a.csv", profile); }

const std::string header = "OrderNo,CustomerCode,CustomerName,OrderDate,DueDate,Currency,LineNo,ItemCode,Quantity,OpenQuantity,UnitPrice,LineTotal,Tax\r\n";

std::string row(std::string_view order, std::string_view line, std::string_view quantity = "2") {
  return std::string(order) + ",C1,Müller,2026-02-03,2026-03-04,EUR," + std::string(line) + ",00123," + std::string(quantity) + ",1,2.5000,5.00,1.00\r\n";
}

std::string utf16(std::string_view ascii, bool big_endian) {
  std::string out = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) {
    if (big_endian) out += '\0';
    out += c;
    if (!big_endian) out += '\0';
  }
  return out;
}

std::string reason(const ParsedDocument& document) { return document.findings.empty() ? "" : document.findings[0].place + ": " + document.findings[0].reason; }

TEST_CASE("Rows are grouped to orders by their number") {
  const ParsedDocument document = read(header + row("SO1", "1") + row("SO2", "1") + row("SO1", "2"));
  REQUIRE_MESSAGE(document.orders.size() == 2, reason(document));
  CHECK(document.orders[0].number.text == "1");
  CHECK(document.orders[0].lines.size() == 2);
  CHECK(document.orders[0].tax == 100);
  CHECK(document.orders[0].lines[0].item_code == "00123");
  CHECK(place_text(document.orders[0].lines[1].place) == "row 4");
}

TEST_CASE("Every usual encoding of a file gives the same text") {
  CHECK(read("\xEF\xBB\xBF" + header + row("1", "1")).orders.at(0).customer_name == "Müller");
  std::string latin = header + row("1", "1");
  latin.replace(latin.find("ü"), 2, "\xFC");
  CHECK(read(latin).orders.at(0).customer_name == "Müller");
  std::string ascii = header + row("1", "1");
  ascii.replace(ascii.find("ü"), 2, "u");
  CHECK(read(utf16(ascii, false)).orders.at(0).customer_name == "Muller");
  CHECK(read(utf16(ascii, true)).orders.at(0).customer_name == "Muller");
}

TEST_CASE("A German export with semicolons, decimal commas and dotted dates is read") {
  const ParsedDocument document = read(
      "Auftragsnummer;Kundennummer;Auftragsdatum;Liefertermin;Währung;Pos;Artikel;Menge;Offene Menge;Einzelpreis;Betrag\n"
      "4711;C1;03.02.2026;05.03.2026;EUR;1;00123;1.000;1.000;2,5;2.500,00\n");
  REQUIRE_MESSAGE(document.orders.size() == 1, reason(document));
  CHECK(iso(*document.orders[0].order_date) == "2026-02-03");
  CHECK(document.orders[0].lines[0].quantity_ordered.micros == 1'000'000'000);
  CHECK(document.orders[0].lines[0].line_total == 250000);
}

TEST_CASE("Impossible months decide the order of day and month for all columns of a file") {
  const std::string us = "OrderNo,CustomerCode,OrderDate,DueDate,Currency,ItemCode,Quantity,UnitPrice\n1,C1,03/04/2026,03/16/2026,EUR,A,1,1.00\n";
  REQUIRE(read(us).orders.size() == 1);
  CHECK(iso(*read(us).orders[0].order_date) == "2026-03-04");
}

TEST_CASE("Dates that can be read two ways are refused until the profile says which") {
  const std::string doubtful = "OrderNo,CustomerCode,OrderDate,Currency,ItemCode,Quantity,UnitPrice\n1,C1,03/04/2026,EUR,A,1,1.00\n";
  CHECK(read(doubtful).orders.empty());
  CHECK(reason(read(doubtful)).find("ambiguous dates 03/04/2026: set csv_date_order in the layout profile") != std::string::npos);
  LayoutProfile profile = built_in_profile();
  profile.csv_date_order = "dmy";
  REQUIRE(read(doubtful, profile).orders.size() == 1);
  CHECK(iso(*read(doubtful, profile).orders[0].order_date) == "2026-04-03");
}

TEST_CASE("A number that can be read two ways is refused until the profile says which") {
  const std::string doubtful = "OrderNo;CustomerCode;Currency;ItemCode;Quantity;UnitPrice\n1;C1;EUR;A;1;1,234\n";
  CHECK(reason(read(doubtful)).find("csv_decimal_mark") != std::string::npos);
  LayoutProfile profile = built_in_profile();
  profile.csv_decimal_mark = ",";
  REQUIRE(read(doubtful, profile).orders.size() == 1);
  CHECK(read(doubtful, profile).orders[0].lines[0].line_total == 123);
}

TEST_CASE("A bad row refuses its order, the other orders go on") {
  const ParsedDocument document = read(header + row("SO1", "1") + row("SO2", "1", "many") + row("SO2", "2") + row("SO3", "1"));
  REQUIRE(document.orders.size() == 2);
  REQUIRE(document.findings.size() == 1);
  CHECK(document.findings[0].place == "row 3 column Quantity");
  CHECK(document.findings[0].order_number == "2");
  CHECK(document.findings[0].value == "many");
}

TEST_CASE("A ragged row refuses its order") {
  const ParsedDocument document = read(header + row("SO1", "1") + "SO1,C1,Müller,2026-02-03\r\n" + row("SO2", "1"));
  REQUIRE(document.orders.size() == 1);
  CHECK(document.orders[0].number.text == "2");
}

TEST_CASE("Totals, repeated headers and empty rows are no order lines") {
  const ParsedDocument document = read(header + row("SO1", "1") + header + "\r\n,,,,,,,,,,,,\r\nTotal,,,,,,,,,,,5.00,\r\n");
  REQUIRE_MESSAGE(document.orders.size() == 1, reason(document));
  CHECK(document.orders[0].lines.size() == 1);
  CHECK(document.findings.empty());
}

TEST_CASE("Quotes hold delimiters, quotes and line breaks") {
  std::string quoted = row("SO1", "1");
  quoted.replace(quoted.find("Müller"), 7, "\"Smith, \"\"Jo\"\"\r\nLtd\"");
  const ParsedDocument document = read(header + quoted);
  REQUIRE(document.orders.size() == 1);
  CHECK(document.orders[0].customer_name == "Smith, \"Jo\"\r\nLtd");
}

TEST_CASE("Columns are found in any order and case, unknown ones are kept") {
  const ParsedDocument document = read("QUANTITY\tITEMCODE\tInternalNote\tunit_price\tCURRENCY\tcustomercode\tORDERNO\n2\tA\tcall first\t1.50\tEUR\tC9\tSO5\n");
  REQUIRE_MESSAGE(document.orders.size() == 1, reason(document));
  CHECK(document.orders[0].customer_code == "C9");
  CHECK(document.orders[0].extra.at(0).second == "call first");
}

TEST_CASE("A list without order numbers is not for us") {
  CHECK_FALSE(read("CustomerCode,CustomerName\r\nC1,Somebody\r\n").is_order_document);
  CHECK_FALSE(read("Please file orders under the right status.\r\n").is_order_document);
  CHECK_FALSE(read(header).is_order_document);
}

TEST_CASE("Rows of one order that disagree about the order are refused") {
  std::string other = row("SO1", "2");
  other.replace(other.find("EUR"), 3, "USD");
  CHECK(read(header + row("SO1", "1") + other).orders.empty());
}

TEST_CASE("Hostile shapes are refused with a reason") {
  CHECK(reason(read(header + "\"" + std::string(2'000'000, 'x'))).find("not closed") != std::string::npos);
  CHECK(reason(read(header + std::string(1'000'000, ',') + "\n")).find("4,096 fields") != std::string::npos);
  CHECK(reason(read(header + row("SO1", "1") + std::string(5000, '\n') + std::string("SO2,\0,", 6))).find("NUL") != std::string::npos);
}

TEST_CASE("A header without end is refused, not passed over") {
  const std::string head = header.substr(0, header.size() - 2);
  CHECK(reason(read(head + std::string(1'000'000, ',') + "\r\n" + row("SO1", "1"))) == "row 1: the row has more than 4,096 fields");
  CHECK(reason(read("Letter head\n" + head + ",\"Remark\r\n" + row("SO1", "1"))).find("row 2: a quoted field is not closed") == 0);
  CHECK(read(std::string(1'000'000, ',') + "\n").findings.empty());  // wide, but nothing of ours
}

TEST_CASE("Negative numbers are read in every usual writing") {
  for (const char* quantity : {"-2", "2-", "(2)"}) {
    std::string text = row("SO1", "1", quantity);
    text.replace(text.find("5.00"), 4, "-5.00");
    const ParsedDocument document = read(header + text);
    REQUIRE_MESSAGE(document.orders.size() == 1, reason(document));
    CHECK(document.orders[0].lines[0].line_total == -500);
    CHECK(amounts(document.orders[0]).open == 0);
  }
}

}  // namespace
}  // namespace millrace::ingest
