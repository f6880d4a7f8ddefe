#include "query/cash.h"

#include <doctest/doctest.h>

#include "query/ageing.h"
#include "query/cash_forecasts.h"
#include "query/cash_keeper.h"
#include "query/costs.h"
#include "query/order_money.h"
#include "query/payment_profile.h"
#include "testing/world.h"

namespace millrace::query {
namespace {

using testing::day;

const Day today = day("2026-03-10");  // a Tuesday
const Currency eur = *Currency::parse("EUR"), usd = *Currency::parse("USD");

// A document in the words of its kind.
FinanceDocument document(FinanceKind kind, std::string number, std::string_view posted, std::int64_t amount) {
  FinanceDocument made;
  made.kind = kind;
  made.source = "erp";
  made.number = std::move(number);
  made.currency = eur;
  made.posted = day(posted);
  made.amount = amount;
  return made;
}
FinanceDocument invoice(std::string number, std::string party, std::string_view posted, std::string_view due, std::int64_t amount) {
  FinanceDocument made = document(FinanceKind::invoice, std::move(number), posted, amount);
  made.party_code = made.party_name = std::move(party);
  made.due = day(due);
  return made;
}
FinanceDocument payment(std::string number, const FinanceDocument& of, std::string_view posted, std::int64_t amount) {
  FinanceDocument made = document(of.kind == FinanceKind::bill ? FinanceKind::supplier_payment : FinanceKind::payment, std::move(number), posted, amount);
  made.party_code = made.party_name = of.party_code;
  made.allocations.push_back({of.kind, of.number, 0, amount});
  return made;
}
FinanceDocument balance(std::string account, std::string_view posted, std::int64_t amount) {
  FinanceDocument made = document(FinanceKind::balance, account + " " + std::string(posted), posted, amount);
  made.account = std::move(account);
  return made;
}

// The order book of a World and finance documents beside it.
class Company {
 public:
  testing::World world;
  void put(const FinanceDocument& made) { world.finance(made.kind, made.number, made.source).document() = made; }
  std::shared_ptr<const CashMoves> moves(Day on = today) {
    const auto snapshot = world.snapshot();
    return cash_moves(snapshot, snapshot->finance(), cash_finance(snapshot->finance(), on));
  }
  CashBoard board(std::span<const ScenarioChange> changes = {}) { return *cash_board(moves(), eur, changes); }
};

std::string amount(std::int64_t minor) { return decimal_text(Money{minor, eur}); }

// "2026-03-20 order 7 100.00 why": without balances.
std::string table(const CashBoard& board) {
  std::string out;
  for (const planning::CashItem& item : board.items) {
    if (item.layer == planning::CashLayer::balance) continue;
    out += (item.day == planning::cash_no_day ? std::string("no day") : iso(day_from_number(item.day))) + " " + std::string(planning::word(item.layer)) + " " + board.moves->id(item.id) + " " +
           amount(item.converted) + ": " + board.moves->why(item.id) + "\n";
  }
  return out;
}

// Every figure of a plan against the items that stand behind it.
void check_figures(const CashBoard& board, const CashQuestion& question) {
  const planning::PlanAnswer plan = cash_plan(board, question);
  const auto sum = [&](std::int32_t from, std::int32_t to, std::optional<bool> incoming, std::optional<planning::CashLayer> layer, std::string category = "") {
    CashItemsQuestion asked;
    asked.of = question;
    asked.from = day_from_number(from);
    asked.to = day_from_number(to);
    asked.incoming = incoming;
    asked.layer = layer;
    asked.category = std::move(category);
    asked.limit = 2;
    std::int64_t total = 0;
    std::uint64_t count = 0;
    std::optional<CashItems> page;
    do {  // pages add up as well
      page = *cash_items(board, asked);
      for (const std::size_t item : page->items) total += board.items[item].converted;
      count += page->items.size();
      asked.cursor = page->next_cursor;
    } while (!asked.cursor.empty());
    CHECK(total == page->total);
    CHECK(count == page->count);
    return total;
  };
  for (const planning::PlanDay& one : plan.days) {
    CHECK(sum(one.day, one.day, true, {}) == one.sums.receipts);
    CHECK(sum(one.day, one.day, false, {}) == one.sums.payments);
  }
  for (const planning::PlanWeek& week : plan.weeks) {
    for (std::size_t i = 1; i < planning::cash_layer_count; ++i) {
      const auto layer = static_cast<planning::CashLayer>(i);
      if (question.layers.has(layer)) CHECK(sum(week.first, week.last, true, layer) == week.by_layer[i].receipts);
    }
    for (std::size_t i = 1; i < week.payments_by_category.size(); ++i)
      CHECK(sum(week.first, week.last, false, {}, board.moves->finance->categories[i]) == week.payments_by_category[i]);
  }
}

// Twelve invoices of ACME, each paid 9 days late.
void habit(Company& company, std::string party = "C1", int late = 9) {
  for (int i = 0; i < 12; ++i) {
    const std::int32_t posted = day_number(day("2025-02-01")) + 30 * i;
    FinanceDocument owed = invoice(party + "-h" + std::to_string(i), party, iso(day_from_number(posted)), iso(day_from_number(posted + 30)), 100'000);
    company.put(payment(party + "-p" + std::to_string(i), owed, iso(day_from_number(posted + 30 + late)), 100'000));
    company.put(owed);
  }
}

}  // namespace

TEST_CASE("an order line's money is expected on its due date, plus terms, plus the customer's usual delay") {
  Company company;
  habit(company);
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").line("4", "EUR 25.00").open("3");
  company.world.sales_order("8").customer("C1", "ACME").requested("2026-03-01").line("1", "EUR 10.00");
  company.world.sales_order("9").customer("C1", "ACME").line("1", "EUR 5.00");
  const CashBoard board = company.board();
  const std::int32_t usual = board.moves->parties.at(board.items.front().party).p50;
  const std::string late = " + usually " + std::to_string(usual) + " days late\n";
  CHECK(usual >= 8);
  CHECK(usual <= 10);
  CHECK(table(board) == iso(day_from_number(day_number(day("2026-03-20")) + 30 + usual)) + " ordered order/7/1 75.00: delivery 20 Mar + 30 days terms" + late +
                            iso(day_from_number(day_number(today) + 30 + usual)) + " ordered order/8/1 10.00: was due 1 Mar, delivery from 10 Mar + 30 days terms" + late +
                            "no day ordered order/9/1 5.00: no due date, so nobody knows when\n");
  check_figures(board, {.currency = eur});
}

TEST_CASE("moving an order by 14 days moves exactly its open amount by 14 days") {
  Company company;
  habit(company);
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").line("4", "EUR 25.00").open("3");
  company.world.sales_order("8").customer("C1", "ACME").requested("2026-04-20").line("1", "EUR 10.00");
  const CashQuestion question{.currency = eur};
  const auto before = cash_plan(company.board(), question);
  company.world.sales_order("7").promised("2026-04-03");
  const CashBoard moved = company.board();
  const auto after = cash_plan(moved, question);
  std::string changed;
  for (std::size_t i = 0; i < before.days.size(); ++i)
    if (before.days[i].sums.receipts != after.days[i].sums.receipts)
      changed += iso(day_from_number(before.days[i].day)) + " " + amount(after.days[i].sums.receipts - before.days[i].sums.receipts) + "\n";
  const std::int32_t usual = moved.moves->parties.at(moved.items.front().party).p50;
  CHECK(changed == iso(day_from_number(day_number(day("2026-03-20")) + 30 + usual)) + " -75.00\n" + iso(day_from_number(day_number(day("2026-04-03")) + 30 + usual)) + " 75.00\n");
}

TEST_CASE("an invoice is expected by how late it is already, and is gone when it is paid") {
  Company company;
  habit(company);
  FinanceDocument open = invoice("9001", "C1", "2026-02-01", "2026-03-12", 50'000);
  company.put(open);
  company.put(invoice("9002", "C1", "2026-01-01", "2026-01-31", 20'000));  // 38 days late
  company.put(balance("1200", "2026-03-09", 1'000'000));
  CashBoard board = company.board();
  CHECK(board.opening == 1'000'000);
  const CashQuestion question{.currency = eur};
  CHECK(cash_plan(board, question).weeks.back().closing == 1'070'000);
  for (const planning::CashItem& item : board.items) {
    CHECK(item.day >= day_number(today));
    CHECK(item.early <= item.day);
    CHECK(item.day <= item.late);
  }
  check_figures(board, question);
  company.put(payment("P1", open, "2026-03-10", 50'000));  // after the balance of its account
  board = company.board();
  CHECK(board.opening == 1'050'000);
  CHECK(cash_plan(board, question).weeks.back().closing == 1'070'000);
  company.put(balance("1200", "2026-03-10", 1'050'000));
  CHECK(company.board().opening == 1'050'000);
}

TEST_CASE("one order line through open, delivered, invoiced and paid counts once at every step") {
  Company company;
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").line("4", "EUR 25.00");
  const auto states = [&] {
    const auto snapshot = company.world.snapshot();
    const auto moves = cash_moves(snapshot, snapshot->finance(), cash_finance(snapshot->finance(), today));
    const auto order = order_money(*moves, snapshot->finance(), "7");
    const LineMoney& money = order->money;
    std::int64_t cash = 0;
    for (const planning::CashItem& item : moves->list.items) cash += item.amount;
    return amount(money.open) + " open, " + amount(money.delivered) + " delivered, " + amount(money.invoiced) + " invoiced, " + amount(money.paid) + " paid; " + amount(cash) + " to come";
  };
  const auto line = [](FinanceDocument& document, std::string_view pieces, std::int64_t minor) {
    FinanceLine one;
    one.order.text = "7";
    one.order_line = 1;
    one.quantity = testing::quantity(pieces);
    one.amount = minor;
    document.lines.push_back(one);
  };
  CHECK(states() == "100.00 open, 0.00 delivered, 0.00 invoiced, 0.00 paid; 100.00 to come");
  FinanceDocument delivery = document(FinanceKind::delivery, "D1", "2026-03-10", 0);
  delivery.party_code = "C1";
  line(delivery, "3", 0);
  company.put(delivery);
  company.world.sales_order("7").open("1");
  CHECK(states() == "25.00 open, 75.00 delivered, 0.00 invoiced, 0.00 paid; 100.00 to come");
  FinanceDocument asked = invoice("9001", "C1", "2026-03-10", "2026-04-09", 5'950);
  asked.tax = 950;
  line(asked, "2", 5'000);
  company.put(asked);
  CHECK(states() == "25.00 open, 25.00 delivered, 50.00 invoiced, 0.00 paid; 109.50 to come");  // the invoice is gross
  company.put(payment("P1", asked, "2026-03-10", 5'950));
  CHECK(states() == "25.00 open, 25.00 delivered, 0.00 invoiced, 50.00 paid; 50.00 to come");
}

TEST_CASE("currencies are converted by a dated rate that is told, and what has none stands beside") {
  Company company;
  FinanceDocument dollars = invoice("1", "C1", "2026-03-01", "2026-03-31", 10'000);
  dollars.currency = usd;
  company.put(dollars);
  FinanceDocument yen = invoice("2", "C2", "2026-03-01", "2026-03-31", 700);
  yen.currency = *Currency::parse("JPY");
  company.put(yen);
  FinanceDocument rate = document(FinanceKind::rate, "USD/EUR", "2026-03-05", 0);
  rate.currency = Currency();
  rate.rate = ExchangeRate{usd, eur, 9'000'000'000};
  company.put(rate);
  const CashBoard board = company.board();
  REQUIRE(board.roads.size() == 1);
  CHECK(iso(board.roads[0].steps().at(0).day) == "2026-03-05");
  REQUIRE(board.without_rate.size() == 1);
  CHECK(board.without_rate[0].code() == "JPY");
  CHECK(cash_plan(board, {.currency = eur}).weeks.back().closing == 9'000);
  check_figures(board, {.currency = eur});
  ScenarioChange dearer;
  dearer.kind = ScenarioChange::Kind::rate;
  dearer.from = usd, dearer.to = eur;
  dearer.percent.micros = 10 * micros_per_one;
  CHECK(cash_plan(company.board(std::span(&dearer, 1)), {.currency = eur}).weeks.back().closing == 9'900);
}

TEST_CASE("a scenario is laid over the movements and says what it does not meet") {
  Company company;
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").line("4", "EUR 25.00");
  company.put(invoice("9001", "C1", "2026-03-01", "2026-03-31", 50'000));
  ScenarioChange later, slips, nobody;
  later.kind = ScenarioChange::Kind::customer_later;
  later.party = "C1", later.days = 30;
  slips.kind = ScenarioChange::Kind::order_slips;
  slips.order = "7", slips.days = 14;
  nobody.kind = ScenarioChange::Kind::supplier_later;
  nobody.party = "V9", nobody.days = 5;
  const CashBoard plain = company.board();
  const std::vector<ScenarioChange> changes{later, slips, nobody};
  const CashBoard board = company.board(changes);
  CHECK(board.without_effect == std::vector<std::string>{"supplier_later V9"});
  REQUIRE(board.items.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const bool order = board.items[i].layer == planning::CashLayer::ordered;
    CHECK(board.items[i].day - plain.items[i].day == (order ? 44 : 30));
  }
}

TEST_CASE("costs count once: a cost that names its rule stands for that turn") {
  Company company;
  FinanceDocument rent = document(FinanceKind::recurring_cost, "RENT", "2026-01-15", 100'000);
  rent.category = "Rent";
  rent.every = Every::month;
  company.put(rent);
  FinanceDocument march = document(FinanceKind::cost, "C-1", "2026-03-12", 105'000);
  march.category = "Rent";
  march.reference = "RENT";
  company.put(march);
  FinanceDocument budget = document(FinanceKind::budget, "B-1", "2026-03-01", 90'000);
  budget.category = "Rent";
  company.put(budget);
  const auto snapshot = company.world.snapshot();
  const auto finance = cash_finance(snapshot->finance(), today);
  const auto answer = costs(*snapshot, snapshot->finance(), *finance, {.currency = eur, .from = day("2026-03-01"), .to = day("2026-04-30"), .category = "", .by_month = true});
  REQUIRE(answer);
  std::string out;
  for (const CostRow& row : answer->rows)
    out += row.month + " " + row.category + ": " + amount(row.sums.actual) + " of " + amount(row.sums.budget) + ", " + amount(row.sums.planned) + " to come\n";
  CHECK(out == "2026-03 Rent: 0.00 of 900.00, 1050.00 to come\n2026-04 Rent: 0.00 of 0.00, 1000.00 to come\n");
  check_figures(company.board(), {.currency = eur});
}

TEST_CASE("the low day names its payments and the late orders that would lift it") {
  Company company;
  company.put(balance("1200", "2026-03-09", 10'000));
  FinanceDocument line = document(FinanceKind::credit_line, "L1", "2026-01-01", 50'000);
  company.put(line);
  FinanceDocument wages = document(FinanceKind::cost, "W", "2026-03-25", 40'000);
  wages.category = "Wages";
  wages.due = day("2026-03-25");
  company.put(wages);
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").promised("2026-04-03").line("4", "EUR 100.00");
  const CashBoard board = company.board();
  const CashQuestion question{.currency = eur};
  const auto plan = cash_plan(board, question);
  CHECK(cash_sentence(board, plan) == "Cash is lowest on 25 March: EUR -300.00, EUR 200.00 above the credit line.");
  const CashLow low = cash_low(board, question, plan);
  REQUIRE(low.causes.size() == 1);
  CHECK(board.moves->number(board.items[low.causes[0]].id) == "W");
  REQUIRE(low.would_lift.size() == 1);
  CHECK(low.would_lift[0].order == "7");
  CHECK(low.would_lift[0].amount == 40'000);
  CHECK(low.would_lift[0].late_days == 14);
}

TEST_CASE("ageing adds up to what is open, and its cells to their documents") {
  Company company;
  habit(company);
  company.put(invoice("9001", "C1", "2026-02-01", "2026-03-12", 50'000));
  company.put(invoice("9002", "C1", "2026-01-01", "2026-01-31", 20'000));
  FinanceDocument undated = document(FinanceKind::invoice, "9003", "2026-01-01", 700);
  undated.party_code = "C2";
  company.put(undated);
  const auto snapshot = company.world.snapshot();
  AgeingAsked asked;
  asked.day = today;
  const auto answer = ageing_table(snapshot->finance(), asked);
  REQUIRE(answer);
  CHECK(answer->buckets == std::vector<std::string>{"not_due", "1-30", "31-60", "61-90", "91+", "no_date"});
  REQUIRE(answer->totals.size() == 1);
  CHECK(answer->totals[0].amounts == std::vector<std::int64_t>{50'000, 0, 20'000, 0, 0, 700});
  CHECK(answer->totals[0].total == 70'700);
  for (const AgeingRow& row : answer->rows)
    for (std::size_t i = 0; i < row.amounts.size(); ++i) {
      AgeingItemsAsked cell;
      cell.of = asked;
      cell.bucket = answer->buckets[i];
      cell.party = row.key;
      const auto items = ageing_items(snapshot->finance(), cell);
      REQUIRE(items);
      CHECK((items->totals.sums().empty() ? 0 : items->totals.sums().front().minor) == row.amounts[i]);
    }
}

TEST_CASE("a kept forecast and the next one differ by exactly what the bridge says") {
  Company company;
  habit(company);
  company.put(balance("1200", "2026-03-09", 1'000'000));
  FinanceDocument open = invoice("9001", "C1", "2026-02-01", "2026-03-12", 50'000);
  company.put(open);
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").line("4", "EUR 25.00");
  const CashBoard first = company.board();
  const planning::KeptForecast before = kept_forecast(first, 13);
  CHECK(before.closing(before.end_day) == cash_plan(first, {.currency = eur}).days.back().closing);
  company.put(payment("P1", open, "2026-03-10", 50'000));
  company.world.sales_order("8").customer("C1", "ACME").requested("2026-03-22").line("1", "EUR 11.00");
  company.world.sales_order("7").promised("2027-03-20");
  const CashBoard second = company.board();
  const planning::KeptForecast after = kept_forecast(second, 13);
  const auto snapshot = company.world.snapshot();
  const auto bridge = planning::bridge(before, after, before.end_day, settled_since(before, second, snapshot->finance()));
  REQUIRE(bridge);
  std::int64_t parts = 0;
  for (const std::int64_t part : bridge->parts) parts += part;
  CHECK(parts == bridge->difference());
  CHECK(bridge->parts[static_cast<std::size_t>(planning::BridgePart::timing)] == -10'000);
  CHECK(bridge->parts[static_cast<std::size_t>(planning::BridgePart::fresh)] == 1'100);
  const auto decoded = planning::decode_kept_forecast(planning::encode(before));
  REQUIRE(decoded);
  CHECK(*decoded == before);
}

TEST_CASE("what is kept from question to question changes no byte of the answer") {
  Company company;
  habit(company, "C1", 9);
  habit(company, "C2", 3);
  company.put(balance("1200", "2026-03-09", 1'000'000));
  for (int i = 0; i < 40; ++i)
    company.world.sales_order(std::to_string(100 + i)).customer(i % 2 ? "C1" : "C2").requested(iso(day_from_number(day_number(today) + i))).line("1", "EUR 10.00");
  CashKeeper kept;
  const CashQuestion question{.currency = eur};
  for (int step = 0; step < 4; ++step) {
    if (step == 2) company.put(invoice("9001", "C1", "2026-02-01", "2026-03-12", 50'000));
    if (step == 3) company.world.sales_order("105").promised("2026-05-05");
    const auto snapshot = company.world.snapshot();
    const auto board = kept.board(snapshot, today, eur);
    REQUIRE(board);
    const auto band = kept.band(**board, question);
    REQUIRE(band);
    CashKeeper fresh;
    CHECK(*band == *fresh.band(**fresh.board(snapshot, today, eur), question));
    CHECK(band->back().p10 <= band->back().p90);
  }
  CHECK(kept.statistics().bands_run == 1);
  CHECK(kept.statistics().finance_made == 2);
}

TEST_CASE("a customer's payments say how he pays and what is open") {
  Company company;
  habit(company);
  company.put(invoice("9001", "C1", "2026-02-01", "2026-03-12", 50'000));
  company.world.sales_order("7").customer("C1", "ACME").requested("2026-03-20").line("4", "EUR 25.00");
  const auto snapshot = company.world.snapshot();
  const auto moves = company.moves();
  const auto answer = customer_payments(*moves, snapshot->finance(), "C1", 100);
  REQUIRE(answer);
  CHECK(answer->profile.invoices == 12);
  CHECK(answer->profile.late_share == doctest::Approx(1.0));
  CHECK(answer->open_count == 1);
  CHECK(answer->open.sums().at(0).minor == 50'000);
  CHECK(answer->not_invoiced.sums().at(0).minor == 10'000);
  CHECK(answer->history.size() == 13);
  CHECK(answer->history.front().document->number == "9001");
  CHECK_FALSE(customer_payments(*moves, snapshot->finance(), "nobody", 100));
}

}  // namespace millrace::query
