#include "erp/mapping.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "erp/mapping_read.h"

namespace millrace::erp {
namespace {

class TwoNames final : public Names {
 public:
  std::string manufacturer_of_item(std::string_view item) const override { return item == "00123" ? maker : ""; }
  std::string salesperson(std::string_view code) const override { return code == "3" ? "Ada" : ""; }
  std::string maker = "Maker & Söhne";
};

// Names [X]; values hand-written. A field that nobody maps (U_Colour, DataVersion) stands among them.
const std::string sap_order = R"({"@odata.etag":"W/\"3\"","DocEntry":3659,"DocNum":43659,"Series":12,"DocType":"dDocument_Items",
 "DocDate":"2026-02-17","DocDueDate":"2026-03-01","TaxDate":"2026-02-17T00:00:00Z","CardCode":"C1","CardName":"Müller & Søn","NumAtCard":"PO-88",
 "DocCurrency":"EUR","DocRate":1.0,"DocTotal":30.75,"DocTotalFc":0.0,"VatSum":4.5,"VatSumFc":0.0,"DocumentStatus":"bost_Open",
 "Cancelled":"tNO","CancelStatus":"csNo","SalesPersonCode":3,"PaymentGroupCode":-1,"Comments":null,"UpdateDate":"2026-02-18",
 "UpdateTime":"06:55:18","U_Colour":"red","DataVersion":3,"DocumentAdditionalExpenses":[{"ExpenseCode":1,"LineTotal":1.25}],
 "DocumentLines":[
  {"LineNum":2,"ItemCode":"1E5","ItemDescription":"Bolt","Quantity":1,"UnitPrice":5.0,"LineTotal":5.0,"RemainingOpenQuantity":1,"LineStatus":"bost_Close"},
  {"LineNum":0,"ItemCode":"00123","Quantity":4.0,"UnitPrice":5.0,"DiscountPercent":0.0,"LineTotal":20.0,"RemainingOpenQuantity":1.0,
   "OpenAmount":5.0,"LineStatus":"bost_Open","ShipDate":"2026-02-25","WarehouseCode":"02.02","MeasureUnit":"pcs","RowTotalFC":0.0}
 ]})";

std::string with(std::string_view what, std::string_view instead, std::string text = sap_order) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), instead);
}

Mapped map(std::string_view json, Dialect dialect = Dialect::sap_b1_v2, StreamName name = StreamName::orders, const Names& names = TwoNames{}) {
  return map_document(dialect, *find_stream(dialect, word(name)), json, names);
}

SalesOrder order_of(const Mapped& mapped) {
  for (const auto& finding : mapped.document.findings) INFO(finding.reason);
  REQUIRE(mapped.document.orders.size() == 1);
  return mapped.document.orders[0];
}

std::string refusal(const Mapped& mapped) {
  CHECK(mapped.document.orders.empty());
  if (mapped.document.findings.empty()) return "";
  const ingest::Finding& finding = mapped.document.findings[0];
  CHECK(finding.outcome == feed::Outcome::reject);
  return finding.place + " | " + finding.reason.substr(0, finding.reason.find(';')) + " | " + finding.value;
}

TEST_CASE("An order of the Service Layer is our order, each amount to the cent") {
  const Mapped mapped = map(sap_order);
  const SalesOrder order = order_of(mapped);
  CHECK(mapped.document.findings.empty());
  CHECK(mapped.open);
  CHECK(mapped.status == "Open");
  CHECK(mapped.kept.empty());
  CHECK(order.number.text == "43659");
  CHECK(order.source_key == "3659");
  CHECK(order.status.empty());
  CHECK(order.document_status == DocumentStatus::open);
  CHECK(order.customer_code == "C1");
  CHECK(order.customer_name == "Müller & Søn");
  CHECK(order.customer_reference == "PO-88");
  CHECK(order.salesperson == "Ada");
  CHECK(order.payment_terms.empty());
  CHECK(order.currency.code() == "EUR");
  CHECK(iso(*order.order_date) == "2026-02-17");
  CHECK(iso(*order.requested_date) == "2026-03-01");
  CHECK(order.tax == 450);
  CHECK(order.freight == 125);
  CHECK(order.document_total == 3075);
  CHECK(utc_seconds(*order.updated) == "2026-02-18 06:55:18");
  CHECK(order.extra == std::vector<std::pair<std::string, std::string>>{{"Series", "12"}});
  REQUIRE(order.lines.size() == 2);
  CHECK(order.lines[0].line_number == 1);
  CHECK(order.lines[0].item_code == "00123");
  CHECK(order.lines[0].manufacturer == "Maker & Söhne");
  CHECK(order.lines[0].warehouse_code == "02.02");
  CHECK(order.lines[0].open_amount == 500);
  CHECK(iso(*order.lines[0].requested_date) == "2026-02-25");
  CHECK(order.lines[0].place == Place{});
  CHECK(order.lines[1].line_number == 3);  // LineNum 2
  CHECK(order.lines[1].item_code == "1E5");
  CHECK(order.lines[1].quantity_open.micros == 0);  // closed by hand while a quantity was open
}

