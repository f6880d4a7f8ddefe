#include "domain/decimal.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

using namespace millrace;

namespace {

std::string read(std::string_view text) {
  const auto value = parse_decimal(text);
  return value ? decimal_text(*value) : "refused: " + value.error().text();
}

// Schoolbook rounding of a decimal text, digit by digit: the slow truth the fast code is held against.
std::string rounded(std::string whole, std::string fraction, std::size_t digits) {
  const bool up = fraction.size() > digits && fraction[digits] >= '5';
  fraction.resize(digits, '0');
  std::string all = whole + fraction;
  for (std::size_t i = all.size(); up; --i) {
    if (i == 0) {
      all.insert(all.begin(), '1');
      break;
    }
    if (all[i - 1] != '9') {
      ++all[i - 1];
      break;
    }
    all[i - 1] = '0';
  }
  const std::size_t first = all.find_first_not_of('0');
  return first == std::string::npos ? "0" : all.substr(first);
}

rc::Gen<std::string> digits_of(std::size_t size_min, std::size_t size_max) {
  return rc::gen::mapcat(rc::gen::inRange(size_min, size_max + 1), [](std::size_t size) {
    return rc::gen::container<std::string>(size, rc::gen::inRange('0', static_cast<char>('9' + 1)));
  });
}

}  // namespace

TEST_CASE("Plain decimal text is read exactly and without trailing zeros") {
  CHECK(read("1234.50") == "1234.5");
  CHECK(read("-1234.50") == "-1234.5");
  CHECK(read("+3") == "3");
  CHECK(read(".5") == "0.5");
  CHECK(read("5.") == "5");
  CHECK(read(" 12\xC2\xA0") == "12");
  CHECK(read("1e3") == "1000");
  CHECK(read("1.5E-2") == "0.015");
  CHECK(read("-0.00") == "0");
  CHECK(read("007") == "7");
  CHECK(read("0.000000000001") == "0.000000000001");
  CHECK(read("9223372036854775807") == "9223372036854775807");
  CHECK(read("1.000000000000000000000000000000000000000000") == "1");
  CHECK(read("84119.91") == "84119.91");
}

TEST_CASE("What is not plain decimal text is refused and named") {
  for (const char* bad : {"",      " ",  ".",    "-",     "+-1", "1,5", "1.2.3", "1e",  "1e+",   "1e+-5",
                          "1e--5", "e5", "0x10", "1 000", "NaN", "inf", "12a",   "--1", "1'000", "EUR 5"}) {
    CAPTURE(bad);
    const auto value = parse_decimal(bad);
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error().code() == ErrorCode::invalid_input);
  }
  CHECK(read("1,5") == "refused: \"1,5\" is not a number");
}

TEST_CASE("Digits that do not fit are refused, never rounded in silence") {
  for (const char* bad : {"9223372036854775808", "0.0000000000001", "1e30", "1e999999", "1e-999999",
                          "1e99999999999999999999", "123456789012345678901234567890", "1.2345678901234"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_decimal(bad).has_value());
  }
}

TEST_CASE("A written number reads back as the same number") {
  CHECK(rc::check("decimal_text", [](std::int64_t mantissa) {
    const int scale = *rc::gen::inRange(0, decimal_scale_max + 1);
    RC_PRE(mantissa != std::numeric_limits<std::int64_t>::min());
    const Decimal value{mantissa, scale};
    const auto again = parse_decimal(decimal_text(value));
    RC_ASSERT(again.has_value());
    RC_ASSERT(decimal_text(*again) == shortest_text(value));
    RC_ASSERT(scaled(*again, scale) == mantissa);
  }));
}

TEST_CASE("Rounding to a number of decimals agrees with rounding by hand, half away from zero") {
  CHECK(rc::check("scaled", [] {
    const std::string whole = *digits_of(1, 9);
    const std::string fraction =
        *rc::gen::oneOf(digits_of(0, 9), rc::gen::element<std::string>("5", "005", "4999", "50", "995", "9999"));
    const bool negative = *rc::gen::arbitrary<bool>();
    const auto digits = *rc::gen::inRange<std::size_t>(0, 7);
    const auto value = parse_decimal((negative ? "-" : "") + whole + "." + fraction);
    RC_ASSERT(value.has_value());
    const auto answer = scaled(*value, static_cast<int>(digits));
    RC_ASSERT(answer.has_value());
    const std::string expected = rounded(whole, fraction, digits);
    RC_ASSERT(std::to_string(*answer) == (negative && expected != "0" ? "-" : "") + expected);
  }));
}

