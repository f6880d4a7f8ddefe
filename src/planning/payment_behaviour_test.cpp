#include "planning/payment_behaviour.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <random>
#include <vector>

#include "testing/payment_generator.h"

namespace millrace::planning {
namespace {

using testing::make_payments;

constexpr std::int32_t start = 19000;

// Invoices every ten days, due after thirty, paid so many days late.
std::vector<PaymentCase> history(std::uint32_t party, const std::vector<std::int32_t>& delays) {
  std::vector<PaymentCase> cases;
  for (std::size_t index = 0; index < delays.size(); ++index) {
    const std::int32_t posted = start + static_cast<std::int32_t>(index) * 10;
    cases.push_back({party, posted, posted + 30, posted + 30 + delays[index], 100000});
  }
  return cases;
}

std::vector<PaymentCase> joined(std::vector<PaymentCase> one, const std::vector<PaymentCase>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

// Everything that can be asked of a party.
std::vector<std::int32_t> answers(const PaymentBehaviour& behaviour, std::uint32_t party) {
  std::vector<std::int32_t> all;
  for (int step = 0; step < 100; ++step) {
    all.push_back(behaviour.usual(party).quantile(step / 100.0));
    all.push_back(behaviour.expected(party, {start + 500, start + 530, 70000}).quantile(step / 100.0));
  }
  return all;
}

constexpr std::int32_t later = start + 1000;

TEST_CASE("A customer who pays nine days late is said to pay nine days late") {
  std::vector<std::int32_t> delays;
  for (int index = 0; index < 40; ++index) delays.push_back(9 + (index * 7) % 5 - 2);
  const auto behaviour = PaymentBehaviour::learn(history(0, delays), later);
  const PaymentProfile profile = behaviour.profile(0);
  CHECK(profile.p50 == 9);
  CHECK(profile.invoices == 40);
  CHECK(profile.late_share == 1);
  CHECK(profile.sentence == payment_sentence(profile.p10, 9, profile.p90));
}

TEST_CASE("The sentence says early, late and the due day in plain words") {
  CHECK(payment_sentence(3, 9, 17) == "Pays 9 days late, 80 % between 3 and 17.");
  CHECK(payment_sentence(-2, 1, 6) == "Pays 1 day late, 80 % between 2 days early and 6 days late.");
  CHECK(payment_sentence(-3, 0, 4) == "Pays on the due day, 80 % between 3 days early and 4 days late.");
  CHECK(payment_sentence(-5, -2, 0) == "Pays 2 days early, 80 % between 5 days early and the due day.");
  CHECK(payment_sentence(4, 4, 4) == "Pays 4 days late, nearly always.");
}

TEST_CASE("A customer without history is taken as the company's customers are") {
  const auto behaviour = PaymentBehaviour::learn(make_payments({.seed = 7}), 19300);
  CHECK(behaviour.usual(100000) == behaviour.company());
  CHECK(behaviour.profile(100000).invoices == 0);
  CHECK(behaviour.profile(100000).sentence.starts_with("No payments known yet"));
}

TEST_CASE("What is not known yet is not looked at") {
  auto known = make_payments({.seed = 3, .parties = 30, .invoices = 900});
  constexpr std::int32_t as_of = 18900;
  auto cut = known;
  std::erase_if(cut, [&](const PaymentCase& one) { return one.posted > as_of; });
  for (PaymentCase& one : cut)
    if (one.paid > as_of) one.paid = not_paid;
  const auto with_future = PaymentBehaviour::learn(known, as_of), without = PaymentBehaviour::learn(cut, as_of);
  for (std::uint32_t party = 0; party < 30; ++party) CHECK(answers(with_future, party) == answers(without, party));
}

TEST_CASE("The order of the cases and the number of threads change nothing") {
  auto cases = make_payments({.seed = 5, .parties = 60, .invoices = 2000});
  const auto first = PaymentBehaviour::learn(cases, 19200, {.threads = 1});
  std::shuffle(cases.begin(), cases.end(), std::mt19937_64(42));
  const auto second = PaymentBehaviour::learn(cases, 19200, {.threads = 4});
  for (std::uint32_t party = 0; party < 60; ++party) CHECK(answers(first, party) == answers(second, party));
}

TEST_CASE("Learning one party again changes that party only, and to what learning all would make of it") {
  const auto cases = make_payments({.seed = 5, .parties = 60, .invoices = 2000});
  const auto before = PaymentBehaviour::learn(cases, 19200);
  std::vector<PaymentCase> own;
  for (const PaymentCase& one : cases)
    if (one.party == 17) own.push_back(one);
  const auto same = before.with_party(17, own, 19200);
  for (std::uint32_t party = 0; party < 60; ++party) CHECK(answers(same, party) == answers(before, party));
  const auto emptied = before.with_party(17, {}, 19200);
  CHECK(emptied.usual(17) == before.company());
  CHECK(emptied.usual(18) == before.usual(18));
}

TEST_CASE("One payment far outside moves no customer's middle by more than a day, and is named") {
  const auto cases = make_payments({.seed = 11, .parties = 80, .invoices = 3000, .outliers = 0});
  constexpr std::int32_t as_of = 19300;
  const auto before = PaymentBehaviour::learn(cases, as_of);
  for (std::uint32_t party = 0; party < 80; ++party) {
    if (before.profile(party).invoices < 3) continue;
    auto planted = cases;
    planted.push_back({party, as_of - 420, as_of - 390, as_of - 60, 250000});  // 330 days late
    const auto after = PaymentBehaviour::learn(planted, as_of);
    CAPTURE(party);
    CHECK(std::abs(after.usual(party).p50() - before.usual(party).p50()) <= 1);
    if (before.profile(party).invoices < 60) CHECK(after.profile(party).outliers.size() == before.profile(party).outliers.size() + 1);
    for (std::uint32_t other = 0; other < 80; ++other)
      CHECK(std::abs(after.usual(other).p50() - before.usual(other).p50()) <= 1);  // through what all share
  }
}

TEST_CASE("A customer whose every payment is far later than others' is late, not odd") {
  auto cases = make_payments({.seed = 2, .parties = 50, .invoices = 1500, .outliers = 0});
  for (PaymentCase& one : cases) ++one.party;
  const auto behaviour = PaymentBehaviour::learn(joined(cases, history(0, {205, 198, 203, 207})), 19360);
  CHECK(behaviour.profile(0).outliers.empty());
  CHECK(behaviour.usual(0).p50() > 150);
}

TEST_CASE("A customer who changes his habits from one day to the next is followed") {
  std::vector<std::int32_t> delays(30, 3);
  for (int index = 0; index < 30; ++index) delays[static_cast<std::size_t>(index)] += index % 3;
  for (int index = 0; index < 6; ++index) delays.push_back(40 + index % 3);
  const auto behaviour = PaymentBehaviour::learn(history(0, delays), start + 420);
  CHECK(behaviour.usual(0).p50() >= 36);
  CHECK(behaviour.usual(0).p50() <= 44);
}

TEST_CASE("Invoices that stay open make a customer later before a single late payment is known") {
  auto cases = joined(history(0, std::vector<std::int32_t>(30, 2)), history(1, std::vector<std::int32_t>(30, 2)));
  for (std::int32_t index = 0; index < 12; ++index) {
    const std::int32_t posted = start + 300 + index * 3;
    for (const std::uint32_t party : {0U, 1U})
      cases.push_back({party, posted, posted + 30, party == 0 ? not_paid : posted + 32, 100000});
  }
  const auto behaviour = PaymentBehaviour::learn(cases, start + 380);
  CHECK(behaviour.usual(0).p50() > behaviour.usual(1).p50() + 5);
}

TEST_CASE("A customer who gets later and later shows it in his trend") {
  std::vector<std::int32_t> delays;
  for (int index = 0; index < 50; ++index) delays.push_back(index / 2 + (index * 7) % 3);
  const auto behaviour = PaymentBehaviour::learn(history(0, delays), start + 560);
  CHECK(behaviour.profile(0).trend_days_per_month > 0.7);
  CHECK(behaviour.profile(0).trend_days_per_month < 2.5);
  CHECK(behaviour.usual(0).p50() >= 20);
}

TEST_CASE("A customer who pays on Thursdays is expected on a Thursday") {
  std::vector<PaymentCase> cases;
  for (std::int32_t index = 0; index < 60; ++index) {
    const std::int32_t posted = start + index * 9, due = posted + 30;
    std::int32_t paid = due + 3;
    while (paid % 7 != 0) ++paid;  // 1970-01-01 was a Thursday
    cases.push_back({0, posted, due, paid, 100000});
  }
  const auto behaviour = PaymentBehaviour::learn(cases, start + 700);
  int on_thursday = 0;
  for (std::int32_t day = 0; day < 30; ++day) {
    const std::int32_t due = start + 740 + day;
    on_thursday += (due + behaviour.expected(0, {due - 30, due, 0}).p50()) % 7 == 0 ? 1 : 0;
  }
  CHECK(on_thursday == 30);
}

TEST_CASE("Nothing known at all still answers, with wide bands") {
  const PaymentBehaviour nothing;
  CHECK(nothing.usual(3).p90() - nothing.usual(3).p10() > 20);
  const auto behaviour = PaymentBehaviour::learn({}, start);
  CHECK(behaviour.usual(0) == nothing.usual(0));
  const std::vector<PaymentCase> open = {{0, start, start + 30, not_paid, 5}};
  CHECK(PaymentBehaviour::learn(open, start + 5).profile(0).open == 1);
}

}  // namespace
}  // namespace millrace::planning