TEST_CASE("A stamp is of the ERP's own clock: shown as the instant it was there, without a part in the hash") {
  const auto berlin = TimeZone::load("Europe/Berlin");
  if (!berlin) return;  // a machine without zone files
  const auto in_berlin = [&](const std::string& json) {
    return map_document(Dialect::sap_b1_v2, *find_stream(Dialect::sap_b1_v2, "orders"), json, TwoNames{}, *berlin);
  };
  CHECK(utc_seconds(*order_of(in_berlin(sap_order)).updated) == "2026-02-18 05:55:18");
  CHECK(utc_seconds(*order_of(in_berlin(with("\"UpdateDate\":\"2026-02-18\"", "\"UpdateDate\":\"2026-07-18T00:00:00Z\""))).updated) == "2026-07-18 04:55:18");
  CHECK(in_berlin(sap_order).hash == map(sap_order).hash);
}

TEST_CASE("The hash says whether a mapped field differs, and nothing else") {
  const ContentHash hash = map(sap_order).hash;
  SUBCASE("spelling of numbers and days, order of fields and lines, unknown fields and stamps do not matter") {
    CHECK(map(with("30.75", "30.750")).hash == hash);
    CHECK(map(with("\"DocTotal\":30.75", "\"DocTotal\":3.075E1")).hash == hash);
    CHECK(map(with("\"DocTotal\":30.75", "\"DocTotal\":30.750000000000001")).hash == hash);  // a printed double
    CHECK(map(with("\"DocDate\":\"2026-02-17\"", "\"DocDate\":\"2026-02-17T00:00:00Z\"")).hash == hash);
    CHECK(map(with("\"U_Colour\":\"red\"", "\"U_Colour\":{\"a\":[1]}")).hash == hash);
    CHECK(map(with("\"DataVersion\":3", "\"DataVersion\":4")).hash == hash);
    CHECK(map(with("06:55:18", "07:00:00")).hash == hash);  // touched, not changed
    CHECK(map(with("\"Comments\":null", "\"Comments\":\"\"")).hash == hash);
    CHECK(map(with("bost_Open", "O")).hash == hash);
    CHECK(map(with(R"({"@odata.etag")", R"({"@odata.context":"x","@odata.etag")")).hash == hash);
    CHECK(map(sap_order, Dialect::sap_b1_v1).hash == hash);
  }
  SUBCASE("every mapped value does") {
    for (const auto& [what, instead] : {std::pair{"30.75", "30.76"}, {"PO-88", "PO-89"}, {"2026-03-01", "2026-03-02"}, {"\"Quantity\":4.0", "\"Quantity\":4.5"},
                                        {"\"Comments\":null", "\"Comments\":\"x\""}, {"pcs", "box"}, {"\"LineNum\":2", "\"LineNum\":3"}}) {
      CAPTURE(what);
      CHECK(map(with(what, instead)).hash != hash);
    }
    TwoNames renamed;
    renamed.maker = "Other";
    CHECK(map(sap_order, Dialect::sap_b1_v2, StreamName::orders, renamed).hash != hash);
  }
}

