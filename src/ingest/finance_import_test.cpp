#include "ingest/finance_import.h"

#include <doctest/doctest.h>

#include <map>

#include "ingest/finance_import_test_files.h"

namespace millrace::ingest {
namespace {

using namespace testing_files;

using Standing = std::map<std::string, StandingDocument>;

ImportOptions of_kind(FinanceKind kind, std::string_view currency = "EUR") {
  ImportOptions options;
  options.kind = kind;
  options.today = *parse_iso_day("2026-03-10");
  if (!currency.empty()) options.currency = *Currency::parse(currency);
  options.origin = "file";
  return options;
}

ParsedDocument cells_of(const std::string& bytes) {
  const auto document = decode_parsed_document(encode(parse_finance_table(bytes)));  // as it comes from the parser's process
  REQUIRE(document);
  return *document;
}

Result<ImportPreview> previewed(const std::string& bytes, const ImportOptions& options, const Standing& standing = {}) {
  const ParsedDocument document = cells_of(bytes);
  if (!document.findings.empty()) return fail(ErrorCode::invalid_input, document.findings.front().reason);
  return preview_finance_table(document, options, [&](FinanceKind, const std::string& key) -> Result<std::optional<StandingDocument>> {
    const auto found = standing.find(key);
    return found == standing.end() ? std::nullopt : std::optional(found->second);
  });
}

// "2 new posted=2026-03-03 amount=12.50{could be 1250.00} | reason"
std::string table(const Result<ImportPreview>& preview) {
  if (!preview) return "error: " + preview.error().text() + "\n";
  std::string out;
  for (const ImportField field : preview->missing) out += "missing " + std::string(word(field)) + "\n";
  for (const ImportRow& row : preview->rows) {
    out += std::to_string(row.row) + " " + std::string(word(row.state));
    for (const ImportCell& cell : row.cells) {
      if (row.state == ImportRow::State::refused || row.state == ImportRow::State::skipped) break;
      out += " " + std::string(word(cell.field)) + "=" + cell.value + (cell.doubt.empty() ? "" : "{" + cell.doubt + "}");
    }
    out += (row.reason.empty() ? "" : " | " + row.reason) + "\n";
  }
  return out;
}

std::string guessed(const Result<ImportPreview>& preview) {
  if (!preview) return preview.error().text();
  const ImportGuess& guess = preview->guess;
  std::string text = std::string(word(preview->format)) + " " + guess.separator + " " + guess.encoding + " " + guess.decimal + " " + guess.date + " header " + std::to_string(guess.header_row);
  for (const auto& [field, header] : guess.columns) text += " " + std::string(word(field)) + ":" + header;
  return text;
}

Standing standing_of(const Result<ImportPreview>& preview) {
  Standing standing;
  REQUIRE(preview);
  for (const ImportRow& row : preview->rows)
    if (!row.document.number.empty()) standing[finance_key(row.document)] = {row.document, true};
  return standing;
}

// ---- the dirty files

TEST_CASE("1: a German export in Windows-1252 with decimal commas, a second header and totals") {
  const std::string file =
      "Datum;Kategorie;Betrag;W\xE4hrung;Bemerkung\r\n"
      "03.02.2026;L\xF6hne;12.000,00;EUR;\r\n"
      "05.02.2026;Miete;1.234,5;EUR;\"B\xFCro\r\nund Lager\"\r\n"
      ";;;;\r\n"
      "Datum;Kategorie;Betrag;W\xE4hrung;Bemerkung\r\n"
      "16.02.2026;Strom;99;EUR;\r\n"
      "Summe;;13.333,50;;\r\n";
  const auto preview = previewed(file, of_kind(FinanceKind::cost, ""));
  CHECK(guessed(preview) == "csv ; windows-1252 , dd.mm.yyyy header 1 posted:Datum amount:Betrag currency:Währung category:Kategorie comment:Bemerkung");
  CHECK(table(preview) ==
        "2 new posted=2026-02-03 amount=12000.00 currency=EUR category=Löhne\n"
        "3 new posted=2026-02-05 amount=1234.50 currency=EUR category=Miete comment=Büro\r\nund Lager\n"
        "5 skipped | the header once more\n"
        "6 new posted=2026-02-16 amount=99.00 currency=EUR category=Strom\n"
        "7 skipped | a row of totals\n");
}

TEST_CASE("2: an American export whose one impossible month decides the order of all days") {
  const std::string file =
      "Date,Category,Amount\n"
      "03/04/2026,Wages,\"$1,234.56\"\n"
      "03/16/2026,\"Rent, \"\"office\"\"\",$900.00\n";
  const auto preview = previewed(file, of_kind(FinanceKind::cost, "USD"));
  CHECK(guessed(preview) == "csv , utf-8 . mm/dd/yyyy header 1 posted:Date amount:Amount category:Category");
  CHECK(table(preview) ==
        "2 new posted=2026-03-04 amount=1234.56 category=Wages\n"
        "3 new posted=2026-03-16 amount=900.00 category=Rent, \"office\"\n");
  CHECK(table(previewed(file, of_kind(FinanceKind::cost, "EUR"))) ==
        "2 refused | the amount is in dollars and the row says EUR\n"
        "3 refused | the amount is in dollars and the row says EUR\n");
}

TEST_CASE("3: days that can be read two ways are doubtful and say the other one, until somebody says which") {
  const std::string file = "Date,Category,Amount\n03/04/2026,Rent,1.00\n05/05/2026,Rent,2.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 doubtful posted=2026-04-03{could be 4 March 2026} amount=1.00 category=Rent\n"
        "3 new posted=2026-05-05 amount=2.00 category=Rent\n");
  ImportOptions said = of_kind(FinanceKind::cost);
  said.date_order = "mdy";
  CHECK(table(previewed(file, said)) ==
        "2 new posted=2026-03-04 amount=1.00 category=Rent\n"
        "3 new posted=2026-05-05 amount=2.00 category=Rent\n");
}

TEST_CASE("4: a column that mixes both orders marks what only fits the other, and what fits both") {
  const std::string file = "Date,Category,Amount\n13/04/2026,a,1.00\n14/04/2026,b,1.00\n04/15/2026,c,1.00\n02/03/2026,d,1.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 new posted=2026-04-13 amount=1.00 category=a\n"
        "3 new posted=2026-04-14 amount=1.00 category=b\n"
        "4 doubtful posted=2026-04-15{reads only with the month first} amount=1.00 category=c\n"
        "5 doubtful posted=2026-03-02{could be 3 February 2026} amount=1.00 category=d\n");
}

