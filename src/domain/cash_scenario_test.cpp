#include "domain/cash_scenario.h"

#include <doctest/doctest.h>

namespace millrace {

TEST_CASE("a scenario reads back as it was written, and a damaged one is refused") {
  Scenario scenario{"s1", "ACME pays 30 days later", 3, "Anna", Instant(std::chrono::milliseconds(1'763'000'000'000)), {}};
  scenario.changes.push_back(*scenario_change({.kind = "customer_later", .party = "C1", .order = "", .from = "", .to = "", .days = 30, .percent = ""}));
  scenario.changes.push_back(*scenario_change({.kind = "rate", .party = "", .order = "", .from = "USD", .to = "EUR", .days = 0, .percent = "-5"}));
  scenario.changes.push_back(*scenario_change({.kind = "no_new_orders", .party = "", .order = "", .from = "", .to = "", .days = 0, .percent = ""}));
  const std::string bytes = encode(scenario);
  const auto back = decode_scenario(bytes);
  REQUIRE(back);
  CHECK(*back == scenario);
  for (std::size_t length = 0; length < bytes.size(); ++length) CHECK_FALSE(decode_scenario(std::string_view(bytes).substr(0, length)));
}

TEST_CASE("a change that says too little is told what it lacks") {
  const auto refusal = [](const ScenarioWish& wish) {
    const auto change = scenario_change(wish);
    return change ? std::string("taken") : change.error().text();
  };
  CHECK(refusal({.kind = "later", .party = "", .order = "", .from = "", .to = "", .days = 3, .percent = ""}).starts_with("there is no change \"later\"; there are customer_later,"));
  CHECK(refusal({.kind = "customer_later", .party = "", .order = "", .from = "", .to = "", .days = 3, .percent = ""}) == "\"customer_later\" needs \"party\", the code of a customer or supplier");
  CHECK(refusal({.kind = "pay_later", .party = "", .order = "", .from = "", .to = "", .days = 0, .percent = ""}) == "\"pay_later\" needs \"days\", between -730 and 730 and not 0");
  CHECK(refusal({.kind = "rate", .party = "", .order = "", .from = "EUR", .to = "EUR", .days = 0, .percent = "1"}).starts_with("\"rate\" needs \"from\" and \"to\""));
  CHECK(refusal({.kind = "rate", .party = "", .order = "", .from = "USD", .to = "EUR", .days = 0, .percent = "-100"}) == "\"percent\" of a rate lies above -100 and is at most 1000");
}

}  // namespace millrace