TEST_CASE("Closed is not cancelled, and neither leaves anything open") {
  const auto says = [](const std::string& json) {
    const Mapped mapped = map(json);
    const SalesOrder order = order_of(mapped);
    std::int64_t open = 0;
    for (const OrderLine& line : order.lines) open += line.open_amount;
    return mapped.status + (mapped.open ? " open " : " ") + (order.cancelled ? "cancelled " : "") + std::to_string(open);
  };
  const auto closed_of = [](std::string text) { return with("\"DocumentStatus\":\"bost_Open\"", "\"DocumentStatus\":\"bost_Close\"", std::move(text)); };
  CHECK(says(sap_order) == "Open open 500");
  CHECK(says(closed_of(sap_order)) == "Closed 0");
  CHECK(says(closed_of(with("\"Cancelled\":\"tNO\"", "\"Cancelled\":\"tYES\""))) == "Cancelled cancelled 0");
  CHECK(says(closed_of(with("csNo", "csYes"))) == "Cancelled cancelled 0");
  // The first line of sap_order says itself that it is open, with something or nothing left.
  for (const std::string& left : {std::string("1.0"), std::string("0.0")}) {
    const SalesOrder closed = order_of(map(closed_of(with("\"RemainingOpenQuantity\":1.0", "\"RemainingOpenQuantity\":" + left))));
    CHECK(closed.lines[0].status == LineStatus::closed);
    CHECK(closed.lines[0].quantity_open.micros == 0);
  }
  CHECK(order_of(map(with("\"RemainingOpenQuantity\":1.0", "\"RemainingOpenQuantity\":0"))).lines[0].status == LineStatus::open);
}

TEST_CASE("A foreign order counts in its own currency, tax and lines too") {
  std::string json = with("\"DocCurrency\":\"EUR\",\"DocRate\":1.0", "\"DocCurrency\":\"R$\",\"DocRate\":0.16");
  json = with("\"DocTotal\":30.75,\"DocTotalFc\":0.0,\"VatSum\":4.5,\"VatSumFc\":0.0", "\"DocTotal\":4.92,\"DocTotalFc\":30.75,\"VatSum\":0.72,\"VatSumFc\":4.5", json);
  json = with("{\"ExpenseCode\":1,\"LineTotal\":1.25}", "{\"ExpenseCode\":1,\"LineTotal\":0.2,\"LineTotalFC\":1.25}", json);
  json = with("\"LineTotal\":5.0,", "\"LineTotal\":0.8,\"RowTotalFC\":5.0,", json);
  json = with("\"LineTotal\":20.0", "\"LineTotal\":3.2", json);
  json = with("\"OpenAmount\":5.0", "\"OpenAmount\":0.8,\"OpenAmountFC\":5.0", json);
  json = with("\"RowTotalFC\":0.0", "\"RowTotalFC\":20.0", json);
  const Mapped mapped = map(json);
  const SalesOrder order = order_of(mapped);
  CHECK(mapped.document.findings.empty());
  CHECK(order.currency.code() == "BRL");
  CHECK(order.document_total == 3075);
  CHECK(order.tax == 450);
  CHECK(order.freight == 125);
  CHECK(order.lines[0].line_total == 2000);
  CHECK(order.lines[0].open_amount == 500);
  CHECK(order.extra == std::vector<std::pair<std::string, std::string>>{{"Series", "12"}, {"DocRate", "0.16"}});
}

TEST_CASE("A price after discount is not discounted again") {
  const SalesOrder order = order_of(map(with("\"UnitPrice\":5.0,\"DiscountPercent\":0.0", "\"Price\":5.0,\"DiscountPercent\":50")));
  CHECK(order.lines[0].discount.micros == 0);
  CHECK(order.lines[0].line_total == 2000);
}

