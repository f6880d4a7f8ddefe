#include "domain/money.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <vector>

using namespace millrace;

namespace {

Currency currency(std::string_view code) { return *Currency::parse(code); }

std::string money(std::string_view amount, std::string_view code) {
  const auto value = to_money(*parse_decimal(amount), currency(code));
  return value ? decimal_text(*value) : "refused";
}

}  // namespace

TEST_CASE("The number of decimals comes from the currency, never from the text") {
  CHECK(money("84119.91", "EUR") == "84119.91");
  CHECK(money("12", "EUR") == "12.00");
  CHECK(money("1200", "JPY") == "1200");
  CHECK(money("1200.4", "JPY") == "1200");
  CHECK(money("1.2345", "KWD") == "1.235");
  CHECK(currency("CLF").decimals() == 4);
  CHECK(currency("USD").decimals() == 2);
}

TEST_CASE("Amounts are rounded half away from zero to the currency's decimals") {
  CHECK(money("0.005", "EUR") == "0.01");
  CHECK(money("-0.005", "EUR") == "-0.01");
  CHECK(money("0.0049999", "EUR") == "0.00");
  CHECK(money("-0.5", "JPY") == "-1");
}

TEST_CASE("Amounts a browser could not read exactly are refused") {
  CHECK(money("90071992547409.91", "EUR") == "90071992547409.91");
  CHECK(money("90071992547409.92", "EUR") == "refused");
  CHECK(money("-90071992547409.92", "EUR") == "refused");
}

TEST_CASE("A currency is three capital letters") {
  CHECK(currency("EUR").code() == "EUR");
  CHECK(Currency().empty());
  CHECK(Currency().code() == "");
  for (const char* bad : {"", "EU", "EURO", "eur", "E1R", "\xE2\x82\xAC"})
    CHECK_FALSE(Currency::parse(bad).has_value());
  CHECK(Currency::from_packed(currency("CHF").packed()) == currency("CHF"));
  CHECK(Currency::from_packed(0).empty());
  CHECK(currency("CHF") < currency("EUR"));
}

TEST_CASE("Words of the source systems name a currency when they can mean only one") {
  const std::map<std::string_view, std::string_view> words{{"EUR", "EUR"},          {"eur", "EUR"}, {" Eur ", "EUR"},
                                                           {"\xE2\x82\xAC", "EUR"}, {"R$", "BRL"},  {"US$", "USD"},
                                                           {"\xC2\xA3", "GBP"}};
  for (const auto& [word, code] : words) {
    CAPTURE(word);
    REQUIRE(Currency::from_source_word(word).has_value());
    CHECK(Currency::from_source_word(word)->code() == code);
  }
  for (const char* unclear : {"$", "kr", "", "Euros are", "##"}) {
    CAPTURE(unclear);
    CHECK_FALSE(Currency::from_source_word(unclear).has_value());
  }
}

TEST_CASE("Amounts of one currency add and subtract") {
  const Currency eur = currency("EUR");
  CHECK(Money{150, eur} + Money{-50, eur} == Money{100, eur});
  CHECK(Money{150, eur} - Money{200, eur} == Money{-50, eur});
}

TEST_CASE("Sums of many currencies stay apart and come sorted by currency") {
  MoneyByCurrency sums;
  sums.add({100, currency("USD")});
  sums.add({250, currency("EUR")});
  sums.add({1, currency("USD")});
  sums.subtract({50, currency("EUR")});
  CHECK(sums.sums() == std::vector<Money>{{200, currency("EUR")}, {101, currency("USD")}});
}

TEST_CASE("The sum per currency does not depend on the order of adding") {
  CHECK(rc::check("MoneyByCurrency", [] {
    const std::vector<Currency> known{currency("EUR"), currency("JPY"), currency("USD"), currency("CHF")};
    const auto entries = *rc::gen::container<std::vector<std::pair<std::int32_t, std::size_t>>>(
        rc::gen::pair(rc::gen::arbitrary<std::int32_t>(), rc::gen::inRange<std::size_t>(0, known.size())));
    MoneyByCurrency forward, backward;
    std::map<Currency, std::int64_t> expected;
    for (const auto& [minor, which] : entries) forward.add({minor, known[which]}), expected[known[which]] += minor;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
      backward.add({entry->first, known[entry->second]});
    RC_ASSERT(forward.sums() == backward.sums());
    std::vector<Money> wanted;
    for (const auto& [code, minor] : expected) wanted.push_back({minor, code});
    RC_ASSERT(forward.sums() == wanted);
  }));
}
