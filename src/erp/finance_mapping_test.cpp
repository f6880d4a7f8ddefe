#include "erp/finance_mapping.h"

#include <doctest/doctest.h>

#include "erp/mapping.h"

namespace millrace::erp {
namespace {

class NoNames final : public Names {
 public:
  std::string manufacturer_of_item(std::string_view) const override { return ""; }
  std::string salesperson(std::string_view) const override { return ""; }
};

// Knows order 7 and the invoices 11 (in euros) and 12 (in dollars).
class TestNames final : public PaperNames {
 public:
  Result<std::optional<Paper>> paper(StreamName, std::string_view key) override {
    if (key == "11") return std::optional(Paper{"9001", *Currency::parse("EUR")});
    if (key == "12") return std::optional(Paper{"9002", *Currency::parse("USD")});
    return std::optional<Paper>();
  }
  Result<std::string> order(std::string_view key) override { return std::string(key == "7" ? "40007" : ""); }
  Result<std::string> number(FinanceKind, const std::string& number, const std::string&) override { return number; }
};

// What the documents of a row say, one a line.
std::string documents(std::string_view json, StreamName stream, Dialect dialect = Dialect::sap_b1_v2, bool paid_from_invoice = false) {
  const StreamDescriptor& of = *find_stream(dialect, word(stream));
  const Mapped mapped = map_document(dialect, of, json, NoNames{});
  REQUIRE(mapped.document.findings.empty());
  TestNames names;
  const auto paper = map_paper({"sap", of, "11", mapped.kept, Day(std::chrono::year(2026) / 4 / 2), paid_from_invoice}, names);
  REQUIRE(paper);
  std::string out;
  for (const FinanceDocument& document : paper->documents) {
    const auto money = [&](std::int64_t minor) { return " " + decimal_text(Money{minor, document.currency}); };
    out += std::string(word(document.kind)) + " " + document.number + " " + document.party_code + " " + document.currency.code() + money(document.amount);
    if (document.tax != 0) out += " tax" + money(document.tax);
    if (document.posted) out += " posted " + iso(*document.posted);
    for (const Instalment& part : document.instalments) out += " due " + (part.due ? iso(*part.due) : "-") + money(part.amount);
    if (document.instalments.empty() && document.due) out += " due " + iso(*document.due);
    for (const FinanceLine& line : document.lines)
      out += " | " + line.order.text + "/" + (line.order_line ? std::to_string(*line.order_line) : "-") + " " + decimal_text(line.quantity) + money(line.amount);
    for (const Allocation& part : document.allocations)
      out += " settles " + part.number + "#" + std::to_string(part.instalment) + money(part.amount) + " " + part.currency.code();
    out += std::string(document.closed ? " closed" : "") + (document.cancelled ? " cancelled" : "") + "\n";
  }
  for (const std::string& awaited : paper->awaited) out += "awaits " + awaited + "\n";
  return out + paper->refusal;
}

std::string with(std::string text, std::string_view what, std::string_view instead) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), instead);
}

const std::string sap_invoice = R"({"DocEntry":11,"DocNum":9001,"CardCode":"C1","CardName":"Smith","NumAtCard":"PO-1","DocDate":"2026-03-01",
  "DocDueDate":"2026-03-31","DocCurrency":"EUR","DocTotal":59.50,"DocTotalFc":0,"VatSum":9.5,"VatSumFc":0,"PaidToDate":20,"PaidToDateFC":0,
  "DocumentStatus":"bost_Open","Cancelled":"tNO","CancelStatus":"csNo","DocumentInstallments":[],"DocumentLines":[
  {"LineNum":0,"ItemDescription":"Bolt","Quantity":4,"LineTotal":50,"RowTotalFC":0,"BaseType":17,"BaseEntry":7,"BaseLine":0}]})";

