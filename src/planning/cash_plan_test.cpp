#include "planning/cash_plan.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "base/time.h"
#include "domain/money.h"
#include "testing/money_history.h"

using namespace millrace;
using namespace millrace::planning;

namespace {

std::int32_t day(std::string_view text) { return day_number(*parse_iso_day(text)); }
std::string text(std::int32_t number) { return iso(day_from_number(number)); }

// A movement on one day, whatever the view.
CashItem item(std::string_view on, std::int64_t amount, CashLayer layer = CashLayer::invoiced, std::uint16_t category = 0) {
  CashItem made;
  made.day = made.early = made.late = day(on);
  made.amount = made.converted = amount;
  made.layer = layer;
  made.category = category;
  return made;
}

PlanFrame frame(std::string_view first, std::int32_t weeks, std::int64_t opening = 0) {
  PlanFrame made;
  made.first_day = day(first);
  made.weeks = weeks;
  made.opening = opening;
  return made;
}

std::string weeks_table(const PlanAnswer& answer) {
  std::string table;
  for (const PlanWeek& week : answer.weeks)
    table += text(week.first) + " " + text(week.last) + " " + std::to_string(week.opening) + " " + std::to_string(week.sums.receipts) + " " +
             std::to_string(week.sums.payments) + " " + std::to_string(week.closing) + " low " + std::to_string(week.low) + " " + text(week.low_day) + "\n";
  return table;
}

CashItem random_item(testing::SmallRandom& random, std::uint64_t id) {
  CashItem made;
  made.id = id;
  made.converted = made.amount = random.below(2'000'000) - 1'000'000;
  made.layer = static_cast<CashLayer>(1 + random.below(5));
  made.category = static_cast<std::uint16_t>(random.below(8));
  made.party = static_cast<std::uint32_t>(random.below(5));
  made.order = static_cast<std::uint32_t>(random.below(5));
  made.currency = static_cast<std::uint32_t>(random.below(3));
  if (random.chance(5)) return made;
  made.day = 20'000 + static_cast<std::int32_t>(random.below(150)) - 20;
  made.early = made.day - static_cast<std::int32_t>(random.below(10));
  made.late = made.day + static_cast<std::int32_t>(random.below(30));
  return made;
}

bool same(const PlanAnswer& a, const PlanAnswer& b) {
  bool equal = a.lowest == b.lowest && a.later == b.later && a.undated == b.undated && a.undated_count == b.undated_count && weeks_table(a) == weeks_table(b);
  for (std::size_t i = 0; i < a.days.size(); ++i) equal = equal && a.days[i].closing == b.days[i].closing && a.days[i].sums == b.days[i].sums;
  return equal;
}

}  // namespace

