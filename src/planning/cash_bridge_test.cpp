#include "planning/cash_bridge.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "testing/money_history.h"

using namespace millrace;
using namespace millrace::planning;

namespace {

Currency currency(std::string_view code) { return *Currency::parse(code); }

RateRoad road(std::string_view from, std::int64_t scaled) { return RateRoad::of({{currency(from), currency("EUR"), scaled, false, day_from_number(20'000), "r"}}); }

KeptItem item(std::string id, std::int32_t day, std::int64_t amount, std::string_view code = "EUR") {
  return {.id = std::move(id), .party = "ACME", .day = day, .amount = amount, .converted = amount, .currency = currency(code), .layer = 1};
}

KeptForecast forecast(std::vector<KeptItem> items, std::int64_t opening = 0) {
  KeptForecast made;
  made.currency = currency("EUR");
  made.first_day = 20'000;
  made.end_day = 20'091;
  made.opening = opening;
  made.items = std::move(items);
  made.sort_items();
  return made;
}

std::string table(const Bridge& bridge) {
  std::string text = std::to_string(bridge.closing_before) + " -> " + std::to_string(bridge.closing_after);
  for (const BridgeEntry& entry : bridge.entries) text += "\n" + std::string(word(entry.part)) + " " + entry.id + " " + std::to_string(entry.change);
  return text;
}

KeptForecast random_forecast(testing::SmallRandom& random, std::int64_t ids) {
  KeptForecast made = forecast({}, random.below(1'000'000));
  const std::int64_t usd = rate_scale * (50 + random.below(100)) / 100, jpy = rate_scale / 163 + random.below(1'000'000);
  made.rates = {road("USD", usd), road("JPY", jpy)};
  for (std::int64_t id = 0; id < ids; ++id) {
    if (random.chance(30)) continue;
    KeptItem one = item("invoice/" + std::to_string(9'000 + id) + "/1", 19'990 + static_cast<std::int32_t>(random.below(120)), random.below(2'000'000) - 1'000'000);
    one.party = "Party " + std::to_string(random.below(5));
    if (random.chance(60)) one.amount = one.converted = id * 100;
    if (const std::int64_t which = random.below(3); which < 2) {
      one.currency = which == 0 ? currency("USD") : currency("JPY");
      one.converted = *made.rates[static_cast<std::size_t>(which)].convert(one.amount);
    }
    made.items.push_back(std::move(one));
  }
  made.sort_items();
  return made;
}

}  // namespace

TEST_CASE("Each change of a forecast stands in its part, the largest first") {
  KeptForecast before = forecast({item("a", 20'010, 100), item("b", 20'050, 200), item("c", 20'010, 300), item("d", 20'010, 400), item("e", 20'200, 1)}, 1'000);
  KeptForecast after = forecast({item("a", 20'120, 100), item("b", 20'060, 250), item("d", 20'011, 400), item("f", 20'001, -7), item("e", 20'030, 1)}, 1'000);
  CHECK(table(*bridge(before, after, 20'091)) ==
        "2000 -> 1644\n"
        "gone c -300\n"
        "timing a -100\n"
        "amount b 50\n"
        "new f -7\n"
        "timing e 1");
}

TEST_CASE("Another rate is the rate's part at the former amount; what is left is amount") {
  KeptForecast before = forecast({item("a", 20'010, 1'000, "USD")}), after = forecast({item("a", 20'010, 1'200, "USD")});
  before.rates = {road("USD", rate_scale * 9 / 10)};
  after.rates = {road("USD", rate_scale * 8 / 10)};
  before.items[0].converted = 900;
  after.items[0].converted = 960;
  CHECK(table(*bridge(before, after, 20'091)) == "900 -> 960\namount a 160\nrate a -100");
}

TEST_CASE("A customer who paid as planned changes nothing, one who paid less leaves the difference") {
  KeptForecast before = forecast({item("balance/1200", 20'000, 1'000), item("invoice/1", 20'005, 500), item("invoice/2", 20'005, 300)});
  KeptForecast after = forecast({item("balance/1200", 20'000, 1'700)});
  const Bridge found = *bridge(before, after, 20'091, {{"invoice/1", 500}, {"invoice/2", 200}});
  CHECK(found.difference() == -100);
  CHECK(found.parts[static_cast<std::size_t>(BridgePart::gone)] == -100);
  CHECK(found.parts[static_cast<std::size_t>(BridgePart::amount)] == 0);
}

TEST_CASE("The parts add up to the difference exactly for any two forecasts") {
  CHECK(rc::check("bridge", [] {
    testing::SmallRandom random(*rc::gen::arbitrary<std::uint64_t>());
    const KeptForecast before = random_forecast(random, 60), after = random_forecast(random, 60);
    Settled settled;
    for (const KeptItem& one : before.items)
      if (random.chance(20)) settled[one.id] = random.below(1'000);
    const auto found = bridge(before, after, 20'000 + static_cast<std::int32_t>(random.below(110)), settled);
    RC_ASSERT(found.has_value());
    std::int64_t parts = 0, entries = 0;
    for (const std::int64_t part : found->parts) parts += part;
    for (const BridgeEntry& entry : found->entries) entries += entry.change;
    RC_ASSERT(parts == found->difference());
    RC_ASSERT(entries == found->difference());
  }));
}

TEST_CASE("Forecasts in two currencies, or with an item twice, are not compared") {
  KeptForecast before = forecast({item("a", 20'010, 1)}), after = before;
  after.currency = currency("USD");
  CHECK(bridge(before, after, 20'091).error().text() == "a forecast in EUR and one in USD cannot be compared; choose two in one currency");
  after = forecast({item("a", 20'010, 1), item("a", 20'011, 1)});
  CHECK(!bridge(before, after, 20'091));
}

TEST_CASE("A kept forecast reads back as it was and takes few bytes") {
  testing::SmallRandom random(3);
  const KeptForecast kept = random_forecast(random, 20'000);
  const std::string bytes = encode(kept);
  const auto again = decode_kept_forecast(bytes);
  REQUIRE(again);
  CHECK((*again == kept));
  CHECK(bytes.size() < kept.items.size() * 12);
  CHECK((*decode_kept_forecast(encode(forecast({}))) == forecast({})));
}

TEST_CASE("A kept forecast with any byte changed or cut off is refused") {
  testing::SmallRandom random(4);
  const std::string bytes = encode(random_forecast(random, 30));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 + random.below(255)));
    CHECK(!decode_kept_forecast(changed));
    CHECK(!decode_kept_forecast(std::string_view(bytes).substr(0, at)));
  }
}