TEST_CASE("An invoice of the Service Layer says what it is, when it is due and which order lines it invoices") {
  const std::string whole = "invoice 9001 C1 EUR 59.50 tax 9.50 posted 2026-03-01 due 2026-03-31 59.50 | 40007/1 4 50.00";
  const auto says = [](std::string_view what, std::string_view instead) { return documents(with(sap_invoice, what, instead), StreamName::invoices); };
  CHECK(documents(sap_invoice, StreamName::invoices) == whole + "\n");
  CHECK(says("bost_Open", "bost_Close") == whole + " closed\n");
  CHECK(says("\"Cancelled\":\"tNO\"", "\"Cancelled\":\"tYES\"") == whole + " cancelled\n");
  CHECK(says("csNo", "csCancellation") == whole + " cancelled\n");
  CHECK(says("\"BaseEntry\":7", "\"BaseEntry\":8").ends_with(" | /- 4 50.00\n"));     // an order we do not have
  CHECK(says("\"BaseType\":17", "\"BaseType\":15").ends_with(" | /- 4 50.00\n"));     // a delivery note
  CHECK(says("\"DocumentInstallments\":[]", R"("DocumentInstallments":[{"DueDate":"2026-03-31","Total":20},{"DueDate":"2026-04-30","Total":39.5}])")
            .find("due 2026-03-31 20.00 due 2026-04-30 39.50") != std::string::npos);
  CHECK(says("\"DocumentInstallments\":[]", R"("DocumentInstallments":[{"DueDate":"2026-04-30","Total":20}])").find("due 2026-03-31 59.50") != std::string::npos);
  CHECK(says("\"DocDate\":\"2026-03-01\",", "") == "The invoice 9001 has no posting day; give it one.");
  CHECK(says("\"EUR\"", "\"Taler\"") == "the currency Taler is not known");
  CHECK(documents(sap_invoice, StreamName::invoices, Dialect::sap_b1_v1) == whole + "\n");
}

TEST_CASE("A foreign invoice counts in its own currency") {
  std::string json = with(sap_invoice, "\"DocCurrency\":\"EUR\",\"DocTotal\":59.50,\"DocTotalFc\":0", "\"DocCurrency\":\"US$\",\"DocTotal\":50,\"DocTotalFc\":59.5");
  json = with(with(json, "\"VatSum\":9.5,\"VatSumFc\":0", "\"VatSum\":8,\"VatSumFc\":9.5"), "\"RowTotalFC\":0", "\"RowTotalFC\":50");
  CHECK(documents(json, StreamName::invoices) == "invoice 9001 C1 USD 59.50 tax 9.50 posted 2026-03-01 due 2026-03-31 59.50 | 40007/1 4 50.00\n");
}

TEST_CASE("A payment settles the invoices it names; the rest is on account, and what is not here yet is awaited") {
  const auto payment = [](const std::string& invoices) {
    return documents(R"({"DocEntry":5,"DocNum":305,"CardCode":"C1","DocDate":"2026-03-20","DocCurrency":"EUR","CashSum":5,"TransferSum":30.5,"Cancelled":"tNO",
                       "PaymentInvoices":[)" + invoices + "]}", StreamName::payments);
  };
  const std::string head = "payment 305 C1 EUR 35.50 posted 2026-03-20";
  CHECK(payment("") == head + "\n");
  CHECK(payment(R"({"DocEntry":11,"InvoiceType":"it_Invoice","SumApplied":20,"InstallmentId":2})") == head + " settles 9001#2 20.00 \n");
  CHECK(payment(R"({"DocEntry":12,"InvoiceType":"it_Invoice","SumApplied":20})") == head + " settles 9002#0 20.00 USD\n");
  CHECK(payment(R"({"DocEntry":13,"InvoiceType":"it_Invoice","SumApplied":20})") == head + "\nawaits invoices 13\n");
  CHECK(payment(R"({"DocEntry":11,"InvoiceType":"it_DownPayment","SumApplied":20})") == head + "\n");
  // paid by a cheque, which is in none of the sums
  CHECK(payment(R"({"DocEntry":11,"InvoiceType":"it_Invoice","SumApplied":50})") == "payment 305 C1 EUR 50.00 posted 2026-03-20 settles 9001#0 50.00 \n");
}