TEST_CASE("The weeks of a plan run from today to its Sunday, then from Monday to Sunday") {
  CashPlan plan(frame("2026-11-25", 3, 1'000));
  plan.add(item("2026-11-26", 500));
  plan.add(item("2026-12-01", -1'800, CashLayer::planned, 2));
  plan.add(item("2026-12-03", 700));
  plan.add(item("2026-11-02", 40));   // late: still to come, so it counts today
  plan.add(item("2027-05-01", 9'999));
  plan.add(CashItem{.amount = 5, .converted = 5});
  const PlanAnswer answer = plan.answer(CashView::expected, LayerSet::all());
  CHECK(weeks_table(answer) ==
        "2026-11-25 2026-11-29 1000 540 0 1540 low 1040 2026-11-25\n"
        "2026-11-30 2026-12-06 1540 700 -1800 440 low -260 2026-12-01\n"
        "2026-12-07 2026-12-13 440 0 0 440 low 440 2026-12-07\n");
  CHECK(text(answer.days[answer.lowest].day) == "2026-12-01");
  CHECK(answer.later.receipts == 9'999);
  CHECK(answer.undated_count == 1);
  CHECK(answer.weeks[1].payments_by_category[2] == -1'800);
}

TEST_CASE("Asked on a weekend, the first week goes to the Sunday after: thirteen working weeks are shown") {
  const PlanFrame sunday = frame("2026-11-22", 13), monday = frame("2026-11-23", 13);
  CHECK(text(sunday.week_start(1)) == "2026-11-30");
  CHECK(text(sunday.end_day() - 1) == "2027-02-21");
  CHECK(text(monday.week_start(1)) == "2026-11-30");
  CHECK(text(monday.end_day() - 1) == "2027-02-21");
  CHECK(sunday.day_count() == 92);
  CHECK(monday.day_count() == 91);
}

TEST_CASE("Layers are switched on one by one, and the credit line makes the headroom of its days") {
  PlanFrame wanted = frame("2026-11-23", 1, 100);
  wanted.credit = {{day("2026-11-25"), day("2026-11-26"), 1'000}, {day("2026-11-26"), INT32_MAX, 50}};
  CashPlan plan(wanted);
  plan.add(item("2026-11-24", 10, CashLayer::invoiced));
  plan.add(item("2026-11-24", 200, CashLayer::ordered));
  plan.add(item("2026-11-24", 3'000, CashLayer::forecast));
  const auto closing = [&](LayerSet layers) { return plan.answer(CashView::expected, layers).weeks[0].closing; };
  CHECK(closing(LayerSet::none()) == 100);
  CHECK(closing(LayerSet::none().with(CashLayer::invoiced)) == 110);
  CHECK(closing(LayerSet::all().without(CashLayer::forecast)) == 310);
  CHECK(closing(LayerSet::all()) == 3'310);
  const PlanAnswer answer = plan.answer(CashView::expected, LayerSet::none());
  CHECK(answer.by_layer[static_cast<std::size_t>(CashLayer::forecast)].receipts == 3'000);
  CHECK(answer.days[1].headroom == 100);
  CHECK(answer.days[2].headroom == 1'100);
  CHECK(answer.days[3].headroom == 1'150);
  CHECK(answer.days[4].headroom == 150);
  CHECK(answer.weeks[0].headroom == 100);
}

TEST_CASE("The pessimistic view lets customers pay late and bills fall due early, the optimistic one the reverse") {
  CashPlan plan(frame("2026-11-23", 2, 0));
  CashItem receipt = item("2026-11-25", 100), payment = item("2026-11-25", -60);
  receipt.early = payment.early = day("2026-11-24");
  receipt.late = payment.late = day("2026-12-02");
  plan.add(receipt);
  plan.add(payment);
  const auto closing = [&](CashView view, std::size_t at) { return plan.answer(view, LayerSet::all()).days[at].closing; };
  CHECK(closing(CashView::expected, 2) == 40);
  CHECK(closing(CashView::pessimistic, 1) == -60);
  CHECK(closing(CashView::pessimistic, 9) == 40);
  CHECK(closing(CashView::optimistic, 1) == 100);
  CHECK(closing(CashView::optimistic, 9) == 40);
}

TEST_CASE("Moving one order by 14 days changes two days by exactly its amount and nothing else") {
  testing::SmallRandom random(7);
  CashPlan plan(frame("2026-11-23", 13, 5'000));
  for (std::uint64_t id = 0; id < 500; ++id) {
    CashItem made = random_item(random, id);
    if (made.day != cash_no_day) made.day = made.early = made.late = day("2026-11-23") + static_cast<std::int32_t>(random.below(91));
    plan.add(made);
  }
  const CashItem before = item("2026-12-10", 12'345, CashLayer::ordered);
  plan.add(before);
  const PlanAnswer was = plan.answer(CashView::expected, LayerSet::all());
  CashItem after = before;
  after.day = after.early = after.late = before.day + 14;
  plan.replace(before, after);
  const PlanAnswer is = plan.answer(CashView::expected, LayerSet::all());
  for (std::size_t i = 0; i < was.days.size(); ++i) {
    const std::int64_t change = is.days[i].sums.receipts - was.days[i].sums.receipts;
    CHECK(change == (is.days[i].day == before.day ? -12'345 : is.days[i].day == after.day ? 12'345 : 0));
    CHECK(is.days[i].closing - was.days[i].closing == (is.days[i].day >= before.day && is.days[i].day < after.day ? -12'345 : 0));
  }
}

TEST_CASE("Days and weeks add up to the items, in every view and set of layers, however the plan came to be") {
  CHECK(rc::check("plan", [] {
    testing::SmallRandom random(*rc::gen::arbitrary<std::uint64_t>());
    PlanFrame wanted;
    wanted.first_day = 20'000 + static_cast<std::int32_t>(random.below(7));
    wanted.weeks = 1 + static_cast<std::int32_t>(random.below(20));
    wanted.opening = random.below(1'000'000) - 500'000;
    CashPlan plan(wanted), again(wanted);
    std::vector<CashItem> items;
    for (std::uint64_t id = 0; id < 200; ++id) {
      if (!items.empty() && random.chance(30)) {
        const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(items.size())));
        plan.remove(items[at]);
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
      }
      items.push_back(random_item(random, id));
      plan.add(items.back());
    }
    for (const CashItem& one : items) again.add(one);
    for (const CashView view : {CashView::expected, CashView::pessimistic, CashView::optimistic}) {
      LayerSet layers = LayerSet::none();
      for (std::size_t layer = 0; layer < cash_layer_count; ++layer)
        if (random.chance(70)) layers = layers.with(static_cast<CashLayer>(layer));
      const PlanAnswer answer = plan.answer(view, layers);
      RC_ASSERT(same(answer, again.answer(view, layers)));
      std::int64_t sum = wanted.opening, later = 0;
      for (const CashItem& one : items) {
        const std::int32_t on = counted_day(one, view, wanted);
        if (!layers.has(one.layer) || on == cash_no_day) continue;
        (on < wanted.end_day() ? sum : later) += one.converted;
      }
      std::int64_t of_days = wanted.opening, of_weeks = wanted.opening, by_category = 0, payments = 0, by_layer = 0;
      for (const PlanDay& one : answer.days) of_days += one.sums.net();
      for (const PlanWeek& week : answer.weeks) {
        of_weeks += week.sums.net();
        payments += week.sums.payments;
        for (const std::int64_t amount : week.payments_by_category) by_category += amount;
        for (const InOut& layer : week.by_layer) by_layer += layer.net();
        RC_ASSERT(week.opening + week.sums.net() == week.closing);
      }
      RC_ASSERT(of_days == sum);
      RC_ASSERT(of_weeks == sum);
      RC_ASSERT(by_layer == sum - wanted.opening);
      RC_ASSERT(by_category == payments);
      RC_ASSERT(answer.later.net() == later);
      RC_ASSERT(answer.weeks.back().closing == sum);
      RC_ASSERT(answer.days.back().closing == sum);
    }
  }));
}

TEST_CASE("Scenarios move what they name and leave the rest") {
  const auto with = [](const CashItem& before, const CashOverlay& overlay) {
    const auto after = overlaid(before, std::span(&overlay, 1));
    if (!after) return after.error().text();
    if (!*after) return std::string("gone");
    return text((*after)->day) + " " + std::to_string((*after)->converted);
  };
  CashItem receipt = item("2026-12-01", 1'000, CashLayer::ordered), payment = item("2026-12-01", -1'000, CashLayer::ordered);
  receipt.party = 1, receipt.order = 9, receipt.currency = 7;
  payment.party = 2;
  using Kind = CashOverlay::Kind;
  CHECK(with(receipt, {.kind = Kind::customer_later, .days = 30, .party = 1}) == "2026-12-31 1000");
  CHECK(with(receipt, {.kind = Kind::customer_later, .days = 30, .party = 2}) == "2026-12-01 1000");
  CHECK(with(payment, {.kind = Kind::customer_later, .days = 30, .party = 2}) == "2026-12-01 -1000");
  CHECK(with(receipt, {.kind = Kind::order_slips, .days = 14, .order = 9}) == "2026-12-15 1000");
  CHECK(with(payment, {.kind = Kind::supplier_later, .days = 10, .party = 2}) == "2026-12-11 -1000");
  CHECK(with(payment, {.kind = Kind::pay_later, .days = 10}) == "2026-12-11 -1000");
  CHECK(with(receipt, {.kind = Kind::pay_later, .days = 10}) == "2026-12-01 1000");
  CHECK(with(receipt, {.kind = Kind::rate, .currency = 7, .percent = {-5'000'000}}) == "2026-12-01 950");
  CHECK(with(payment, {.kind = Kind::rate, .currency = 7, .percent = {-5'000'000}}) == "2026-12-01 -1000");
  CHECK(with(receipt, {.kind = Kind::no_new_orders}) == "2026-12-01 1000");
  CHECK(with(receipt, {.kind = Kind::rate, .currency = 7, .percent = {-100'000'000}}) == "a rate cannot move by -100 %; give more than -100 %");
  receipt.layer = CashLayer::invoiced;  // it left already: it cannot slip
  CHECK(with(receipt, {.kind = Kind::order_slips, .days = 14, .order = 9}) == "2026-12-01 1000");
  receipt.layer = CashLayer::forecast;
  CHECK(with(receipt, {.kind = Kind::no_new_orders}) == "gone");
}
