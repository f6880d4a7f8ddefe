#include "app/demo_finance.h"

#include <algorithm>
#include <array>

#include "domain/order_rules.h"

namespace millrace::app {
namespace {

constexpr int history_days = 730, orders_days = 420;
constexpr std::uint64_t habit_dice = 0x68616269740000, sale_dice = 0x73616c650000, older_dice = 0x6f6c646572;

struct Rate {
  std::string_view currency;
  std::int64_t micros;  // euros for one
};
constexpr std::array<Rate, 4> rates{{{"USD", 921'659}, {"CHF", 1'058'201}, {"SEK", 88'889}, {"JPY", 6'173}}};

Currency euro() { return *Currency::parse("EUR"); }

std::int64_t euro_cents(std::int64_t minor, Currency currency) {
  if (currency == euro()) return minor;
  const auto rate = std::ranges::find(rates, currency.code(), &Rate::currency);
  if (rate == rates.end()) return minor;
  Int128 cents = Int128{minor} * rate->micros;
  for (int digit = currency.decimals(); digit < 2; ++digit) cents *= 10;
  for (int digit = 2; digit < currency.decimals(); ++digit) cents /= 10;
  return static_cast<std::int64_t>(divide_half_away(cents, micros_per_one));
}

Day plus(Day day, int days) { return day_from_number(day_number(day) + days); }

Day workday(Day day) {
  const std::chrono::weekday weekday{std::chrono::sys_days(day)};
  if (weekday == std::chrono::Saturday) return plus(day, 2);
  return weekday == std::chrono::Sunday ? plus(day, 1) : day;
}

std::string payment_suffix(std::int32_t instalment) { return instalment <= 1 ? "" : "-" + std::to_string(instalment); }

std::vector<std::pair<std::string, TermsRule>> terms_list() {
  TermsRule n14{.days = 14}, n30{.days = 30}, n60{.days = 60}, eom{.days = 10, .months = 1, .month_end = true}, halves{};
  n30.discount_days = 10;
  n30.discount = Percent{2 * micros_per_one};
  halves.parts = {{14, Percent{50 * micros_per_one}}, {45, Percent{50 * micros_per_one}}};
  return {{"N30", n30}, {"N14", n14}, {"N60", n60}, {"EOM10", eom}, {"2x50", halves}};
}

}  // namespace

DemoFinance::DemoFinance(const DemoCompany& company) : company_(company), today_(company.options().today) {
  add_terms_and_rates();
  add_sales();
  add_older_sales();
  for (const auto& [day, cents] : flows_)
    if (day <= day_number(today_)) came_in_[month_of(day_from_number(day))] += cents;
  // Costs are what the company can just afford: a little less than what comes in.
  std::int64_t expected = 0;
  for (const auto& [day, cents] : flows_)
    if (day > day_number(today_) && day <= day_number(today_) + 91) expected += cents;
  const std::int64_t month = std::max<std::int64_t>(expected / 3, 2'000'000);
  add_purchases(month);
  add_costs(month);
  add_balances(month);
}

FinanceDocument DemoFinance::made(FinanceKind kind, std::string number, Currency currency, std::int64_t amount, Day posted) const {
  FinanceDocument document;
  document.kind = kind;
  document.source = source;
  document.number = std::move(number);
  document.currency = currency;
  document.amount = amount;
  document.posted = posted;
  document.origin = "demo";
  return document;
}

void DemoFinance::flow(Day day, std::int64_t minor, Currency currency) { flows_[day_number(day)] += euro_cents(minor, currency); }

void DemoFinance::add_terms_and_rates() {
  for (auto& [code, rule] : terms_list()) {
    FinanceDocument terms = made(FinanceKind::terms, code, {}, 0, plus(today_, -history_days));
    terms.posted.reset();
    terms.terms_rule = rule;
    documents_.push_back(std::move(terms));
  }
  for (std::size_t i = 0; i < rates.size(); ++i) {
    Dice dice(company_.options().seed, 0x72617465 + i);
    std::int64_t percent_of = 10'000;  // of the rate today, in hundredths of a percent
    for (int week = 0; week * 7 < history_days; ++week) {
      FinanceDocument rate = made(FinanceKind::rate, std::string(rates[i].currency) + "/EUR", {}, 0, plus(today_, -7 * week));
      rate.rate = ExchangeRate{*Currency::parse(rates[i].currency), euro(), rates[i].micros * percent_of};
      documents_.push_back(std::move(rate));
      percent_of = std::clamp<std::int64_t>(percent_of + dice.between(-60, 60), 9'000, 11'000);
    }
  }
}

DemoHabit DemoFinance::habit_of(std::size_t customer) const {
  Dice dice(company_.options().seed, habit_dice + customer);
  const auto terms = terms_list();
  const auto& [code, rule] = terms[dice.low_below(terms.size(), 2)];
  DemoHabit habit{code, rule, static_cast<int>(dice.between(-3, 9)), static_cast<int>(dice.between(1, 6)), 0};
  if (dice.chance(200)) habit.delay += static_cast<int>(dice.between(8, 22));
  if (dice.chance(150)) habit.drift = static_cast<int>(dice.between(4, 12));
  return habit;
}

const DemoCustomer* DemoFinance::customer_of(const SalesOrder& order, std::size_t& place) const {
  const auto found = std::ranges::find(company_.customers(), order.customer_code, &DemoCustomer::code);
  if (found == company_.customers().end()) return nullptr;
  place = static_cast<std::size_t>(found - company_.customers().begin());
  return &*found;
}

std::vector<FinanceLine> DemoFinance::uninvoiced(const SalesOrder& order) {
  std::vector<FinanceLine> lines;
  if (order.cancelled) return lines;
  for (const OrderLine& line : order.lines) {
    if (line.status == LineStatus::cancelled || line.quantity_ordered.micros <= 0) continue;
    std::int64_t& before = invoiced_[{order.number.text, line.line_number}];
    const std::int64_t left = line.quantity_ordered.micros - line.quantity_open.micros;
    if (left <= before) continue;
    // The difference of two shares, so that what is invoiced and what is open are the line together.
    const auto share = [&](std::int64_t micros) { return static_cast<std::int64_t>(divide_half_away(Int128{line.line_total} * micros, line.quantity_ordered.micros)); };
    lines.push_back({order.number, line.line_number, Quantity{left - before}, share(left) - share(before), line.item_name});
    before = left;
  }
  return lines;
}

FinanceDocument DemoFinance::invoice_of(const SalesOrder& order, const DemoCustomer& customer, const DemoHabit& habit, std::vector<FinanceLine> lines,
                                        std::string number, Day posted) const {
  std::int64_t net = 0;
  for (const FinanceLine& line : lines) net += line.amount;
  const bool last = std::ranges::none_of(order.lines, [](const OrderLine& line) { return line.quantity_open.micros > 0; });
  if (last && order.freight > 0) lines.push_back({{}, std::nullopt, {}, order.freight, "Freight"});
  const auto tax = static_cast<std::int64_t>(divide_half_away(Int128{net} * tax_percent(customer.country), 100));
  FinanceDocument invoice = made(FinanceKind::invoice, std::move(number), order.currency, net + tax + (last ? std::max<std::int64_t>(0, order.freight) : 0), posted);
  invoice.tax = tax;
  invoice.party_code = customer.code;
  invoice.party_name = customer.name;
  invoice.reference = order.customer_reference;
  invoice.salesperson = order.salesperson;
  invoice.country = customer.country;
  invoice.terms = habit.terms;
  invoice.due = due_day(habit.rule, posted);
  if (!habit.rule.parts.empty()) invoice.instalments = instalments_of(habit.rule, posted, invoice.amount);
  invoice.lines = std::move(lines);
  return invoice;
}

void DemoFinance::add_sales() {
  for (std::size_t index = 0; index < company_.options().order_count; ++index) add_sale(company_.document(index).order);
}

void DemoFinance::add_sale(const SalesOrder& order) {
  std::size_t place = 0;
  const DemoCustomer* customer = customer_of(order, place);
  if (customer == nullptr) return;
  const DemoHabit habit = habit_of(place);
  Dice dice(company_.options().seed, sale_dice + static_cast<std::uint64_t>(std::stoll(order.number.text)));
  std::vector<FinanceLine> lines = uninvoiced(order);
  expect_order(order, habit);
  if (lines.empty()) return;
  const Day left = workday(std::min(today_, order.updated ? utc_day(*order.updated) : *order.order_date));
  FinanceDocument delivery = made(FinanceKind::delivery, "L" + order.number.text, order.currency, 0, std::min(left, today_));
  delivery.party_code = customer->code;
  delivery.party_name = customer->name;
  delivery.lines = lines;
  for (FinanceLine& line : delivery.lines) line.amount = 0;
  documents_.push_back(std::move(delivery));
  const Day posted = workday(plus(left, static_cast<int>(dice.between(0, 4))));
  if (posted > today_) {  // left, not invoiced yet; expected as if it were
    for (const FinanceLine& line : lines) invoiced_[{order.number.text, *line.order_line}] -= line.quantity.micros;
    return flow(plus(due_day(habit.rule, today_), habit.delay), invoice_of(order, *customer, habit, std::move(lines), "", today_).amount, order.currency);
  }
  ++invoices_of_[order.number.text];
  add_invoice(invoice_of(order, *customer, habit, std::move(lines), "R" + order.number.text, posted), habit, dice);
}

// What is still to be delivered comes after delivery, terms and habit.
void DemoFinance::expect_order(const SalesOrder& order, const DemoHabit& habit) {
  if (!is_active(order.status)) return;
  const std::int64_t open = amounts(order).open;
  const Day delivered = std::max(today_, *order.requested_date);
  if (open > 0) flow(plus(due_day(habit.rule, delivered), habit.delay), open, order.currency);
}

void DemoFinance::add_older_sales() {
  Dice dice(company_.options().seed, older_dice);
  const std::size_t count = company_.options().order_count * (history_days - orders_days) / orders_days;
  std::int64_t sum = 0, invoices = 0;
  for (const FinanceDocument& document : documents_)
    if (document.kind == FinanceKind::invoice) sum += euro_cents(document.amount, document.currency), ++invoices;
  const std::int64_t usual = std::max<std::int64_t>(100'000, sum / std::max<std::int64_t>(1, invoices));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = dice.low_below(company_.customers().size(), 4);
    const DemoCustomer& customer = company_.customers()[place];
    const DemoHabit habit = habit_of(place);
    const int age = history_days - static_cast<int>(i * (history_days - orders_days) / count);
    const Day posted = workday(plus(today_, -age));
    const std::int64_t cents = usual * dice.between(10, 180) / 100;  // in the customer's currency
    const std::int64_t one_in_cents = std::max<std::int64_t>(1, euro_cents(customer.currency.decimals() == 0 ? 1'000 : 100'000, customer.currency));
    const std::int64_t minor = cents * (customer.currency.decimals() == 0 ? 1'000 : 100'000) / one_in_cents;
    FinanceDocument invoice = made(FinanceKind::invoice, "R" + std::to_string(80'001 + i), customer.currency, minor, posted);
    invoice.party_code = customer.code;
    invoice.party_name = customer.name;
    invoice.country = customer.country;
    invoice.terms = habit.terms;
    invoice.due = due_day(habit.rule, posted);
    if (!habit.rule.parts.empty()) invoice.instalments = instalments_of(habit.rule, posted, minor);
    add_invoice(std::move(invoice), habit, dice);
  }
}

// The invoice, and what came of it until today: sometimes a credit note, then the money, by the customer's habit.
void DemoFinance::add_invoice(FinanceDocument invoice, const DemoHabit& habit, Dice& dice) {
  const int years_tenths = (history_days - (day_number(today_) - day_number(*invoice.posted))) * 10 / 365;
  std::int64_t left = invoice.amount;
  if (dice.chance(20) && left > 10'000) {
    const Day posted = workday(plus(*invoice.posted, static_cast<int>(dice.between(4, 15))));
    const std::int64_t back = left * dice.between(3, 12) / 100;
    if (posted <= today_) {
      FinanceDocument credit = made(FinanceKind::credit_note, "G" + invoice.number.substr(1), invoice.currency, back, posted);
      credit.party_code = invoice.party_code;
      credit.party_name = invoice.party_name;
      credit.allocations = {{FinanceKind::invoice, invoice.number, 0, back}};
      credit.comment = "price agreed by telephone";
      documents_.push_back(std::move(credit));
      left -= back;
    }
  }
  std::vector<Instalment> parts = invoice.instalments.empty() ? std::vector<Instalment>{{invoice.due, invoice.amount}} : invoice.instalments;
  parts.back().amount -= invoice.amount - left;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    int delay = habit.delay + habit.drift * years_tenths / 10 + static_cast<int>((dice.between(-habit.spread, habit.spread) + dice.between(-habit.spread, habit.spread)) / 2);
    if (dice.chance(35)) delay += static_cast<int>(dice.between(20, 55));
    const Day day = workday(std::max(plus(*invoice.posted, 1), plus(*parts[i].due, delay)));
    const std::int64_t amount = parts[i].amount;
    const auto instalment = static_cast<std::int32_t>(invoice.instalments.empty() ? 0 : i + 1);
    if (amount <= 0) continue;
    if (day > today_) {
      open_.emplace(day_number(day), Owed{invoice.number, invoice.party_code, invoice.party_name, invoice.currency, amount, instalment});
      flow(std::max(plus(today_, 1), plus(*parts[i].due, habit.delay)), amount, invoice.currency);
      continue;
    }
    FinanceDocument payment = made(FinanceKind::payment, "Z" + invoice.number.substr(1) + payment_suffix(instalment), invoice.currency, amount, day);
    payment.party_code = invoice.party_code;
    payment.party_name = invoice.party_name;
    payment.account = "1200";
    payment.allocations = {{FinanceKind::invoice, invoice.number, instalment, amount}};
    documents_.push_back(std::move(payment));
    flow(day, amount, invoice.currency);
  }
  documents_.push_back(std::move(invoice));
}

std::vector<FinanceDocument> DemoFinance::follow(const SalesOrder& order, Day today) {
  std::size_t place = 0;
  const DemoCustomer* customer = customer_of(order, place);
  if (customer == nullptr) return {};
  std::vector<FinanceLine> lines = uninvoiced(order);
  if (lines.empty()) return {};
  const DemoHabit habit = habit_of(place);
  const int count = ++invoices_of_[order.number.text];
  const std::string number = order.number.text + (count == 1 ? "" : "-" + std::to_string(count));
  FinanceDocument delivery = made(FinanceKind::delivery, "L" + number, order.currency, 0, today);
  delivery.party_code = customer->code;
  delivery.party_name = customer->name;
  delivery.lines = lines;
  for (FinanceLine& line : delivery.lines) line.amount = 0;
  FinanceDocument invoice = invoice_of(order, *customer, habit, std::move(lines), "R" + number, today);
  open_.emplace(day_number(*invoice.due) + habit.delay, Owed{invoice.number, customer->code, customer->name, order.currency, invoice.amount, 0});
  return {std::move(delivery), std::move(invoice)};
}

std::vector<FinanceDocument> DemoFinance::pay_next(Day today) {
  if (open_.empty()) return {};
  const Owed owed = std::move(open_.begin()->second);
  open_.erase(open_.begin());
  FinanceDocument payment = made(FinanceKind::payment, "Z" + owed.number.substr(1) + payment_suffix(owed.instalment), owed.currency, owed.amount, today);
  payment.party_code = owed.party;
  payment.party_name = owed.party_name;
  payment.account = "1200";
  payment.allocations = {{FinanceKind::invoice, owed.number, owed.instalment, owed.amount}};
  balance_ += euro_cents(owed.amount, owed.currency);
  FinanceDocument balance = made(FinanceKind::balance, "1200 " + iso(today), euro(), balance_, today);
  balance.account = "1200";
  return {std::move(payment), std::move(balance)};
}

}  // namespace millrace::app
