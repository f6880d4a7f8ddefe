// What the demo company pays: suppliers, wages, rent, energy, insurance, tax; its budgets, its bank and its credit line.
#include <algorithm>
#include <array>
#include <optional>

#include "app/demo_finance.h"

namespace millrace::app {
namespace {

constexpr int history_days = 730, weeks_bought_ahead = 9;
constexpr std::int64_t ten_thousand_euros = 1'000'000;

Currency euro() { return *Currency::parse("EUR"); }
Day plus(Day day, int days) { return day_from_number(day_number(day) + days); }

Day workday(Day day) {
  const std::chrono::weekday weekday{std::chrono::sys_days(day)};
  if (weekday == std::chrono::Saturday) return plus(day, 2);
  return weekday == std::chrono::Sunday ? plus(day, 1) : day;
}

// What is paid every month or quarter, as a share of what comes in, in thousandths.
struct Regular {
  std::string_view category;
  std::int64_t per_mille;
  unsigned day;
  Every every;
};
constexpr std::array<Regular, 5> regular{{{"Wages", 235, 27, Every::month},
                                          {"Rent", 32, 1, Every::month},
                                          {"Energy", 28, 15, Every::month},
                                          {"Loan repayment", 55, 30, Every::quarter},
                                          {"Insurance", 40, 2, Every::quarter}}};
constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> occasional{{{"Travel", 6}, {"Marketing", 7}, {"Maintenance", 9}, {"Office", 3}}};
constexpr std::int64_t material_per_mille = 430, vat_per_mille = 62, payroll_tax_per_mille = 78, invested_per_mille = 80;

std::string month_text(Day day) { return iso(day).substr(0, 7); }

bool falls_in(const Regular& cost, Day first) {
  return cost.every == Every::month || (static_cast<unsigned>(first.month()) - 1) % 3 == 0;
}

Day day_of(Day first, unsigned day) {
  const auto last = (first.year() / first.month() / std::chrono::last).day();
  return workday(first.year() / first.month() / std::min(std::chrono::day(day), last));
}

}  // namespace

std::int32_t DemoFinance::month_of(Day day) { return static_cast<std::int32_t>(static_cast<int>(day.year())) * 12 + static_cast<std::int32_t>(static_cast<unsigned>(day.month())) - 1; }

std::int64_t DemoFinance::scale_of(Day day, std::int64_t month) const {
  const std::int32_t wanted = month_of(day);
  if (wanted >= month_of(today_)) return month;
  const auto came = came_in_.find(wanted);
  return came == came_in_.end() ? month / 10 : std::max(came->second, month / 10);
}

void DemoFinance::add_purchases(std::int64_t month) {
  std::vector<std::string> suppliers;
  for (const DemoItem& item : company_.items())
    if (item.manufacturer != "Nordwerk" && std::ranges::find(suppliers, item.manufacturer) == suppliers.end()) suppliers.push_back(item.manufacturer);
  if (suppliers.empty()) return;
  Dice dice(company_.options().seed, 0x62757973);
  int number = 0;
  for (int week = history_days / 7; week > -weeks_bought_ahead; --week) {
    for (int half = 0; half < 2; ++half) {
      const std::size_t place = dice.low_below(suppliers.size(), 2);
      const Day delivered = workday(plus(today_, -7 * week - 3 * half));
      const std::int64_t half_week = scale_of(plus(delivered, 33), month) * material_per_mille / 1000 * 7 / 30 / 2;
      const std::int64_t amount = std::max<std::int64_t>(half_week * dice.between(60, 140) / 100, 100);
      ++number;
      const bool arrived = delivered <= today_;
      FinanceDocument document = made(arrived ? FinanceKind::bill : FinanceKind::purchase_order, (arrived ? "E" : "B") + std::to_string(40'000 + number), euro(), amount,
                                      arrived ? delivered : plus(today_, -static_cast<int>(dice.between(2, 20))));
      document.party_code = "S" + std::to_string(1001 + place);
      document.party_name = suppliers[place];
      document.terms = "N30";
      const Day due = plus(delivered, 30);
      document.due = arrived ? due : delivered;
      // The payment run is on Thursdays.
      Day paid = plus(due, static_cast<int>(dice.between(0, 3)));
      while (std::chrono::weekday{std::chrono::sys_days(paid)} != std::chrono::Thursday) paid = plus(paid, 1);
      if (arrived) document.tax = amount * 19 / 119;
      if (arrived && paid <= today_) {
        FinanceDocument payment = made(FinanceKind::supplier_payment, "A" + std::to_string(40'000 + number), euro(), amount, paid);
        payment.party_code = document.party_code;
        payment.party_name = document.party_name;
        payment.account = "1200";
        payment.allocations = {{FinanceKind::bill, document.number, 0, amount}};
        documents_.push_back(std::move(payment));
      }
      flow(paid, -amount, euro());
      documents_.push_back(std::move(document));
    }
  }
}

void DemoFinance::add_cost(std::string_view category, std::string number, Day day, std::int64_t minor) {
  if (minor <= 0) return;
  FinanceDocument cost = made(FinanceKind::cost, std::move(number), euro(), minor, day);
  cost.category = category;
  cost.account = "1200";
  if (day <= today_) cost.paid = day;
  flow(day, -minor, euro());
  documents_.push_back(std::move(cost));
}

// One month: what it really cost, its budget, its tax.
void DemoFinance::add_month(Day first, std::int64_t usual) {
  const std::int64_t month = scale_of(first, usual);
  Dice dice(company_.options().seed, 0x636f7374000000 + static_cast<std::uint64_t>(day_number(first)));
  const std::string name = month_text(first);
  const auto plan = [&](std::string_view category, std::int64_t amount) {
    FinanceDocument budget = made(FinanceKind::budget, name + " " + std::string(category), euro(), amount, first);
    budget.category = category;
    documents_.push_back(std::move(budget));
  };
  for (const Regular& cost : regular) {
    if (!falls_in(cost, first)) continue;
    const Day day = day_of(first, cost.day);
    const std::int64_t planned = month * cost.per_mille / 1000;
    plan(cost.category, planned);
    if (day <= today_) add_cost(cost.category, std::string(cost.category) + " " + name, day, planned * dice.between(96, 106) / 100);
    else flow(day, -planned, euro());  // the rule says so
  }
  for (const auto& [category, per_mille] : occasional) {
    const std::int64_t planned = month * per_mille / 1000;
    plan(category, planned);
    const auto times = static_cast<int>(dice.between(1, 3));
    for (int i = 0; i < times; ++i) {
      const Day day = day_of(first, static_cast<unsigned>(dice.between(2, 28)));
      const std::int64_t amount = planned * dice.between(20, 75) / 100;
      if (day <= today_) add_cost(category, std::string(category) + " " + name + "-" + std::to_string(i + 1), day, amount);
    }
  }
  // What was left over was put into machines.
  plan("Investment", month * invested_per_mille / 1000);
  if (const Day day = day_of(first, 20); day <= today_) add_cost("Investment", "Machines " + name, day, month * invested_per_mille / 1000);
  for (const auto& [category, per_mille] : {std::pair<std::string_view, std::int64_t>{"VAT", vat_per_mille}, {"Payroll tax", payroll_tax_per_mille}}) {
    plan(category, month * per_mille / 1000);
    const std::int64_t amount = month * per_mille / 1000 * dice.between(90, 110) / 100;
    const Day due = day_of(first, 10);
    FinanceDocument tax = made(FinanceKind::tax, std::string(category) + " " + name, euro(), amount, plus(first, -1));
    tax.category = category;
    tax.due = due;
    if (due <= today_) tax.paid = due;
    flow(due, -amount, euro());
    documents_.push_back(std::move(tax));
  }
}

void DemoFinance::add_costs(std::int64_t month) {
  const Day this_month = today_.year() / today_.month() / 1;
  for (int back = history_days / 31; back >= -4; --back) {
    const auto when = today_.year() / today_.month() - std::chrono::months(back);
    add_month(when / std::chrono::day(1), month);
  }
  for (const Regular& cost : regular) {
    // The rule begins with the first time that is still to come.
    for (int ahead = 0; ahead < 4; ++ahead) {
      const Day first{(this_month.year() / this_month.month() + std::chrono::months(ahead)) / std::chrono::day(1)};
      const Day day = day_of(first, cost.day);
      if (!falls_in(cost, first) || day <= today_) continue;
      FinanceDocument rule = made(FinanceKind::recurring_cost, "Rule " + std::string(cost.category), euro(), month * cost.per_mille / 1000, day);
      rule.category = cost.category;
      rule.every = cost.every;
      documents_.push_back(std::move(rule));
      break;
    }
  }
}

// The bank's balances follow from what was paid; the credit line from the lowest day of the weeks to come.
void DemoFinance::add_balances(std::int64_t month) {
  const std::int32_t today = day_number(today_);
  // Of the days from `from` to the end of the 13 weeks, against today.
  const auto lowest = [&](std::int32_t from) {
    std::int64_t sum = 0;
    std::optional<std::int64_t> low;
    for (const auto& [day, cents] : flows_) {
      if (day <= today || day > today + 91) continue;
      if (day >= from && !low) low = sum;
      sum += cents;
      if (day >= from) low = std::min(*low, sum);
    }
    return low.value_or(sum);
  };
  balance_ = month * 22 / 100;
  // A company that never needs its bank shows nobody anything: it buys a machine then.
  const Day day = workday(plus(today_, 40));
  if (const std::int64_t spare = balance_ + lowest(day_number(day)) + month / 5; spare > 0) {
    FinanceDocument machine = made(FinanceKind::cost, "Test bench", euro(), spare, today_);
    machine.category = "Investment";
    machine.posted.reset();
    machine.due = day;
    machine.account = "1200";
    machine.comment = "second half of the new test bench";
    flow(day, -spare, euro());
    documents_.push_back(std::move(machine));
  }
  const std::int64_t needed = std::max<std::int64_t>(0, -(balance_ + lowest(today))) + month / 25;
  FinanceDocument line = made(FinanceKind::credit_line, "Bank credit line", euro(), (needed / ten_thousand_euros + 1) * ten_thousand_euros, plus(today_, -400));
  line.until = plus(today_, 500);
  line.account = "1200";
  documents_.push_back(std::move(line));
  std::int64_t balance = balance_;
  for (std::int32_t at = today; at > today - history_days; --at) {
    const Day date = day_from_number(at);
    const bool month_end = day_from_number(at + 1).month() != date.month();
    if (at > today - 30 || month_end) {
      FinanceDocument shown = made(FinanceKind::balance, "1200 " + iso(date), euro(), balance, date);
      shown.account = "1200";
      documents_.push_back(std::move(shown));
    }
    if (const auto flown = flows_.find(at); flown != flows_.end()) balance -= flown->second;
  }
}

}  // namespace millrace::app
