#include "planning/cash_simulation.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

#include "testing/money_history.h"

using namespace millrace;
using namespace millrace::planning;

namespace {

// Equally likely from `low` to `high` days.
DelayTable evenly(std::int32_t low, std::int32_t high) {
  std::array<std::int32_t, DelayTable::size> days;
  for (std::size_t i = 0; i < days.size(); ++i) days[i] = low + static_cast<std::int32_t>(i) * (high - low + 1) / 256;
  return DelayTable::of(days, 0);
}

struct Company {
  std::vector<SimulationParty> parties;
  std::vector<SimulationItem> items;
};

Company random_company(testing::SmallRandom& random, std::uint32_t parties, std::size_t items) {
  Company made;
  for (std::uint32_t i = 0; i < parties; ++i) {
    const auto low = static_cast<std::int32_t>(-random.below(8));
    made.parties.push_back({.key = 1'000 + i * 7, .delays = evenly(low, low + static_cast<std::int32_t>(random.below(40)))});
  }
  for (std::size_t i = 0; i < items; ++i)
    made.items.push_back({.party = random.chance(5) ? certain_party : static_cast<std::uint32_t>(random.below(parties)),
                          .day = 19'990 + static_cast<std::int32_t>(random.below(130)), .amount = random.below(2'000'000) - 500'000});
  return made;
}

Result<CashSimulation> run(const Company& company, SimulationSettings settings = {.paths = 500}) {
  return CashSimulation::run(20'000, 91, company.parties, company.items, settings);
}

}  // namespace

TEST_CASE("One party that pays evenly between 0 and 99 days late has paid a tenth of the paths after ten days") {
  const Company company{.parties = {{.key = 1, .delays = evenly(0, 99)}}, .items = {{.party = 0, .day = 20'000, .amount = 1'000}}};
  const auto simulation = CashSimulation::run(20'000, 120, company.parties, company.items, {.paths = 10'000});
  REQUIRE(simulation);
  // In how many of 10,000 paths nothing came yet: 90 %, 50 %, 10 %, within what chance allows (four standard deviations).
  CHECK(std::abs(static_cast<int>(simulation->paths_below(9, 0, 1'000)) - 9'000) < 150);
  CHECK(std::abs(static_cast<int>(simulation->paths_below(49, 0, 1'000)) - 5'000) < 220);
  CHECK(std::abs(static_cast<int>(simulation->paths_below(89, 0, 1'000)) - 1'000) < 150);
  const auto band = simulation->band(50);
  CHECK(band[5].p90 == 50);
  CHECK(band[20].p10 == 50);
  CHECK(band[20].p90 == 1'050);
  CHECK(band[119].p10 == 1'050);
}

TEST_CASE("What is certain has no band, and what is late already comes on the first day at the earliest") {
  const Company company{.parties = {{.key = 1, .delays = evenly(-30, -1)}},
                        .items = {{.party = certain_party, .day = 20'003, .amount = -40}, {.party = 0, .day = 20'010, .amount = 500}, {.party = certain_party, .day = 19'000, .amount = 7}}};
  const auto band = run(company)->band(100);
  CHECK(band[0].p10 == 107);
  CHECK(band[0].p90 == 607);
  CHECK(band[3].p10 == band[3].p50 - 500);
  CHECK(band[10].p10 == 567);
  CHECK(band[10].p90 == 567);
}

TEST_CASE("The same data and seed give the same band on any number of threads, in any order; another seed another") {
  testing::SmallRandom random(11);
  Company company = random_company(random, 60, 2'000);
  const auto one = run(company, {.paths = 500, .threads = 1})->band(0);
  CHECK((run(company, {.paths = 500, .threads = 2})->band(0) == one));
  CHECK((run(company, {.paths = 500, .threads = 7})->band(0) == one));
  CHECK((run(company, {.paths = 500, .seed = 5})->band(0) != one));
  std::ranges::reverse(company.items);
  CHECK((run(company)->band(0) == one));
  std::ranges::reverse(company.parties);
  for (SimulationItem& item : company.items)
    if (item.party != certain_party) item.party = 59 - item.party;
  CHECK((run(company)->band(0) == one));
}

TEST_CASE("Changed one by one it is the same as simulated at once") {
  CHECK(rc::check("changes", [] {
    testing::SmallRandom random(*rc::gen::arbitrary<std::uint64_t>());
    const bool shared = random.chance(50);
    const auto parties = static_cast<std::uint32_t>(2 + random.below(12));
    Company company = random_company(random, parties, 200);
    // With shared draws, everybody in groups: who draws alone depends on the money at the start.
    const SimulationSettings settings{.paths = 300, .threads = static_cast<unsigned>(1 + random.below(3)), .own_draws_max = shared ? 0U : 8'192U};
    auto simulation = run(company, settings);
    RC_ASSERT(simulation.has_value());
    for (int step = 0; step < 6; ++step) {
      const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(company.items.size())));
      const SimulationItem before = company.items[at];
      SimulationItem after = before;
      if (random.chance(60)) after.day += 14;
      if (random.chance(60)) after.amount = random.below(1'000'000);
      if (random.chance(20)) after.party = static_cast<std::uint32_t>(random.below(parties));
      RC_ASSERT(simulation->change({&before, 1}, {&after, 1}).has_value());
      company.items[at] = after;
      if (random.chance(30)) {
        const auto party = static_cast<std::uint32_t>(random.below(parties));
        company.parties[party].delays = evenly(-3, static_cast<std::int32_t>(random.below(60)));
        RC_ASSERT(simulation->change_delays(party, company.parties[party].delays).has_value());
      }
      RC_ASSERT(simulation->band(0) == run(company, settings)->band(0));
    }
  }));
}

TEST_CASE("The band grows with what parties have in common") {
  testing::SmallRandom random(12);
  Company company = random_company(random, 200, 4'000);
  for (SimulationItem& item : company.items) item.amount = std::abs(item.amount);
  const auto width = [&](std::int32_t common) {
    std::int64_t sum = 0;
    for (const BandDay& day : run(company, {.paths = 1'000, .common_percent = common})->band(0)) sum += day.p90 - day.p10;
    return sum;
  };
  const std::int64_t alone = width(0), some = width(20), all = width(100);
  CHECK(alone < some);
  CHECK(some < all);
}

TEST_CASE("Quantiles lie in order and the settings are checked") {
  testing::SmallRandom random(13);
  const Company company = random_company(random, 20, 500);
  for (const BandDay& day : run(company)->band(-5)) CHECK((day.p10 <= day.p50 && day.p50 <= day.p90));
  CHECK(run(company, {.paths = 50}).error().text() == "paths 50 of a simulation has to be 100 to 100000");
  CHECK(!run(company, {.paths = 500, .threads = 0}));
  CHECK(!CashSimulation::run(20'000, 500, company.parties, company.items, {}));
  Company wrong = company;
  wrong.items[3].party = 20;
  CHECK(run(wrong).error().text() == "an item names party 20, which is not among the parties of the simulation");
}
