#include "columns/number_format.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

namespace millrace::columns {
namespace {

std::string printed(const NumberFormat& format, std::int64_t number) {
  std::string text;
  format.print(number, text);
  return text;
}

TEST_CASE("A text is a number only if the number alone gives back the text") {
  const NumberFormat whole;
  CHECK(whole.parse("0") == 0);
  CHECK(whole.parse("-12") == -12);
  CHECK(whole.parse("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(whole.parse("-9223372036854775807") == -std::numeric_limits<std::int64_t>::max());
  for (const auto text : {"", "-", "007", "-0", "+1", " 1", "1 ", "1.0", "1e3", "9223372036854775808",
                          "99999999999999999999", "-9223372036854775808", "1,000", "0x1"})
    CHECK_MESSAGE(!whole.parse(text), text);

  const NumberFormat money{NumberKind::plain, 2, 0, "", ""};
  CHECK(money.parse("12.50") == 1250);
  CHECK(money.parse("-0.05") == -5);
  CHECK(printed(money, -5) == "-0.05");
  for (const auto text : {"12.5", "12", ".50", "00.50", "-0.00", "1.2.3", "12.", "12.500"})
    CHECK_MESSAGE(!money.parse(text), text);

  const NumberFormat order{NumberKind::padded, 0, 5, "SO-", ""};
  CHECK(order.parse("SO-00123") == 123);
  CHECK(printed(order, 123) == "SO-00123");
  for (const auto text : {"SO-123", "SO-000123", "so-00123", "SO--0123", "SO-00123x"})
    CHECK_MESSAGE(!order.parse(text), text);

  const NumberFormat date{NumberKind::date, 0, 0, "\"", "\""};
  CHECK(date.parse("\"1970-01-02\"") == 1);
  CHECK(printed(date, -719528) == "\"0000-01-01\"");
  for (const auto text : {"1970-01-02", "\"1970-02-30\"", "\"1970-1-02\"", "\"1970-01-02", "\"\""})
    CHECK_MESSAGE(!date.parse(text), text);
}

TEST_CASE("Whatever a notation accepts it writes back to the byte, and what fits it can be read") {
  CHECK(rc::check("text to number to text", [] {
    const NumberFormat format{*rc::gen::element(NumberKind::plain, NumberKind::padded, NumberKind::date),
                              *rc::gen::inRange(0U, 19U), *rc::gen::inRange(1U, 19U),
                              *rc::gen::element<std::string>("", "\"", "SO-"),
                              *rc::gen::element<std::string>("", "\"")};
    const auto text = format.prefix +
                      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789.-"))) + format.suffix;
    if (const auto number = format.parse(text)) RC_ASSERT(printed(format, *number) == text);
    RC_ASSERT(whole_number(text) == NumberFormat{}.parse(text));
    const auto number = *rc::gen::arbitrary<std::int64_t>();
    RC_ASSERT(whole_number(std::to_string(number)) == NumberFormat{}.parse(std::to_string(number)));
    if (format.fits(number)) RC_ASSERT(format.parse(printed(format, number)) == number);
  }));
}

TEST_CASE("The largest number with 18 decimals and the first and last day can be written and read") {
  const NumberFormat fine{NumberKind::plain, 18, 0, "", ""};
  for (const std::int64_t number :
       {std::numeric_limits<std::int64_t>::max(), -std::numeric_limits<std::int64_t>::max(), std::int64_t{1}})
    CHECK(fine.parse(printed(fine, number)) == number);
  const NumberFormat date{NumberKind::date, 0, 0, "", ""};
  CHECK(date.parse("9999-12-31") == 2932896);
  CHECK_FALSE(date.fits(2932897));
  CHECK_FALSE(date.fits(-719529));
}

}  // namespace
}  // namespace millrace::columns