TEST_CASE("Halves go away from zero on both sides") {
  CHECK(scaled(Decimal{125, 2}, 1) == 13);
  CHECK(scaled(Decimal{-125, 2}, 1) == -13);
  CHECK(scaled(Decimal{1249, 3}, 1) == 12);
  CHECK(scaled(Decimal{5, 1}, 0) == 1);
  CHECK(scaled(Decimal{-5, 1}, 0) == -1);
  CHECK(scaled(Decimal{4, 1}, 0) == 0);
  CHECK_FALSE(scaled(Decimal{std::numeric_limits<std::int64_t>::max(), 0}, 1).has_value());
  CHECK(scaled(Decimal{0, 0}, 30) == 0);
  CHECK_FALSE(scaled(Decimal{1, 0}, 30).has_value());
}

TEST_CASE("A rounded quotient is the nearest whole number and a half goes away from zero") {
  CHECK(rc::check("divide_half_away", [](std::int64_t numerator, std::int64_t denominator) {
    RC_PRE(denominator != 0);
    const Int128 n = numerator, d = denominator;
    const Int128 answer = divide_half_away(n, d);
    const Int128 distance = 2 * (n - answer * d);  // twice the rest
    const Int128 size = d < 0 ? -d : d;
    RC_ASSERT(distance <= size);
    RC_ASSERT(distance >= -size);
    // at exactly one half the answer lies beyond the quotient
    if (distance == size || distance == -size) RC_ASSERT((answer < 0 ? -answer : answer) * size >= (n < 0 ? -n : n));
  }));
  CHECK(static_cast<int>(divide_half_away(5, 2)) == 3);
  CHECK(static_cast<int>(divide_half_away(-5, 2)) == -3);
  CHECK(static_cast<int>(divide_half_away(5, -2)) == -3);
  CHECK(static_cast<int>(divide_half_away(4, 3)) == 1);
}

TEST_CASE("A spreadsheet cell gives the number its author typed") {
  const auto cell = [](double value) {
    const auto exact = decimal_from_double(value);
    return exact ? decimal_text(*exact) : "refused";
  };
  CHECK(cell(84119.91) == "84119.91");
  CHECK(cell(0.1) == "0.1");
  CHECK(cell(0.1 + 0.2) == "0.3");
  CHECK(cell(-12) == "-12");
  CHECK(cell(1e15) == "1000000000000000");
  CHECK(cell(0) == "0");
  CHECK(cell(-0.0) == "0");
  CHECK(cell(1e300) == "refused");
  CHECK(cell(std::numeric_limits<double>::quiet_NaN()) == "refused");
  CHECK(cell(std::numeric_limits<double>::infinity()) == "refused");
  CHECK(rc::check("amounts in cents", [] {
    const auto cents = *rc::gen::inRange<std::int64_t>(-10'000'000'000'000, 10'000'000'000'000);
    const auto value = decimal_from_double(static_cast<double>(cents) / 100);
    RC_ASSERT(value.has_value());
    RC_ASSERT(scaled(*value, 2) == cents);
  }));
}

TEST_CASE("Scaled numbers are written with their decimals") {
  CHECK(scaled_text(1250, 2) == "12.50");
  CHECK(scaled_text(-5, 2) == "-0.05");
  CHECK(scaled_text(0, 2) == "0.00");
  CHECK(scaled_text(7, 0) == "7");
  CHECK(scaled_text(std::numeric_limits<std::int64_t>::min(), 0) == "-9223372036854775808");
  CHECK(shortest_text(Decimal{1250, 2}) == "12.5");
  CHECK(shortest_text(Decimal{300, 2}) == "3");
  CHECK(shortest_text(Decimal{0, 2}) == "0");
}

TEST_CASE("Any text at all is read or refused") {
  CHECK(rc::check("hostile text", [](const std::string& text) {
    const auto value = parse_decimal(text);
    if (value) RC_ASSERT(value->scale >= 0 && value->scale <= decimal_scale_max);
  }));
  CHECK(rc::check("hostile number-like text", [] {
    const std::string text = *rc::gen::container<std::string>(rc::gen::element('0', '9', '.', '-', '+', 'e', 'E', '5'));
    const auto value = parse_decimal(text);
    if (value) RC_ASSERT(parse_decimal(decimal_text(*value)).has_value());
  }));
}