TEST_CASE("5: a Spanish file in UTF-16 with tabs and no-break spaces in its amounts") {
  const std::string file = utf16le("Fecha\tTipo\tImporte\tMoneda\r\n28/02/2026\tNominas\t1~234,50\teur\r\n01/03/2026\tAlquiler\t800\tEUR\r\n");
  const auto preview = previewed(file, of_kind(FinanceKind::cost, ""));
  CHECK(guessed(preview) == "csv tab utf-16 , dd/mm/yyyy header 1 posted:Fecha amount:Importe currency:Moneda category:Tipo");
  CHECK(table(preview) ==
        "2 new posted=2026-02-28 amount=1234.50 currency=EUR category=Nominas\n"
        "3 new posted=2026-03-01 amount=800.00 currency=EUR category=Alquiler\n");
}

TEST_CASE("6: a French file with a byte order mark, thin spaces and glued signs") {
  const std::string file = "\xEF\xBB\xBF" "Date;Catégorie;Montant\n15/01/2026;Loyer;1\xE2\x80\xAF" "234,50\xC2\xA0€\n16/01/2026;Énergie;€99,90\n17/01/2026;Banque;R$ 5,00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost, ""))) ==
        "2 new posted=2026-01-15 amount=1234.50 category=Loyer\n"
        "3 new posted=2026-01-16 amount=99.90 category=Énergie\n"
        "4 new posted=2026-01-17 amount=5.00 category=Banque\n");
  CHECK(previewed(file, of_kind(FinanceKind::cost, ""))->rows[2].document.currency.code() == "BRL");
}

