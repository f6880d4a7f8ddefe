#include "domain/order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace millrace;

TEST_CASE("Order numbers sort as a person counts and hash by their text") {
  std::vector<OrderNumber> numbers{{"100"}, {"9"}, {"43659"}, {"10"}};
  std::ranges::sort(numbers, [](const auto& a, const auto& b) { return a < b; });
  CHECK(numbers == std::vector<OrderNumber>{{"9"}, {"10"}, {"100"}, {"43659"}});
  CHECK(OrderNumberHash{}(OrderNumber{"7"}) == OrderNumberHash{}(OrderNumber{"7"}));
  CHECK(OrderNumberHash{}(OrderNumber{"7"}) != OrderNumberHash{}(OrderNumber{"8"}));
}

TEST_CASE("A place in a document is named as its program names it") {
  using enum Place::Kind;
  CHECK(place_text({none, 0, 0}) == "");
  CHECK(place_text({Place::Kind::line, 14, 0}) == "line 14");
  CHECK(place_text({row, 3, 0}) == "row 3");
  CHECK(place_text({cell, 11, 5}) == "cell E11");
  CHECK(place_text({cell, 1, 26}) == "cell Z1");
  CHECK(place_text({cell, 1, 27}) == "cell AA1");
  CHECK(place_text({cell, 1, 703}) == "cell AAA1");
  CHECK(place_text({cell, 11, 0}) == "row 11");
  CHECK(place_text({page, 2, 0}) == "page 2");
}

TEST_CASE("An order filed under another status is the same order, one with another line is not") {
  SalesOrder order;
  order.number.text = "7";
  order.lines.emplace_back();
  SalesOrder other = order;
  other.status = "Shipped";
  CHECK(equal_but_status(order, other));
  other.lines.front().line_total = 1;
  CHECK(!equal_but_status(order, other));
}

TEST_CASE("States have one word each") {
  CHECK(word(DocumentStatus::unknown) == "unknown");
  CHECK(word(DocumentStatus::open) == "open");
  CHECK(word(DocumentStatus::closed) == "closed");
  CHECK(word(LineStatus::open) == "open");
  CHECK(word(LineStatus::closed) == "closed");
  CHECK(word(LineStatus::cancelled) == "cancelled");
}
