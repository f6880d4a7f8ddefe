#include "ingest/json_parser.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "domain/order_rules.h"
#include "ingest/document.h"

namespace millrace::ingest {
namespace {

ParsedDocument read(std::string_view text) { return parse_document(text, "order.json", built_in_profile()); }

const std::string sap_order = R"({
  "DocEntry": 3659, "DocNum": 43659, "DocDate": "2026-02-17", "DocDueDate": "2026-03-01", "TaxDate": "2026-02-17",
  "CardCode": "C1", "CardName": "Müller & Søn", "NumAtCard": null, "DocCurrency": "EUR", "DocTotal": 30.75, "VatSum": 4.5,
  "Cancelled": "tNO", "SalesPersonCode": -1, "UpdateDate": "2026-02-18", "UpdateTime": "06:55:18", "U_Colour": "red",
  "DocumentAdditionalExpenses": [{"ExpenseCode": 1, "LineTotal": 1.25}],
  "DocumentLines": [
    {"LineNum": 0, "ItemCode": "00123", "Quantity": 4, "UnitPrice": 5.0, "LineTotal": 20.0, "RemainingOpenQuantity": 1, "LineStatus": "bost_Open"},
    {"LineNum": 1, "ItemCode": "1E5", "Quantity": 1, "UnitPrice": "5.0", "LineTotal": 5.0, "RemainingOpenQuantity": 1, "LineStatus": "bost_Close"},
    {"LineNum": 2, "ItemCode": "X", "Quantity": 1, "UnitPrice": 9.0, "LineTotal": 9.0, "RemainingOpenQuantity": 1, "U_Cancelled": "Y"}
  ]})";

std::string with(std::string_view what, std::string_view instead) {
  std::string text = sap_order;
  text.replace(text.find(what), what.size(), instead);
  return text;
}

void check_refused(const ParsedDocument& document, std::string_view reason_part) {
  CHECK(document.orders.empty());
  REQUIRE_FALSE(document.findings.empty());
  CHECK(document.findings[0].outcome == feed::Outcome::reject);
  CAPTURE(document.findings[0].reason);
  CHECK(document.findings[0].reason.find(reason_part) != std::string::npos);
}

TEST_CASE("A SAP order is read exactly, each line with its place") {
  const ParsedDocument document = read(sap_order);
  for (const Finding& finding : document.findings) CAPTURE(finding.reason);
  REQUIRE(document.orders.size() == 1);
  CHECK(document.findings.empty());
  const SalesOrder& order = document.orders[0];
  CHECK(order.number.text == "43659");
  CHECK(order.source_key == "3659");
  CHECK(order.customer_name == "Müller & Søn");
  CHECK(order.salesperson.empty());
  CHECK(order.freight == 125);
  CHECK(order.tax == 450);
  CHECK(order.document_total == 3075);
  CHECK(utc_seconds(*order.updated) == "2026-02-18 06:55:18");
  CHECK(order.extra == std::vector<std::pair<std::string, std::string>>{{"U_Colour", "red"}});
  REQUIRE(order.lines.size() == 3);
  CHECK(order.lines[0].line_number == 1);
  CHECK(order.lines[2].line_number == 3);
  CHECK(order.lines[0].item_code == "00123");
  CHECK(order.lines[0].open_amount == 500);
  CHECK(place_text(order.lines[1].place) == "line 8");
  CHECK(order.lines[1].item_code == "1E5");
  CHECK(order.lines[1].open_amount == 0);
  CHECK(order.lines[2].status == LineStatus::cancelled);
  CHECK(amounts(order).net == 2500);
}

TEST_CASE("Orders come alone, in a list, or in the envelope of an OData service, with or without a byte order mark") {
  CHECK(read("[" + sap_order + "," + with("43659", "43660") + "]").orders.size() == 2);
  CHECK(read("{\"@odata.context\":\"x\",\"value\":[" + sap_order + "]}").orders.size() == 1);
  CHECK(read("\xEF\xBB\xBF" + sap_order).orders.size() == 1);
}

TEST_CASE("A document total that differs from the lines is flagged and the lines count") {
  const ParsedDocument document = read(with("30.75", "40.75"));
  REQUIRE(document.orders.size() == 1);
  REQUIRE(document.findings.size() == 1);
  CHECK(document.findings[0].outcome == feed::Outcome::ingest_and_flag);
  CHECK(document.findings[0].order_number == "43659");
}

TEST_CASE("JSON that is no order at all is not for us") {
  const ParsedDocument document = read(R"({"theme":"dark","columns":["DocNum","CardName"]})");
  CHECK_FALSE(document.is_order_document);
  CHECK(document.findings.empty());
  CHECK_FALSE(document.ignored_because.empty());
}

TEST_CASE("An order without a number is refused with a reason") {
  check_refused(read(R"({"CardCode":"C1","DocCurrency":"EUR","DocumentLines":[{"ItemCode":"X","Quantity":1,"UnitPrice":5.0}]})"), "no order number");
}

TEST_CASE("A cut-off order adds nothing, wherever it is cut") {
  for (std::size_t length = 1; length < sap_order.size(); ++length) {
    const ParsedDocument document = read(std::string_view(sap_order).substr(0, length));
    CAPTURE(length);
    REQUIRE(document.orders.empty());
    REQUIRE_FALSE(document.findings.empty());
  }
}