TEST_CASE("7: a bank's list where all that goes out stands below zero in one of its many forms") {
  const std::string file = "Datum;Kategorie;Betrag\n01.02.2026;a;12,00-\n02.02.2026;b;(12,50)\n03.02.2026;c;\xE2\x88\x92" "5,00\n04.02.2026;d;-1.000,00\n05.02.2026;e;- 7,25 €\n";
  const auto preview = previewed(file, of_kind(FinanceKind::cost));
  CHECK(preview->guess.sign == "negative");
  CHECK(table(preview) ==
        "2 new posted=2026-02-01 amount=12.00 category=a\n"
        "3 new posted=2026-02-02 amount=12.50 category=b\n"
        "4 new posted=2026-02-03 amount=5.00 category=c\n"
        "5 new posted=2026-02-04 amount=1000.00 category=d\n"
        "6 new posted=2026-02-05 amount=7.25 category=e\n");
}

TEST_CASE("8: where only some amounts are below zero those are refused, and a balance may be") {
  const std::string file = "Date,Category,Account,Amount\n2026-02-01,a,1200,12.00\n2026-02-02,b,1200,-12.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))).find("3 refused | ") != std::string::npos);
  CHECK(table(previewed(file, of_kind(FinanceKind::balance))) ==
        "2 new posted=2026-02-01 amount=12.00 account=1200\n"
        "3 new posted=2026-02-02 amount=-12.00 account=1200\n");
}

TEST_CASE("9: years of two digits are of this century, and doubtful where the year may stand first") {
  const std::string file = "Date,Category,Amount\n31.01.26,a,1.00\n1.2.26,b,1.00\n26-03-04,c,1.00\n01.01.1900,d,1.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 new posted=2026-01-31 amount=1.00 category=a\n"
        "3 new posted=2026-02-01 amount=1.00 category=b\n"
        "4 doubtful posted=2004-03-26{could be 4 March 2026} amount=1.00 category=c\n"
        "5 doubtful posted=1900-01-01{is 126 years away; some programs write such a day for none} amount=1.00 category=d\n");
}

TEST_CASE("10: a day as Excel's bare number is doubtful and says which day it is") {
  const std::string file = "Date,Category,Amount\n46084,a,1.00\n20260304,b,2.00\n12,c,1.00\nsoon,d,1.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 doubtful posted=2026-03-03{is a number; as a day of Excel it is 3 March 2026} amount=1.00 category=a\n"
        "3 new posted=2026-03-04 amount=2.00 category=b\n"
        "4 refused | column \"Date\": \"12\" is not a day\n"
        "5 refused | column \"Date\": \"soon\" is not a day\n");
}

TEST_CASE("11: days that no calendar has are refused, the others go on") {
  const std::string file = "Date;Category;Amount\n31/06/2026;a;1,00\n29.02.2026;b;1,00\n29.02.2028;c;1,00\n28/03/2026;d;1,00\n03/28/2026;e;1,00\n27/03/2026;g;1,00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 refused | column \"Date\": \"31/06/2026\" is a day that no calendar has\n"
        "3 refused | column \"Date\": \"29.02.2026\" is a day that no calendar has\n"
        "4 new posted=2028-02-29 amount=1.00 category=c\n"
        "5 new posted=2026-03-28 amount=1.00 category=d\n"
        "6 doubtful posted=2026-03-28{reads only with the month first} amount=1.00 category=e\n"
        "7 new posted=2026-03-27 amount=1.00 category=g\n");
}

TEST_CASE("12: 1.234 alone can be read two ways; one other amount of the file decides it") {
  const std::string doubtful = "Date;Category;Amount\n2026-02-01;a;1.234\n2026-02-02;b;7\n";
  CHECK(table(previewed(doubtful, of_kind(FinanceKind::cost))) ==
        "2 doubtful posted=2026-02-01 amount=1234.00{could be 1.234} category=a\n"
        "3 new posted=2026-02-02 amount=7.00 category=b\n");
  CHECK(table(previewed(doubtful + "2026-02-03;c;1,50\n", of_kind(FinanceKind::cost))) ==
        "2 new posted=2026-02-01 amount=1234.00 category=a\n"
        "3 new posted=2026-02-02 amount=7.00 category=b\n"
        "4 new posted=2026-02-03 amount=1.50 category=c\n");
  ImportOptions said = of_kind(FinanceKind::cost, "KWD");
  said.decimal_mark = '.';
  CHECK(table(previewed(doubtful, said)) ==
        "2 new posted=2026-02-01 amount=1.234 category=a\n"
        "3 new posted=2026-02-02 amount=7.000 category=b\n");
}

