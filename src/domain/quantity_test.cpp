#include "domain/quantity.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace millrace;

TEST_CASE("Quantities keep six decimals and are written without trailing zeros") {
  CHECK(to_micros(*parse_decimal("4"), "quantity") == 4'000'000);
  CHECK(to_micros(*parse_decimal("0.25"), "quantity") == 250'000);
  CHECK(to_micros(*parse_decimal("-0.000001"), "quantity") == -1);
  CHECK(decimal_text(Quantity{4'000'000}) == "4");
  CHECK(decimal_text(Quantity{250'000}) == "0.25");
  CHECK(decimal_text(UnitPrice{12'500'000}) == "12.5");
  CHECK(decimal_text(Percent{12'500'000}) == "12.5");
  CHECK(decimal_text(Quantity{-1}) == "-0.000001");
}

TEST_CASE("A quantity with a seventh decimal or beyond its bound is refused with its value") {
  const auto fine = to_micros(*parse_decimal("0.0000001"), "quantity");
  REQUIRE_FALSE(fine.has_value());
  CHECK(fine.error().text() == "quantity 0.0000001 has more than six decimals; round it in the source");
  const auto large = to_micros(*parse_decimal("9000000000001"), "unit price");
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().text() == "unit price 9000000000001 is too large to be kept exactly");
  CHECK(to_micros(*parse_decimal("9000000000000"), "quantity").has_value());
}

TEST_CASE("A written quantity reads back as the same quantity") {
  CHECK(rc::check("micros", [] {
    const auto micros = *rc::gen::inRange<std::int64_t>(-9'000'000'000'000'000'000, 9'000'000'000'000'000'000);
    RC_ASSERT(to_micros(*parse_decimal(decimal_text(Quantity{micros})), "quantity").value() == micros);
  }));
}
