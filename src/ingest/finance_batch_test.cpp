#include "ingest/finance_batch.h"

#include <doctest/doctest.h>

using namespace millrace;
using namespace millrace::ingest;

namespace {

std::string told(std::string_view stream, std::string_view content, bool csv = false) {
  const ParsedDocument read = parse_finance_batch(content, finance_batch_name(stream, csv));
  std::string text;
  for (const FinanceRow& row : read.finance) {
    const FinanceDocument& one = row.document;
    text += std::to_string(row.row) + " " + std::string(word(one.kind)) + " " + one.number + " " + one.party_code + " " + one.currency.code() + " " +
            std::to_string(one.amount) + (row.removed ? " removed" : "");
    for (const FinanceLine& line : one.lines) text += " line " + line.order.text + "/" + std::to_string(line.order_line.value_or(0)) + "=" + std::to_string(line.amount);
    for (const Allocation& part : one.allocations) text += " settles " + part.number + "=" + std::to_string(part.amount);
    text += "\n";
  }
  for (const Finding& finding : read.findings) text += finding.place + ": " + finding.reason + "\n";
  return text;
}

}  // namespace

TEST_CASE("Pushed invoices are read in our words, amounts from their text") {
  CHECK(told("invoices", R"([{"number":"9001","party":"C1","posted":"2026-03-01","due":"2026-03-31","amount":"119.00","tax":19,"currency":"EUR",
    "lines":[{"order":"43659","order_line":1,"quantity":"4","amount":100.00}]},
 {"number":"9002","party":"C1","posted":"2026-03-02","amount":{"minor":5000,"currency":"JPY"}}])") ==
        "1 invoice 9001 C1 EUR 11900 line 43659/1=10000\n"
        "3 invoice 9002 C1 JPY 5000\n");
  CHECK(told("payments", R"({"value":[{"number":"P1","party":"C1","posted":"2026-04-02","amount":"119.00","currency":"EUR","settles":[{"number":"9001"}]}]})") ==
        "1 payment P1 C1 EUR 11900 settles 9001=11900\n");
  CHECK(told("invoices", R"({"number":"9001","removed":true})") == "1 invoice 9001   0 removed\n");
}

TEST_CASE("A row that cannot be read exactly is refused with its place, and the others go on") {
  CHECK(told("costs", R"([
{"number":"K1","posted":"2026-03-01","category":"Rent","amount":"10.005","currency":"EUR"},
{"number":"K2","posted":"2026-06-31","category":"Rent","amount":"10","currency":"EUR"},
{"number":"K3","posted":"2026-06-30","category":"Rent","amount":"10","currency":"EUR"},
{"number":"K4","posted":"2026-06-30","amount":"-10","currency":"EUR"},
7])") ==
        "4 cost K3  EUR 1000\n"
        "row 2: the field 'amount': \"10.005\" has more decimals than EUR\n"
        "row 3: the field 'posted': \"2026-06-31\" is no day; write it like 2026-11-30\n"
        "row 5: The cost K4 has the amount EUR -10.00 below zero; what goes the other way is a document of another kind.\n"
        "row 6: a row is an object with the document's words\n");
  CHECK(told("invoices", R"([{"number":"9001")").find("the JSON is damaged") != std::string::npos);
  CHECK(told("nonsense", "[]").find("no known stream") != std::string::npos);
}

TEST_CASE("A CSV with one number in rows that follow each other is one document with several lines") {
  CHECK(told("invoices",
             "number;party;posted;amount;currency;order;order_line;quantity;line_amount\n"
             "9001;C1;2026-03-01;300.00;EUR;43659;1;2;100.00\n"
             "9001;C1;2026-03-01;300.00;EUR;43659;2;4;200.00\n"
             "9002;C2;2026-03-01;5.00;EUR;;;;\n",
             true) ==
        "2 invoice 9001 C1 EUR 30000 line 43659/1=10000 line 43659/2=20000\n"
        "4 invoice 9002 C2 EUR 500\n");
}

TEST_CASE("Terms, rates and balances are read from their own words") {
  const auto terms = parse_finance_batch(R"({"number":"N30","days":30,"discount_days":10,"discount":"2"})", finance_batch_name("terms", false));
  REQUIRE(terms.finance.size() == 1);
  CHECK(terms.finance[0].document.terms_rule->days == 30);
  CHECK(terms.finance[0].document.terms_rule->discount.micros == 2'000'000);
  const auto rate = parse_finance_batch(R"({"from":"USD","to":"EUR","rate":"0.9231","posted":"2026-03-01"})", finance_batch_name("rates", false));
  REQUIRE(rate.finance.size() == 1);
  CHECK(rate.finance[0].document.number == "USD/EUR");
  CHECK(rate.finance[0].document.rate->scaled == 9'231'000'000);
  const auto balance = parse_finance_batch(R"({"account":"1200","posted":"2026-03-01","amount":"-5.00","currency":"EUR"})", finance_batch_name("balances", false));
  REQUIRE(balance.finance.size() == 1);
  CHECK(balance.finance[0].document.number == "1200 2026-03-01");
}

TEST_CASE("What a parser process answers of a finance batch comes back as it was") {
  const auto read = parse_finance_batch(R"([{"number":"9001","party":"C1","posted":"2026-03-01","amount":"1","currency":"EUR"},{"number":"9","removed":true}])",
                                        finance_batch_name("invoices", false));
  const auto again = decode_parsed_document(encode(read));
  REQUIRE(again.has_value());
  REQUIRE(again->finance.size() == 2);
  CHECK(again->finance[0].document == read.finance[0].document);
  CHECK(again->finance[1].removed);
}