TEST_CASE("13: a column with both decimal marks marks the fewer ones and all that depend on it") {
  const std::string file = "Date;Category;Amount\n2026-02-01;a;1,50\n2026-02-02;b;2,50\n2026-02-03;c;3.50\n2026-02-04;d;1.234\n2026-02-05;e;1.2.3\n2026-02-06;f;12,50 CR\n2026-02-07;g;n/a\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 new posted=2026-02-01 amount=1.50 category=a\n"
        "3 new posted=2026-02-02 amount=2.50 category=b\n"
        "4 doubtful posted=2026-02-03 amount=3.50{written with a point where the others have a comma} category=c\n"
        "5 doubtful posted=2026-02-04 amount=1234.00{could be 1.234} category=d\n"
        "6 refused | column \"Amount\": \"1.2.3\" is not a number\n"
        "7 refused | column \"Amount\": \"12,50 CR\" is not a number: \"CR\" is no currency\n"
        "8 refused | column \"Amount\": \"n/a\" is not a number\n");
}

TEST_CASE("14: wrong, contradicting and missing currencies refuse their rows") {
  const std::string file =
      "Date,Category,Amount,Currency\n2026-02-01,a,1.00,EUR\n2026-02-02,b,1.00,EUX\n2026-02-03,c,1.00,Dollars\n2026-02-04,d,£1.00,EUR\n2026-02-05,e,$1.00,CAD\n2026-02-06,f,kr 5.00,SEK\n"
      "2026-02-07,g,kr 5.00,EUR\n2026-02-08,h,1.00,\n2026-02-09,i,¥500,JPY\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost, ""))) ==
        "2 new posted=2026-02-01 amount=1.00 currency=EUR category=a\n"
        "3 refused | column \"Currency\": \"EUX\" is no currency\n"
        "4 refused | column \"Currency\": \"Dollars\" is no currency\n"
        "5 refused | the amount is in GBP and the row says EUR\n"
        "6 new posted=2026-02-05 amount=1.00 currency=CAD category=e\n"
        "7 new posted=2026-02-06 amount=5.00 currency=SEK category=f\n"
        "8 refused | \"kr\" could be several currencies; say which with a column of currencies or with currency=SEK\n"
        "9 refused | the amount has no currency; add a column of currencies or say currency=EUR\n"
        "10 new posted=2026-02-09 amount=500 currency=JPY category=i\n");
}

TEST_CASE("15: formulas are not computed, amounts beyond all bounds and too many decimals are seen") {
  const std::string file =
      "No,Date,Category,Amount\n=\"00123\",2026-02-01,a,=SUM(C2:C3)\n00124,2026-02-01,=cmd|' /C calc'!A0,2.00\n1E5,2026-02-01,c,99999999999999999\n"
      "9,2026-02-01,d,90071992547409.93\n=\"00123\",2026-02-01,e,2.505\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "2 refused | column \"Amount\": \"=SUM(C2:C3)\" is a formula; write its value\n"
        "3 new number=00124 posted=2026-02-01 amount=2.00 category==cmd|' /C calc'!A0\n"
        "4 refused | column \"Amount\": \"99999999999999999\" is too large for an amount\n"
        "5 refused | column \"Amount\": \"90071992547409.93\" is too large for an amount\n"
        "6 doubtful number=00123 posted=2026-02-01 amount=2.51{has more decimals than EUR; taken as 2.51} category=e\n");
}

TEST_CASE("16: invoices twice, once with other values, and an amount whose comma has no quotes") {
  const std::string file =
      "Invoice No,Date,Due,Customer,Amount\n9001,2026-02-01,2026-03-03,C1,100.00\n9001,2026-02-01,2026-03-03,C1,100.00\n9001,2026-02-01,2026-03-03,C1,110.00\n"
      "9002,2026-02-02,,C2,1,234.50\n9003,2026-02-02,,,5.00\n9004,2026-02-02,2026-03-04,C2,5.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::invoice))) ==
        "2 new number=9001 posted=2026-02-01 due=2026-03-03 amount=100.00 party=C1\n"
        "3 skipped | invoice 9001 stands in row 2 too\n"
        "4 refused | invoice 9001 stands in row 2 too, with other values; keep one of the two\n"
        "5 refused | the row has more fields than the header; a text or amount with a , in it needs quotes\n"
        "6 refused | the row has no party\n"
        "7 new number=9004 posted=2026-02-02 due=2026-03-04 amount=5.00 party=C2\n");
}