TEST_CASE("A key that stands twice is refused: which one counts cannot be told") {
  check_refused(read(with("\"DocEntry\": 3659,", "\"DocNum\": 1,")), "twice");
  check_refused(read(with("\"LineNum\": 1,", "\"ItemCode\": \"A\",")), "twice");
}

TEST_CASE("Nesting of any depth is refused without harm") {
  check_refused(read(std::string(200'000, '[') + std::string(200'000, ']')), "nested");
  check_refused(read(std::string(100'000, '[')), "");
  check_refused(read("{\"a\":" + std::string(5'000, '[') + std::string(5'000, ']') + "}"), "nested");
}

TEST_CASE("Numbers are exact or refused, never infinite") {
  for (const char* number : {"1e999999", "1.0000000000000000001", "-1e400", "123456789012345678901234567890"}) {
    CAPTURE(number);
    check_refused(read(with("\"Quantity\": 4", std::string("\"Quantity\": ") + number)), "");
  }
  for (const char* number : {"01", "1.", ".5", "+1", "NaN", "Infinity", "0x10", "1.2.3", "--1"}) {
    CAPTURE(number);
    check_refused(read(with("\"Quantity\": 4", std::string("\"Quantity\": ") + number)), "");
  }
  check_refused(read(with("\"Quantity\": 4", "\"Quantity\": " + std::string(5000, '9'))), "");
  CHECK(read(with("\"VatSum\": 4.5", "\"VatSum\": -0")).orders.size() == 1);
}

TEST_CASE("Only SAP's own key counts the lines from 0") {
  CHECK(read(with("\"LineNum\": 0", "\"LineNum\": \"0\"")).orders.at(0).lines.at(0).line_number == 1);
  CHECK(read(with("\"LineNum\": 1,", "\"LineNo\": 10,")).orders.at(0).lines.at(1).line_number == 10);
  CHECK(read(with("\"LineNum\": 0,", "\"LineNum\": 0, \"Position\": 7,")).orders.at(0).lines.at(0).line_number == 1);
}

TEST_CASE("An order whose sums pass the largest amount is refused, however many lines it takes") {
  const std::string most = "90071992547409.91";
  const auto order = [&](std::size_t line_count, const std::string& tail) {
    std::string text = R"({"DocNum": 1, "CardCode": "C1", "DocCurrency": "EUR", "DocumentLines": [)";
    for (std::size_t i = 0; i < line_count; ++i) {
      text += std::string(i == 0 ? "" : ",") + R"({"ItemCode": "X", "Quantity": 1, "RemainingOpenQuantity": 1, "LineTotal": )" + most + "}";
    }
    return text + "]" + tail + "}";
  };
  CHECK(read(order(1, "")).orders.size() == 1);
  check_refused(read(order(2, "")), "the largest amount");
  check_refused(read(order(1100, "")), "the largest amount");
  check_refused(read(order(1, R"(, "VatSum": 0.01)")), "the largest amount");
  check_refused(read(order(1, R"(, "VatSum": -0.01, "TotalExpns": )" + most)), "the largest amount");
  std::string expenses = R"(, "DocumentAdditionalExpenses": [{"LineTotal": )" + most + "}";
  for (int i = 0; i < 1100; ++i) expenses += R"(,{"LineTotal": )" + most + "}";
  check_refused(read(order(0, expenses + "]")), "the largest amount");
}

TEST_CASE("Text that is not whole Unicode is refused") {
  check_refused(read(with("Müller", "M\xFCller")), "UTF-8");
  check_refused(read(with("Müller", "M\\uD800ller")), "");
  check_refused(read(with("Müller", "M\\uDC00ller")), "");
  check_refused(read(with("Müller", "M\xC0\xAFller")), "UTF-8");
}

TEST_CASE("A NUL inside a text is kept whole, in an order number it is refused") {
  const ParsedDocument kept = read(with("Müller", "M\\u0000ller"));
  REQUIRE(kept.orders.size() == 1);
  CHECK(kept.orders[0].customer_name == std::string("M\0ller & Søn", 13));
  check_refused(read(with("\"DocNum\": 43659", "\"DocNum\": \"SO1\\u0000X\"")), "control character");
}

TEST_CASE("A wrong value refuses its order with the line it stands on") {
  const ParsedDocument document = read("[" + with("\"Quantity\": 1,", "\"Quantity\": \"many\",") + "," + with("43659", "5") + "]");
  REQUIRE(document.orders.size() == 1);
  CHECK(document.orders[0].number.text == "5");
  REQUIRE(document.findings.size() == 1);
  CHECK(document.findings[0].order_number == "43659");
  CHECK(document.findings[0].place == "line 8");
  CHECK(document.findings[0].value == "many");
}

TEST_CASE("Any text at all is answered, never a crash") {
  rc::check("random edits of an order", [] {
    std::string text = sap_order;
    const auto edits = *rc::gen::container<std::vector<std::pair<unsigned, char>>>(rc::gen::pair(rc::gen::arbitrary<unsigned>(), rc::gen::arbitrary<char>()));
    for (const auto& [at, c] : edits) text[at % text.size()] = c;
    const ParsedDocument document = read(text);
    RC_ASSERT(document.orders.size() <= 1);
    const auto back = decode_parsed_document(encode(document));
    RC_ASSERT(back.has_value());
    RC_ASSERT(back->orders == document.orders);
  });
}

}  // namespace
}  // namespace millrace::ingest
