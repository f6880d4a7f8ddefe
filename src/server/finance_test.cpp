// Finance documents over HTTP: the JSON that goes out comes back, files are previewed, and refusals say what to do.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "server/internal/finance_json.h"
#include "server/test_plant.h"
#include "testing/arbitrary_finance.h"

namespace millrace::server {
namespace {

// Any document that may be written: with a currency, texts without blanks around them, numbers as a person counts.
FinanceDocument writable() {
  FinanceDocument document = *testing::arbitrary_finance_document();
  for (std::string* text : {&document.party_code, &document.party_name, &document.reference, &document.category, &document.account, &document.salesperson, &document.country, &document.terms, &document.comment, &document.number})
    *text = std::string(trim(printable(*text)));
  document.source = document.source_key = document.origin = "";
  document.place = {};
  const auto currency = [] { return *Currency::parse(*rc::gen::element<std::string>("EUR", "JPY", "KWD")); };
  const auto amount = [] { return *rc::gen::inRange<std::int64_t>(-amount_max, amount_max); };
  document.currency = currency();
  document.amount = amount(), document.tax = amount();
  for (Instalment& part : document.instalments) part.amount = amount();
  for (FinanceLine& line : document.lines) {
    line.amount = amount();
    line.quantity.micros = *rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 1'000'000'000'000);
    line.order.text = std::string(trim(printable(line.order.text)));
    line.text = std::string(trim(printable(line.text)));
    if (line.order_line) line.order_line = *rc::gen::inRange(0, 1'000'000);
  }
  for (Allocation& part : document.allocations) {
    part.amount = amount();
    part.number = std::string(trim(printable(part.number)));
    if (part.currency == document.currency) part.currency = Currency();
  }
  document.rate.reset();
  if (document.kind == FinanceKind::rate) {
    document.rate = ExchangeRate{*Currency::parse("USD"), *Currency::parse("EUR"), *rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000)};
    document.number = "USD/EUR";
  }
  return document;
}

TEST_CASE("A finance document that goes out as JSON and is sent back is the same document") {
  CHECK(rc::check("round trip", [] {
    const FinanceDocument document = writable();
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_finance_fields(json, document);
    json.end_object();
    const auto back = parse_finance_document(text, document.kind, finance_key(document));
    if (!back) RC_FAIL(back.error().text() + "\n" + text);
    RC_ASSERT(*back == document);
  }));
}

TEST_CASE("An amount is exact: in major units as a text, or in minor units; anything else is refused by its name") {
  const auto read = [](const std::string& json) -> std::string {
    const auto document = parse_finance_document(json, FinanceKind::cost, "C-1");
    return document ? decimal_text(Money{document->amount, document->currency}) + " " + document->currency.code() : document.error().text();
  };
  CHECK(read(R"({"amount":"120.50","currency":"EUR"})") == "120.50 EUR");
  CHECK(read(R"({"amount":"120","currency":"KWD"})") == "120.000 KWD");
  CHECK(read(R"({"amount":{"minor":12050,"currency":"EUR"}})") == "120.50 EUR");
  CHECK(read(R"({"tax":"1.5","amount":{"minor":12050,"currency":"EUR"}})") == "120.50 EUR");
  CHECK(read(R"({"amount":"120.505","currency":"EUR"})") == "\"amount\" has more decimals than EUR has.");
  CHECK(read(R"({"amount":"1,5","currency":"EUR"})") == "\"amount\" is an amount with a point before its decimals, like \"120.50\".");
  CHECK(read(R"({"amount":120.5,"currency":"EUR"})") == "\"amount\" is an amount: a text like \"120.50\", or {\"minor\": 12050, \"currency\": \"EUR\"}.");
  CHECK(read(R"({"amount":{"minor":1,"currency":"USD"},"currency":"EUR"})") == "\"amount\" is in USD and the document in EUR; all amounts of one document have its currency.");
  CHECK(read(R"({"amount":{"minor":9007199254740993,"currency":"EUR"}})").starts_with("\"amount\" is a whole number between"));
  CHECK(read(R"({"posted":"2026-02-30"})") == "\"posted\" is a day like 2026-11-23.");
  CHECK(read(R"({"colour":"red"})") == "\"colour\" is no field of a finance document.");
  CHECK(read(R"({"kind":"bill"})") == "\"kind\" is not the cost of the address.");
  CHECK(read(R"({"number":"C-2"})") == "\"number\" is not the \"C-1\" of the address; a document keeps its number.");
  CHECK(read("[]") == "A JSON object is expected, {...}.");
}