TEST_CASE("What cannot be read exactly is said with key, field and value, and the document adds nothing") {
  CHECK(refusal(map(with("\"DocTotal\":30.75", "\"DocTotal\":\"n/a\""))) == "DocEntry 3659 | the field 'DocTotal': 'n/a' is not a number that can be read exactly | n/a");
  CHECK(refusal(map(with("2026-03-01", "01.03.26"))) == "DocEntry 3659 | the field 'DocDueDate': '01.03.26' is not a date | 01.03.26");
  CHECK(refusal(map(with("\"Quantity\":4.0", "\"Quantity\":{}"))) ==
        "DocEntry 3659, LineNum 0 | the field 'Quantity': it holds a list or an object where a plain value belongs | ");
  CHECK(refusal(map(with("\"LineNum\":2", "\"LineNum\":0"))) == "DocEntry 3659 | the field 'LineNum': two lines have the same one, 0 | 0");
  CHECK(refusal(map(with("\"DocumentStatus\":\"bost_Open\"", "\"DocumentStatus\":\"bost_New\""))) ==
        "DocEntry 3659 | the field 'DocumentStatus': 'bost_New' is no status we know | bost_New");
  CHECK(refusal(map(with("\"DocumentStatus\":\"bost_Open\",", ""))).find("nobody can tell whether it is open") != std::string::npos);
  CHECK(refusal(map(with("\"Cancelled\":\"tNO\"", "\"Cancelled\":\"maybe\""))).find("neither yes nor no") != std::string::npos);
  CHECK(refusal(map(with("\"DocEntry\":3659", "\"DocEntry\":3659,\"DocNum\":1"))).find("it stands twice in the document") != std::string::npos);
  CHECK(refusal(map(with("\"EUR\"", "\"Taler\""))).find("the currency is not known") != std::string::npos);
  CHECK(refusal(map(with("DocumentLines", "Rows"))).find("the document came without it") != std::string::npos);
  CHECK(refusal(map("{\"DocEntry\":1,")).find("not valid JSON") != std::string::npos);
  CHECK(refusal(map("7")) != "");
  CHECK(map(with("\"DocTotal\":30.75", "\"DocTotal\":\"n/a\"")).document.findings[0].order_number == "43659");
}

TEST_CASE("A total that disagrees is shown with the line it stands on and the order counts") {
  const Mapped mapped = map(with("\"LineTotal\":20.0", "\"LineTotal\":21.0"));
  REQUIRE(mapped.document.orders.size() == 1);
  REQUIRE_FALSE(mapped.document.findings.empty());
  CHECK(mapped.document.findings[0].outcome == feed::Outcome::ingest_and_flag);
  CHECK(mapped.document.findings[0].place == "DocEntry 3659, LineNum 0");
}

TEST_CASE("An order of Business Central is read with its shipped quantities") {
  const Mapped mapped = map(R"({"@odata.etag":"W/\"1\"","id":"5d115c9c-44e3-ea11-bb43-000d3a2feabf","number":"S-ORD101001","orderDate":"2026-01-27",
    "requestedDeliveryDate":"0001-01-01","customerNumber":"10000","customerName":"Adatum","externalDocumentNumber":"PO-1","currencyCode":"USD",
    "totalTaxAmount":0,"totalAmountIncludingTax":400.5,"status":"Draft","fullyShipped":false,"salesperson":"PS","lastModifiedDateTime":"2026-01-27T09:01:02.3Z",
    "salesOrderLines":[{"id":"x","sequence":10000,"lineObjectNumber":"1896-S","description":"Desk","quantity":4,"shippedQuantity":1,"unitPrice":100.125,
    "discountPercent":0,"amountExcludingTax":400.5,"unitOfMeasureCode":"PCS","shipmentDate":"2026-02-01"}]})", Dialect::odata_v4);
  const SalesOrder order = order_of(mapped);
  CHECK(mapped.document.findings.empty());
  CHECK(order.number.text == "S-ORD101001");
  CHECK(order.source_key == "5d115c9c-44e3-ea11-bb43-000d3a2feabf");
  CHECK_FALSE(order.requested_date.has_value());
  CHECK(order.salesperson == "PS");
  CHECK(order.lines[0].line_number == 10000);
  CHECK(order.lines[0].quantity_open.micros == 3'000'000);
  CHECK(order.lines[0].open_amount == 30038);
  CHECK(order.extra == std::vector<std::pair<std::string, std::string>>{{"Status", "Draft"}});
  CHECK(mapped.status == "Open");
}

