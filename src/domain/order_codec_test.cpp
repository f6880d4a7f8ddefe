#include "domain/order_codec.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "testing/arbitrary_order.h"

using namespace millrace;

TEST_CASE("An order comes back from its record exactly as it went in") {
  CHECK(rc::check("round trip", [] {
    const SalesOrder order = *testing::arbitrary_order();
    const std::string bytes = encode(order);
    const auto again = decode_order(bytes);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == order);
    RC_ASSERT(encode(*again) == bytes);
  }));
  CHECK(decode_order(encode(SalesOrder{})) == SalesOrder{});
}

TEST_CASE("A record that was cut anywhere is corrupt, and so is one with bytes too many") {
  CHECK(rc::check("cut", [] {
    const std::string bytes = encode(*testing::arbitrary_order());
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const auto cut = decode_order(std::string_view(bytes).substr(0, at));
    RC_ASSERT(!cut.has_value());
    RC_ASSERT(cut.error().code() == ErrorCode::corrupt);
    RC_ASSERT(!decode_order(bytes + '\0').has_value());
  }));
}

TEST_CASE("A record with changed bytes is corrupt or reads as some order, and never crashes") {
  CHECK(rc::check("changed bytes", [] {
    std::string bytes = encode(*testing::arbitrary_order());
    const auto changes = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
        rc::gen::pair(rc::gen::inRange<std::size_t>(0, bytes.size()), rc::gen::arbitrary<char>()));
    for (const auto& [at, byte] : changes) bytes[at] = byte;
    const auto order = decode_order(bytes);
    if (order) RC_ASSERT(decode_order(encode(*order)).value() == *order);
  }));
}

TEST_CASE("Foreign bytes are corrupt or an order, and never crash or allocate beyond their size") {
  CHECK(rc::check("any bytes", [](const std::string& tail) {
    const auto order = decode_order("\x01" + tail);
    if (order) RC_ASSERT(order->lines.size() + order->extra.size() <= tail.size());
  }));
  CHECK_FALSE(decode_order("").has_value());
}

TEST_CASE("A record of an unknown format is named as such") {
  std::string bytes = encode(SalesOrder{});
  bytes[0] = 99;
  const auto order = decode_order(bytes);
  REQUIRE_FALSE(order.has_value());
  CHECK(order.error().code() == ErrorCode::corrupt);
  CHECK(order.error().text() == "an order record has the unknown format 99");
}