TEST_CASE("17: equal rows without numbers are asked about; empty rows and a bare sum are no rows") {
  const std::string file = "Date,Category,Amount\n\n2026-02-01,Parking,5.00\n2026-02-01,Parking,5.00\n,,\n2026-02-02,Fuel,60.00\n,,70.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) ==
        "3 new posted=2026-02-01 amount=5.00 category=Parking\n"
        "4 doubtful posted=2026-02-01 amount=5.00 category=Parking | says the same as row 3; it may stand there twice\n"
        "6 new posted=2026-02-02 amount=60.00 category=Fuel\n"
        "7 skipped | the sum of the rows above\n");
}

TEST_CASE("18: a workbook's days by their format, without one, and counted from 1904") {
  const SheetText sheet{"Costs", {{t("Date"), t("Category"), t("Amount")}, {d("46084"), t("a"), n("12.5")}, {n("46085"), t("b"), n("1234.567")}, {t("2026-03-05"), t("c"), t("1,50")}, {n("7"), t("d"), n("1")}}};
  CHECK(table(previewed(workbook({sheet}), of_kind(FinanceKind::cost))) ==
        "2 new posted=2026-03-03 amount=12.50 category=a\n"
        "3 doubtful posted=2026-03-04{is a number; as a day of Excel it is 4 March 2026} amount=1234.57{has more decimals than EUR; taken as 1234.57} category=b\n"
        "4 new posted=2026-03-05 amount=1.50 category=c\n"
        "5 refused | column \"Date\": \"7\" is not a day\n");
  const SheetText mac{"Costs", {{t("Date"), t("Category"), t("Amount")}, {d("44622"), t("a"), n("1")}, {n("44623"), t("b"), n("2")}}};
  CHECK(table(previewed(workbook({mac}, true), of_kind(FinanceKind::cost))) ==
        "2 new posted=2026-03-03 amount=1.00 category=a\n"
        "3 doubtful posted=2026-03-04{is a number; as a day of Excel it is 4 March 2026} amount=2.00 category=b\n");
}

TEST_CASE("19: a workbook with a hidden sheet, a letterhead, a formula without a value and a rounded number") {
  const SheetText hidden{"Old", {{t("Date"), t("Category"), t("Amount")}, {d("46000"), t("never"), n("1")}}, true};
  const SheetText cover{"Read me", {{t("Our costs of 2026")}}};
  const SheetText costs{"Costs", {{t("ACME GmbH")}, {t("Costs of March")}, {none()}, {t("No"), t("Date"), t("Category"), t("Amount (EUR)")}, {n("1234567890123456"), d("46084"), t("a"), n("5")}, {n("17"), d("46085"), t("b"), f()}, {n("18"), d("46086"), t("c"), d("46086")}, {none(), none(), t("Total"), n("5")}}};
  const auto preview = previewed(workbook({hidden, cover, costs}), of_kind(FinanceKind::cost, ""));
  CHECK(guessed(preview) == "xlsx   . yyyy-mm-dd header 4 number:No posted:Date amount:Amount (EUR) category:Category");
  CHECK(preview->guess.sheet == "Costs");
  CHECK(table(preview) ==
        "5 doubtful number=1234567890123456{a number of more than 15 digits is rounded by Excel; format the column as text} posted=2026-03-03 amount=5.00 category=a\n"
        "6 refused | column \"Amount (EUR)\": the cell holds a formula without a value; write the value\n"
        "7 refused | column \"Amount (EUR)\": \"2026-03-05\" is a day, not a number; give the cell a number format\n"
        "8 skipped | a row of totals\n");
}