TEST_CASE("Other streams keep their mapped fields in our words") {
  const Mapped item = map(R"({"ItemCode":"00123","ItemName":"Bolt \"M8\"","Manufacturer":7,"QuantityOnStock":12.50,"Valid":"tYES","U_X":1,"UpdateDate":"2026-01-01"})",
                          Dialect::sap_b1_v2, StreamName::items);
  CHECK(item.kept == R"({"code":"00123","name":"Bolt \"M8\"","manufacturer":"7","stock":12.5,"valid":"Y"})");
  CHECK(kept_field(item.kept, "manufacturer") == "7");
  CHECK(kept_field(item.kept, "name") == "Bolt \"M8\"");
  CHECK(kept_field(item.kept, "nothing").empty());
  CHECK(item.document.orders.empty());
  const Mapped maker = map(R"({"Code":-1,"ManufacturerName":"- No Manufacturer -"})", Dialect::sap_b1_v2, StreamName::manufacturers);
  CHECK(maker.kept == R"({"code":"-1","name":"- No Manufacturer -"})");
  const Mapped invoice = map(R"({"DocEntry":5,"DocNum":9,"DocCurrency":"USD","DocTotal":90,"DocTotalFc":100,"PaidToDate":9,"PaidToDateFC":10,"DocumentStatus":"bost_Open","Cancelled":"tNO","DocumentLines":[]})",
                             Dialect::sap_b1_v2, StreamName::invoices);
  CHECK(invoice.kept == R"({"source_key":"5","number":"9","currency":"USD","document_total":100,"paid":10,"status":"open","lines":[],"instalments":[]})");
  CHECK(invoice.open);
  const Mapped work = map(R"({"AbsoluteEntry":3,"DocumentNumber":4,"ItemNo":"P","ProductionOrderStatus":"boposReleased","PlannedQuantity":10,"DueDate":"2026-02-01",
    "ProductionOrderLines":[{"LineNumber":0,"ItemNo":"R","PlannedQuantity":5},{"LineNumber":1,"ItemNo":"Q","PlannedQuantity":20}]})",
                          Dialect::sap_b1_v2, StreamName::production_orders);
  CHECK(work.kept == R"({"source_key":"3","number":"4","item_code":"P","status":"released","quantity_planned":10,"due_date":"2026-02-01",)"
                     R"("lines":[{"line":"0","item_code":"R","quantity_planned":5},{"line":"1","item_code":"Q","quantity_planned":20}]})");
  CHECK(work.status == "Released");
  CHECK(refusal(map(R"({"ItemCode":"A","QuantityOnStock":"many"})", Dialect::sap_b1_v2, StreamName::items)).starts_with("ItemCode A | "));
}

TEST_CASE("Amounts are read from their text and rounded half away from zero at six places") {
  const auto amount = [](std::string_view text) {
    std::string why;
    const Cell cell = canonical(FieldKind::amount, text, why);
    return why.empty() ? cell.value_or("") : "refused";
  };
  CHECK(amount("128.70") == "128.7");
  CHECK(amount("0.30000000000000004") == "0.3");
  CHECK(amount("-0.0000005") == "-0.000001");
  CHECK(amount("1.25E-3") == "0.00125");
  CHECK(amount("1.2345678901234567E-5") == "0.000012");
  CHECK(amount("1.0E7") == "10000000");
  CHECK(amount("1234567890123.45") == "1234567890123.45");
  CHECK(amount("99999999999999999999") == "refused");
  CHECK(amount("1,5") == "refused");
  CHECK(amount("NaN") == "refused");
  rc::check([&](std::int32_t whole, std::uint16_t part) {
    const std::string text = std::to_string(whole) + "." + std::to_string(part);
    std::string zeros = text + "000";
    RC_ASSERT(amount(text) == amount(zeros));
    RC_ASSERT(amount(amount(text)) == amount(text));
  });
}

TEST_CASE("Whatever a service calls a document, it is mapped or refused") {
  rc::check([](const std::string& any) {
    for (const StreamName name : {StreamName::orders, StreamName::items}) {
      const Mapped mapped = map(any, Dialect::sap_b1_v2, name);
      RC_ASSERT(mapped.document.orders.size() + mapped.document.findings.size() > 0);
    }
  });
}

}  // namespace
}  // namespace millrace::erp