TEST_CASE("A purchase order counts with what is not received yet and its share of the tax") {
  const auto order = [](const std::string& status, const std::string& line) {
    return documents(R"({"DocEntry":7,"DocNum":800,"CardCode":"V1","CardName":"Steel","DocDate":"2026-02-20","DocDueDate":"2026-03-20","DocCurrency":"EUR",
                       "DocTotal":119,"DocumentStatus":")" + status + R"(","Cancelled":"tNO","DocumentLines":[{"LineNum":0,"Quantity":3,"LineTotal":100,)" + line + "}]}",
                     StreamName::purchase_orders);
  };
  const std::string days = " posted 2026-02-20 due 2026-03-20";
  CHECK(order("bost_Open", R"("RemainingOpenQuantity":3)") == "purchase_order 800 V1 EUR 119.00" + days + "\n");
  // 33.33 of the line are open, rounded as open amounts of orders are
  CHECK(order("bost_Open", R"("RemainingOpenQuantity":1)") == "purchase_order 800 V1 EUR 39.66" + days + "\n");
  CHECK(order("bost_Open", R"("RemainingOpenQuantity":1,"LineStatus":"bost_Close")") == "purchase_order 800 V1 EUR 0.00" + days + "\n");
  CHECK(order("bost_Close", R"("RemainingOpenQuantity":1)") == "purchase_order 800 V1 EUR 119.00" + days + " closed\n");
}

TEST_CASE("An invoice of Business Central is paid by what it says is left of it, and a draft is none") {
  const auto invoice = [](std::string_view status, std::string_view open) {
    return documents(R"({"id":"5d11","number":"S-INV-1","customerNumber":"10000","customerName":"Adatum","invoiceDate":"2026-03-01","dueDate":"2026-03-31",
                       "currencyCode":"USD","orderNumber":"S-ORD-1","totalTaxAmount":19,"totalAmountIncludingTax":119,"remainingAmount":)" +
                         std::string(open) + R"(,"status":")" + std::string(status) + "\"}",
                     StreamName::invoices, Dialect::odata_v4, true);
  };
  const std::string whole = "invoice S-INV-1 10000 USD 119.00 tax 19.00 posted 2026-03-01 due 2026-03-31 119.00 | S-ORD-1/- 0 100.00";
  const auto paid = [](const std::string& amount) { return "payment S-INV-1 paid 10000 USD " + amount + " posted 2026-04-02 settles S-INV-1#0 " + amount + " \n"; };
  CHECK(invoice("Open", "119") == whole + "\n");
  CHECK(invoice("Open", "100.50") == whole + "\n" + paid("18.50"));
  CHECK(invoice("Paid", "0") == whole + " closed\n" + paid("119.00"));
  CHECK(invoice("Canceled", "0") == whole + " cancelled\n");
  CHECK(invoice("Draft", "119") == "");
}

TEST_CASE("A purchase order of Business Central is closed when all is received") {
  const auto order = [](std::string_view received, std::string_view all) {
    return documents(R"({"id":"5d11","number":"PO-1","vendorNumber":"V1","vendorName":"Steel","orderDate":"2026-02-20","requestedReceiptDate":"2026-03-20","currencyCode":"EUR",
                       "totalAmountIncludingTax":100,"fullyReceived":)" + std::string(all) + R"(,"purchaseOrderLines":[{"sequence":10000,"quantity":4,"receivedQuantity":)" +
                         std::string(received) + R"(,"amountExcludingTax":100}]})",
                     StreamName::purchase_orders, Dialect::odata_v4);
  };
  CHECK(order("1", "false") == "purchase_order PO-1 V1 EUR 75.00 posted 2026-02-20 due 2026-03-20\n");
  CHECK(order("4", "true") == "purchase_order PO-1 V1 EUR 100.00 posted 2026-02-20 due 2026-03-20 closed\n");
}

TEST_CASE("What the record keeps of a paper is read again as it was written, or called corrupt") {
  TestNames names;
  const StreamDescriptor& of = *find_stream(Dialect::sap_b1_v2, "invoices");
  const auto damaged = map_paper({"sap", of, "11", "{\"number\":", std::nullopt, false}, names);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code() == ErrorCode::corrupt);
}

}  // namespace
}  // namespace millrace::erp