TEST_CASE("20: payments name the invoice they settle, in a currency without decimals") {
  const std::string file = "Zahldatum;Kunde;Rechnungs-Nr.;Betrag;Whg;Konto\n03.03.2026;C1;9001;12.000;JPY;1200\n13.03.2026;C1;9002;12,5;JPY;1200\n";
  const auto preview = previewed(file, of_kind(FinanceKind::payment, ""));
  CHECK(table(preview) ==
        "2 new posted=2026-03-03 amount=12000 currency=JPY party=C1 account=1200 settles=9001\n"
        "3 doubtful posted=2026-03-13 amount=13{has more decimals than JPY; taken as 13} currency=JPY party=C1 account=1200 settles=9002\n");
  REQUIRE(preview->rows[0].document.allocations.size() == 1);
  CHECK(preview->rows[0].document.allocations[0].number == "9001");
  CHECK(preview->rows[0].document.allocations[0].amount == 12000);
}

TEST_CASE("21: months by name and by number, and budgets are of a whole month") {
  const std::string file = "Month;Category;Budget\n03/2026;Wages;100\n2026-04;Wages;100\n15 May 2026;Wages;100\n3. Juni 2026;Wages;100\n31-Feb-26;Wages;100\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::budget))) ==
        "2 new posted=2026-03-01 amount=100.00 category=Wages\n"
        "3 new posted=2026-04-01 amount=100.00 category=Wages\n"
        "4 new posted=2026-05-01 amount=100.00 category=Wages\n"
        "5 new posted=2026-06-01 amount=100.00 category=Wages\n"
        "6 refused | column \"Month\": \"31-Feb-26\" is a day that no calendar has\n");
}

TEST_CASE("22: a file without a header is read by the letters of its columns") {
  const std::string file = "2026-02-01,Rent,900.00\n2026-02-02,Fuel,60.00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))).find("error: no row of the file names its columns") == 0);
  ImportOptions letters = of_kind(FinanceKind::cost);
  letters.columns = {{ImportField::posted, "A"}, {ImportField::category, "B"}, {ImportField::amount, "C"}};
  CHECK(table(previewed(file, letters)) ==
        "1 new posted=2026-02-01 amount=900.00 category=Rent\n"
        "2 new posted=2026-02-02 amount=60.00 category=Fuel\n");
  letters.columns = {{ImportField::posted, "Nowhere"}};
  CHECK(table(previewed(file, letters)) == "error: the file has no column Nowhere for posted; name one of its columns or a letter like C\n");
}

TEST_CASE("23: columns a person names win over what their names mean; what is missing is said") {
  const std::string file = "Datum;Wertstellung;Text;Betrag\n01.02.2026;13.02.2026;Rent;9,00\n";
  CHECK(table(previewed(file, of_kind(FinanceKind::cost))) == "missing category\n");
  ImportOptions mapped = of_kind(FinanceKind::cost);
  mapped.columns = {{ImportField::category, "Text"}, {ImportField::posted, "wertstellung"}};
  CHECK(table(previewed(file, mapped)) == "2 new posted=2026-02-13 amount=9.00 category=Rent\n");
}

