#include "domain/finance_codec.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "testing/arbitrary_finance.h"

using namespace millrace;

TEST_CASE("A finance document comes back from its record exactly as it went in") {
  CHECK(rc::check("round trip", [] {
    const FinanceDocument document = *testing::arbitrary_finance_document();
    const std::string bytes = encode(document);
    const auto again = decode_finance_document(bytes);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == document);
    RC_ASSERT(encode(*again) == bytes);
  }));
  CHECK(decode_finance_document(encode(FinanceDocument{})) == FinanceDocument{});
}

TEST_CASE("A finance record that was cut anywhere is corrupt, and so is one with bytes too many") {
  CHECK(rc::check("cut", [] {
    const std::string bytes = encode(*testing::arbitrary_finance_document());
    const auto cut = decode_finance_document(std::string_view(bytes).substr(0, *rc::gen::inRange<std::size_t>(0, bytes.size())));
    RC_ASSERT(!cut.has_value());
    RC_ASSERT(cut.error().code() == ErrorCode::corrupt);
    RC_ASSERT(!decode_finance_document(bytes + '\0').has_value());
  }));
}

TEST_CASE("A finance record with changed bytes is corrupt or reads as some document, and never crashes") {
  CHECK(rc::check("changed bytes", [] {
    std::string bytes = encode(*testing::arbitrary_finance_document());
    const auto changes = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
        rc::gen::pair(rc::gen::inRange<std::size_t>(0, bytes.size()), rc::gen::arbitrary<char>()));
    for (const auto& [at, byte] : changes) bytes[at] = byte;
    const auto document = decode_finance_document(bytes);
    if (document) RC_ASSERT(decode_finance_document(encode(*document)).value() == *document);
  }));
}

TEST_CASE("An ordinary invoice takes little room in the record") {
  FinanceDocument invoice;
  invoice.source = "sap";
  invoice.number = "9001";
  invoice.party_code = "C1001";
  invoice.party_name = "ACME Tools";
  invoice.currency = *Currency::parse("EUR");
  invoice.posted = parse_iso_day("2026-11-01");
  invoice.due = parse_iso_day("2026-12-01");
  invoice.amount = 119'000;
  invoice.tax = 19'000;
  invoice.lines = {{{"43659"}, 1, {4 * micros_per_one}, 100'000, ""}};
  CHECK(encode(invoice).size() < 80);
}
