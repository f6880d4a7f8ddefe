#include "domain/largest_remainder.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <numeric>
#include <string>

using namespace millrace;

namespace {

std::string split(std::int64_t amount, std::vector<std::int64_t> weights) {
  std::string text;
  for (const std::int64_t part : split_by_largest_remainder(amount, weights)) text += (text.empty() ? "" : " ") + std::to_string(part);
  return text;
}

}  // namespace

TEST_CASE("Ten cents for three equal parts are 4, 3 and 3") {
  CHECK(split(10, {1, 1, 1}) == "4 3 3");
  CHECK(split(-10, {1, 1, 1}) == "-3 -3 -4");
  CHECK(split(100, {30, 60, 10}) == "30 60 10");
  CHECK(split(1, {1, 2, 3}) == "0 0 1");
  CHECK(split(7, {0, 0}) == "7 0");
  CHECK(split(7, {}) == "");
  CHECK(split(50, {100, -20, 20}) == "50 -10 10");
}

TEST_CASE("Parts add up to the amount and none is larger than its weight") {
  CHECK(rc::check("split_by_largest_remainder", [] {
    const auto weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 50)));
    const std::int64_t sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
    const auto amount = *rc::gen::inRange<std::int64_t>(0, sum + 1);
    const auto parts = split_by_largest_remainder(amount, weights);
    RC_ASSERT(std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == amount);
    if (sum > 0)
      for (std::size_t i = 0; i < parts.size(); ++i) RC_ASSERT(parts[i] >= 0 && parts[i] <= weights[i]);
  }));
}