TEST_CASE("24: rates of days, recurring costs and deliveries keep what makes them unique") {
  const auto rates = previewed("Date,From,To,Rate\n2026-03-02,USD,EUR,0.9231\n2026-03-03,USD,EUR,0.9199\n2026-03-03,EUR,EUR,1\n", of_kind(FinanceKind::rate));
  REQUIRE(rates);
  CHECK(finance_key(rates->rows[1].document) == "USD/EUR 2026-03-03");
  CHECK(rates->rows[0].document.rate->scaled == 9'231'000'000);
  CHECK(rates->rows[2].state == ImportRow::State::refused);
  CHECK(table(previewed("Start;Category;Betrag;Turnus;bis\n31.01.2026;Rent;900;monatlich;31.12.2026\n31.01.2026;Rent;900;manchmal;\n", of_kind(FinanceKind::recurring_cost))) ==
        "2 new posted=2026-01-31 until=2026-12-31 amount=900.00 category=Rent every=month\n"
        "3 refused | column \"Turnus\": \"manchmal\" is no interval; say week, month, quarter or year\n");
  const auto notes = previewed("Delivery Note,Date,Customer,Order,Line,Qty\nL1,2026-03-01,C1,43659,1,4\nL1,2026-03-01,C1,43659,2,2.5\n", of_kind(FinanceKind::delivery, ""));
  REQUIRE(notes);
  CHECK_MESSAGE(notes->counts.fresh == 2, table(notes));
  CHECK(notes->rows[1].document.number == "L1/43659-2");
  CHECK(notes->rows[1].document.lines.at(0).quantity.micros == 2'500'000);
}

// ---- what stands already

TEST_CASE("The same file twice changes nothing, with and without numbers") {
  const std::string costs = "Date,Category,Amount\n2026-02-01,Parking,5.00\n2026-02-01,Parking,5.00\n03/04/2026,Rent,1.00\n";
  const auto first = previewed(costs, of_kind(FinanceKind::cost));
  CHECK(previewed(costs, of_kind(FinanceKind::cost), standing_of(first))->counts == ImportCounts{0, 0, 3, 0, 0, 0});
  const std::string same_otherwise = "Betrag;Kategorie;Datum\n5,00;Parking;01.02.2026\n";
  CHECK(previewed(same_otherwise, of_kind(FinanceKind::cost), standing_of(first))->counts == ImportCounts{0, 0, 1, 0, 0, 0});
  const std::string invoices = "Invoice No,Date,Due,Customer,Amount\n9001,2026-02-01,2026-03-03,C1,100.00\n";
  CHECK(previewed(invoices, of_kind(FinanceKind::invoice), standing_of(previewed(invoices, of_kind(FinanceKind::invoice))))->counts == ImportCounts{0, 0, 1, 0, 0, 0});
}

TEST_CASE("A changed row keeps what the file has no column for") {
  const auto first = previewed("No,Date,Category,Amount,Comment\nC-1,2026-02-01,Rent,5.00,until autumn\n", of_kind(FinanceKind::cost));
  const auto second = previewed("No,Date,Category,Amount\nC-1,2026-02-01,Rent,6.00\n", of_kind(FinanceKind::cost), standing_of(first));
  REQUIRE(second);
  CHECK(second->counts == ImportCounts{0, 1, 0, 0, 0, 0});
  CHECK(second->rows[0].document.comment == "until autumn");
  CHECK(second->rows[0].document.amount == 600);
}

TEST_CASE("What a source brought is not changed by a file") {
  const std::string file = "Invoice No,Date,Customer,Amount\n9001,2026-02-01,C1,100.00\n";
  Standing standing = standing_of(previewed(file, of_kind(FinanceKind::invoice)));
  standing.begin()->second.ours = false;
  standing.begin()->second.document.source = "sap";
  CHECK(table(previewed(file, of_kind(FinanceKind::invoice), standing)) == "2 refused | invoice 9001 comes from sap; change it there\n");
}

TEST_CASE("The kind of a file is told by its name, else by its columns, else a person is asked") {
  const auto kind = [](const std::string& head, std::string_view name) {
    const auto found = guess_finance_kind(cells_of(head + "\n"), name);
    return found ? std::string(word(*found)) : std::string("?");
  };
  CHECK(kind("a,b", "Kosten 2026.csv") == "cost");
  CHECK(kind("a,b", "supplier_payments.xlsx") == "supplier_payment");
  CHECK(kind("Date,From,To,Rate", "corporate.csv") == "rate");
  CHECK(kind("a,b", "corporate.csv") == "?");
  CHECK(kind("Fecha;Categoría;Importe;Frecuencia", "x.csv") == "recurring_cost");
  CHECK(kind("Date,Amount,Customer", "x.csv") == "?");
}

TEST_CASE("What is no table is refused with what to do") {
  const auto reason = [](const std::string& bytes) { return parse_finance_table(bytes).findings.at(0).reason; };
  CHECK(reason("") == "the file is empty");
  CHECK(reason("%PDF-1.4") == "this is a PDF; send the table as a CSV file or a workbook");
  CHECK(reason("{\"a\": 1}") == "this is JSON; send a CSV file or a workbook, or push the batch to a source");
  CHECK(reason("\xD0\xCF\x11\xE0 old") == "an old or password-protected workbook; save it as .xlsx without a password");
  CHECK(reason("Date,Amount\n\"2026-02-01,5\n") == "a quoted field is not closed: the file is cut off, or a quote is missing");
}

}  // namespace
}  // namespace millrace::ingest
