#include "domain/exchange.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

using namespace millrace;

namespace {

Currency currency(std::string_view code) { return *Currency::parse(code); }
Day day(std::string_view text) { return *parse_iso_day(text); }
std::int64_t rate(std::string_view text) { return *scaled(*parse_decimal(text), rate_digits); }

struct Table {
  RateTable rates;
  Table& with(std::string_view pair, std::string_view value, std::string_view since) {
    const bool added = rates.add({currency(pair.substr(0, 3)), currency(pair.substr(4)), rate(value)}, day(since), std::string(pair)).has_value();
    REQUIRE(added);
    return *this;
  }
  // "100.00 USD" by the road of the day: the amount, the road and the rate that is shown.
  std::string convert(std::int64_t minor, std::string_view from, std::string_view to, std::string_view on) const {
    const auto road = rates.road(currency(from), currency(to), day(on));
    if (!road) return road.error().text();
    std::string text;
    for (const Currency step : road->path()) text += (text.empty() ? "" : ">") + step.code();
    const auto amount = road->convert(minor);
    if (!amount) return amount.error().text();
    return decimal_text(Money{*amount, currency(to)}) + " " + text + " " + scaled_text(road->scaled_rate(), rate_digits);
  }
};

}  // namespace

TEST_CASE("An amount is converted by the rate as given, by its reverse, or through a third currency, and says which way") {
  Table table;
  table.with("USD/EUR", "0.9231", "2026-01-01").with("EUR/GBP", "0.85", "2026-01-01").with("EUR/JPY", "163.2", "2026-01-01");
  CHECK(table.convert(100'00, "USD", "EUR", "2026-02-01") == "92.31 USD>EUR 0.9231000000");
  CHECK(table.convert(100'00, "EUR", "USD", "2026-02-01") == "108.33 EUR>USD 1.0833062507");
  CHECK(table.convert(100'00, "USD", "GBP", "2026-02-01") == "78.46 USD>EUR>GBP 0.7846350000");
  CHECK(table.convert(100'00, "GBP", "USD", "2026-02-01") == "127.45 GBP>EUR>USD 1.2744779420");
  CHECK(table.convert(10'000, "JPY", "USD", "2026-02-01") == "66.38 JPY>EUR>USD 0.0066379059");
  CHECK(table.convert(123, "EUR", "EUR", "2026-02-01") == "1.23 EUR 1.0000000000");
}

TEST_CASE("Decimals are those of the currencies: yen have none, dinars three, unidades de fomento four") {
  Table table;
  table.with("EUR/JPY", "163.2", "2026-01-01").with("KWD/EUR", "3", "2026-01-01").with("CLF/EUR", "36.5", "2026-01-01");
  CHECK(table.convert(1'00, "EUR", "JPY", "2026-02-01") == "163 EUR>JPY 163.2000000000");
  CHECK(table.convert(1'000, "KWD", "EUR", "2026-02-01") == "3.00 KWD>EUR 3.0000000000");
  CHECK(table.convert(1'0000, "CLF", "EUR", "2026-02-01") == "36.50 CLF>EUR 36.5000000000");
  CHECK(table.convert(1, "CLF", "JPY", "2026-02-01") == "1 CLF>EUR>JPY 5956.8000000000");
}

TEST_CASE("The newest rate that is not after the day counts, whichever way round it was given") {
  Table table;
  table.with("USD/EUR", "0.9", "2026-01-01").with("USD/EUR", "0.8", "2026-03-01").with("EUR/USD", "2", "2026-02-01");
  CHECK(table.convert(100'00, "USD", "EUR", "2026-01-31") == "90.00 USD>EUR 0.9000000000");
  CHECK(table.convert(100'00, "USD", "EUR", "2026-02-01") == "50.00 USD>EUR 0.5000000000");
  CHECK(table.convert(100'00, "USD", "EUR", "2026-03-01") == "80.00 USD>EUR 0.8000000000");
  CHECK(table.convert(1, "USD", "EUR", "2025-12-31") == "no rate leads from USD to EUR on 2025-12-31; enter a rate of the two or of a third currency with both");
  table.with("EUR/USD", "1.25", "2026-03-01");
  CHECK(table.convert(100'00, "EUR", "USD", "2026-03-02") == "125.00 EUR>USD 1.2500000000");
}

TEST_CASE("Of several third currencies the one with the freshest rates is taken, then the first by code") {
  Table table;
  table.with("PLN/USD", "0.25", "2026-01-01").with("USD/CHF", "0.9", "2026-01-05");
  table.with("PLN/EUR", "0.23", "2026-01-02").with("EUR/CHF", "0.95", "2026-01-02");
  CHECK(table.convert(100'00, "PLN", "CHF", "2026-01-06") == "21.85 PLN>EUR>CHF 0.2185000000");
  table.with("PLN/USD", "0.26", "2026-01-02");
  CHECK(table.convert(100'00, "PLN", "CHF", "2026-01-06") == "21.85 PLN>EUR>CHF 0.2185000000");
  table.with("PLN/USD", "0.26", "2026-01-03");
  CHECK(table.convert(100'00, "PLN", "CHF", "2026-01-06") == "23.40 PLN>USD>CHF 0.2340000000");
}

TEST_CASE("A half of a minor unit goes away from zero, once for the whole road") {
  Table table;
  table.with("USD/EUR", "0.5", "2026-01-01").with("EUR/GBP", "0.5", "2026-01-01");
  CHECK(table.convert(1, "USD", "EUR", "2026-02-01") == "0.01 USD>EUR 0.5000000000");
  CHECK(table.convert(-1, "USD", "EUR", "2026-02-01") == "-0.01 USD>EUR 0.5000000000");
  // Rounded at each step it would be 0.01: half of half a cent is a quarter.
  CHECK(table.convert(1, "USD", "GBP", "2026-02-01") == "0.00 USD>EUR>GBP 0.2500000000");
}

TEST_CASE("Rates that mean nothing and amounts that leave the bounds are refused in words") {
  RateTable rates;
  CHECK(rates.add({currency("EUR"), currency("EUR"), rate_scale}, day("2026-01-01"), "").error().text() ==
        "a rate from EUR/EUR says nothing; it needs two different currencies");
  CHECK(!rates.add({currency("EUR"), currency("USD"), 0}, day("2026-01-01"), ""));
  CHECK(!rates.add({currency("EUR"), currency("USD"), -5}, day("2026-01-01"), ""));
  CHECK(!rates.add({currency("EUR"), currency("USD"), rate_max + 1}, day("2026-01-01"), ""));
  CHECK(rates.empty());
  Table table;
  table.with("EUR/IDR", "900000", "2026-01-01");
  CHECK(table.convert(amount_max, "EUR", "IDR", "2026-01-01") ==
        "90071992547409.91 EUR is too large an amount in IDR; check the amount and the rate of 900000.0000000000");
}

TEST_CASE("A rate that moves by some percent moves its reverse the other way") {
  Table table;
  table.with("USD/EUR", "0.8", "2026-01-01").with("EUR/USD", "1.25", "2025-01-01");
  CHECK(table.rates.move(currency("USD"), currency("EUR"), Percent{-5 * micros_per_one}) == 2);
  CHECK(table.convert(100'00, "USD", "EUR", "2026-02-01") == "76.00 USD>EUR 0.7600000000");
  CHECK(table.convert(100'00, "EUR", "USD", "2025-02-01") == "131.58 EUR>USD 1.3157894737");
}

TEST_CASE("Any road is the exact fraction, rounded once: checked against long division of its parts") {
  CHECK(rc::check("convert", [] {
    const auto code = [] { return currency(*rc::gen::element<std::string>("JPY", "EUR", "KWD", "CLF", "USD", "VND")); };
    const Currency a = code(), b = code(), c = code();
    RC_PRE(a != b && b != c);
    const auto step = [](Currency from, Currency to) {
      const std::int64_t size = std::int64_t{1} << *rc::gen::inRange(1, 53);
      return RateStep{from, to, *rc::gen::inRange<std::int64_t>(1, size + 1), *rc::gen::arbitrary<bool>(), day_from_number(20'000), ""};
    };
    std::vector<RateStep> steps{step(a, b)};
    if (*rc::gen::arbitrary<bool>()) steps.push_back(step(b, c));
    const RateRoad road = RateRoad::of(steps);
    const auto minor = *rc::gen::inRange<std::int64_t>(-amount_max, amount_max);
    const auto got = road.convert(minor);
    // minor * n1 * n2 * 10^d2 / (d1 * d2 * 10^d1) as long doubles: 64 bits of mantissa say which integer, but for ties.
    long double exact = static_cast<long double>(minor);
    for (const RateStep& one : steps) exact = one.inverse ? exact * rate_scale / one.scaled : exact * one.scaled / rate_scale;
    for (int i = 0; i < road.to().decimals(); ++i) exact *= 10;
    for (int i = 0; i < road.from().decimals(); ++i) exact /= 10;
    if (!got) {
      RC_ASSERT(std::abs(exact) > static_cast<long double>(amount_max) - 1);
      return;
    }
    RC_ASSERT(std::abs(static_cast<long double>(*got) - exact) <= 0.5L + std::abs(exact) * 1e-18L);
    RC_ASSERT(*road.convert(-minor) == -*got);
  }));
}