TEST_CASE("A document is made, changed by its version and removed; who is late sees what stands") {
  TestPlant plant;
  const std::string json = "Content-Type: application/json\r\n";
  const std::string cost = R"({"posted":"2026-03-01","category":"Rent","amount":"9.00","currency":"EUR"})";
  const auto made = ask(plant.address, "PUT", "/api/v1/finance/cost/C-18", json, cost);
  CHECK(made.status == 201);
  const std::string tag = made.header("etag");
  CHECK(ask(plant.address, "PUT", "/api/v1/finance/cost/C-18", json, cost).status == 428);
  CHECK(ask(plant.address, "PUT", "/api/v1/finance/cost/C-18", json + "If-Match: " + tag + "\r\n", R"({"posted":"2026-03-01","category":"Rent","amount":"10.00","currency":"EUR"})").status == 200);
  const auto late = ask(plant.address, "PUT", "/api/v1/finance/cost/C-18", json + "If-Match: " + tag + "\r\n", cost);
  CHECK(late.status == 412);
  CHECK(late.body.find("\"current\":{\"kind\":\"cost\",\"key\":\"C-18\"") != std::string::npos);
  CHECK(late.body.find("\"minor\":1000") != std::string::npos);
  CHECK(ask(plant.address, "DELETE", "/api/v1/finance/cost/C-18", "").status == 428);
  CHECK(ask(plant.address, "DELETE", "/api/v1/finance/cost/C-18", "If-Match: " + late.header("etag") + "\r\n").status == 200);
  CHECK(plant.get("/api/v1/finance/cost/C-18").status == 404);
  CHECK(plant.get("/api/v1/finance/costs/C-18").status == 404);
  CHECK(plant.get("/api/v1/finance?kind=costs").status == 400);
  CHECK(plant.get("/api/v1/finance?kind=cost&from=tomorrow").status == 400);
  CHECK(plant.get("/api/v1/finance?kind=cost&cursor=x").status == 400);
}

TEST_CASE("A preview names every doubtful cell, and what is asked for wrongly is said") {
  TestPlant plant;
  const std::string file = "Date,Category,Amount\n03/04/2026,Rent,9.00\n2026-03-05,Fuel,x\n";
  const auto preview = ask(plant.address, "POST", "/api/v1/finance/import?kind=cost&preview=1&currency=EUR", "Content-Type: text/csv\r\n", file);
  CHECK(preview.status == 200);
  CHECK(preview.body.find(R"("cells":[{"field":"posted","text":"03/04/2026","value":"2026-04-03","doubt":"could be 4 March 2026"})") != std::string::npos);
  CHECK(preview.body.find(R"("counts":{"new":0,"changed":0,"same":0,"doubtful":1,"refused":1,"skipped":0})") != std::string::npos);
  const auto mapped = ask(plant.address, "POST", "/api/v1/finance/import?kind=cost&preview=1&currency=EUR&date=mdy&map=comment:Category&map=category:B", "", file);
  CHECK(mapped.body.find("\"value\":\"2026-03-04\"") != std::string::npos);
  for (const std::string_view wrong : {"kind=costs&preview=1", "kind=cost", "preview=p1&apply=2", "preview=1&date=german", "preview=1&decimal=x", "preview=1&map=posted", "preview=1&currency=money", "preview=1&header_row=first", "preview=1&colour=red"})
    CHECK_MESSAGE(ask(plant.address, "POST", "/api/v1/finance/import?" + std::string(wrong), "", file).status == 400, wrong);
  CHECK(ask(plant.address, "POST", "/api/v1/finance/import?apply=1&preview=p1", "").status == 200);
  CHECK(ask(plant.address, "POST", "/api/v1/finance/import?apply=1&preview=p9", "").status == 404);
  const auto refused = ask(plant.address, "POST", "/api/v1/finance/imports/i2/undo", "");
  CHECK(refused.status == 409);
  CHECK(refused.body.find(R"("conflicts":[{"number":"C-17","text":"cost C-17 was changed since the import"}])") != std::string::npos);
}

}  // namespace
}  // namespace millrace::server
