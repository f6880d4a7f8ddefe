#include "app/month_pack.h"

#include <algorithm>
#include <map>

#include "base/month_name.h"
#include "query/ageing.h"
#include "query/cash.h"
#include "query/costs.h"

namespace millrace::app {
namespace {

using namespace std::chrono;
using query::Cell;

constexpr int revenue_months = 12;
constexpr int weeks = 13;

std::string month_words(year_month month) {
  return std::string(month_name(month.month())) + " " + std::to_string(int{month.year()});
}
std::string month_text(Day day) { return iso(day).substr(0, 7); }
Cell day_of(std::int32_t number) { return query::day_cell(day_from_number(number)); }

// What all parts of a pack are made from.
struct Makings {
  const readmodel::SnapshotPtr& snapshot;
  const readmodel::FinanceBook& book;
  const MonthPackAsked& asked;
  Currency currency;
  Day first, last;  // of the month; `last` not after `asked.day`
  std::shared_ptr<const query::CashFinance> finance;

  Cell money(std::int64_t minor) const { return query::money_cell({minor, currency}); }
  std::string note() const { return "Amounts in " + currency.code() + "."; }
};

// -- the month: revenue and costs

Result<void> add_month(const Makings& of, Pack& pack) {
  query::CostsAsked year;
  year.currency = of.currency;
  year.to = of.last;
  year.from = Day(of.asked.month / 1) - months(revenue_months - 1);
  const auto revenue = query::costs(*of.snapshot, of.book, *of.finance, year);
  if (!revenue) return pass_on(revenue);
  query::CostsAsked month = year;
  month.from = of.first;
  month.by_month = false;
  const auto costs = query::costs(*of.snapshot, of.book, *of.finance, month);
  if (!costs) return pass_on(costs);

  PackTable series{"Revenue by month", of.note() + " Invoiced and ordered net, paid as it came.", {{"Month"}, {"Ordered", true}, {"Invoiced", true}, {"Paid", true}}, {}, false};
  for (const auto& row : revenue->revenue) {
    series.rows.push_back({query::text_cell(row.month), of.money(row.ordered), of.money(row.invoiced), of.money(row.paid)});
    if (row.month != month_text(of.first)) continue;
    pack.figures.push_back({"Ordered in the month", of.money(row.ordered)});
    pack.figures.push_back({"Invoiced in the month", of.money(row.invoiced)});
    pack.figures.push_back({"Paid by customers in the month", of.money(row.paid)});
  }
  PackTable table{"Costs by category", of.note() + " A difference below zero is over budget.",
                  {{"Category", false, 1.6F}, {"Documents", true, 0.8F}, {"Actual", true}, {"Planned", true}, {"Budget", true}, {"Difference", true, 1, true}}, {}, true};
  const auto row = [&](const std::string& name, const query::CostSums& sums) {
    table.rows.push_back({query::text_cell(name.empty() ? "(none)" : name), query::number_cell(static_cast<std::int64_t>(sums.documents)), of.money(sums.actual), of.money(sums.planned),
                          of.money(sums.budget), of.money(sums.difference())});
  };
  for (const auto& cost : costs->rows) row(cost.category, cost.sums);
  row("Total", costs->totals);
  pack.figures.push_back({"Costs in the month", of.money(costs->totals.actual)});
  pack.figures.push_back({"Budget of the month", of.money(costs->totals.budget)});
  pack.figures.push_back({"Against budget", of.money(costs->totals.difference())});
  pack.tables.push_back(std::move(series));
  pack.tables.push_back(std::move(table));
  return {};
}

// -- what is owed

// "41.2" days from tenths; "" when there is nothing to divide by.
Cell tenths(const std::optional<std::int64_t>& value) {
  return query::text_cell(value ? scaled_text(*value, 1) + " days" : "");
}

Result<void> add_ageing(const Makings& of, readmodel::LedgerSide side, Pack& pack) {
  query::AgeingAsked asked;
  asked.side = side;
  asked.day = of.last;
  const auto ageing = query::ageing_table(of.book, asked);
  if (!ageing) return pass_on(ageing);
  const bool ours = side == readmodel::LedgerSide::receivables;
  const std::string title = ours ? "Receivables by age" : "Payables by age";
  for (const auto& total : ageing->totals) {
    PackTable table{ageing->totals.size() == 1 ? title : title + " " + total.currency.code(), "Open on " + iso(of.last) + ", by days past due, in " + total.currency.code() + ".", {{ours ? "Customer" : "Supplier", false, 2}}, {}, true};
    for (const std::string& bucket : ageing->buckets) table.columns.push_back({bucket, true});
    table.columns.push_back({"Total", true});
    const auto add = [&](const std::string& name, const std::vector<std::int64_t>& amounts, std::int64_t sum) {
      table.rows.push_back({query::text_cell(name)});
      for (const std::int64_t amount : amounts) table.rows.back().push_back(query::money_cell({amount, total.currency}));
      table.rows.back().push_back(query::money_cell({sum, total.currency}));
    };
    std::vector<std::int64_t> rest(total.amounts.size(), 0);
    std::int64_t rest_total = 0;
    std::size_t shown = 0, others = 0;
    for (const auto& row : ageing->rows) {
      if (row.currency != total.currency) continue;
      if (shown < pack_parties_max) {
        ++shown;
        add(row.name.empty() ? row.key : row.name, row.amounts, row.total);
        continue;
      }
      ++others;
      for (std::size_t i = 0; i < rest.size(); ++i) rest[i] += row.amounts[i];
      rest_total += row.total;
    }
    if (others > 0) add(std::to_string(others) + " others", rest, rest_total);
    add("Total", total.amounts, total.total);
    pack.tables.push_back(std::move(table));
    if (total.currency == of.currency) pack.figures.push_back({ours ? "Owed to us" : "Owed by us", query::money_cell({total.total, total.currency})});
  }
  if (!ours) return {};
  for (const auto& measures : ageing->measures) {
    if (measures.currency != of.currency) continue;
    pack.figures.push_back({"Days of sales outstanding", tenths(measures.dso)});
    pack.figures.push_back({"Days late on average", tenths(measures.average_days_late)});
    pack.figures.push_back({"Days of payables outstanding", tenths(measures.dpo)});
  }
  return {};
}

// -- the weeks after

Result<std::vector<planning::BandDay>> band_of(const query::CashBoard& board, const query::CashQuestion& question) {
  const query::CashBandInput input = query::cash_band_input(board, question);
  planning::SimulationSettings settings;
  settings.threads = 1;
  const auto simulation = planning::CashSimulation::run(input.first_day, input.day_count, input.parties, input.items, settings);
  if (!simulation) return pass_on(simulation);
  return simulation->band(board.opening);
}

void add_weeks(const Makings& of, const planning::PlanAnswer& plan, const std::vector<planning::BandDay>& band, Pack& pack) {
  PackTable table{"Cash, 13 weeks", of.note() + " Headroom is what is left with the credit line.",
                  {{"Week from"}, {"Opening", true}, {"Receipts", true}, {"Payments", true}, {"Closing", true, 1, true}, {"Lowest", true, 1, true}, {"p10", true, 1, true}, {"p90", true, 1, true}, {"Headroom", true, 1, true}}, {}, false};
  for (const planning::PlanWeek& week : plan.weeks) {
    const auto& ends = band[static_cast<std::size_t>(week.last - plan.days.front().day)];
    table.rows.push_back({day_of(week.first), of.money(week.opening), of.money(week.sums.receipts), of.money(week.sums.payments), of.money(week.closing), of.money(week.low), of.money(ends.p10),
                          of.money(ends.p90), of.money(week.headroom)});
  }
  pack.tables.insert(pack.tables.begin(), std::move(table));
}

Result<void> add_cash(const Makings& of, Pack& pack) {
  const auto moves = query::cash_moves(of.snapshot, of.book, of.finance);
  const auto board = query::cash_board(moves, of.currency);
  if (!board) return pass_on(board);
  query::CashQuestion question;
  question.currency = of.currency;
  question.weeks = weeks;
  const planning::PlanAnswer plan = query::cash_plan(*board, question);
  const auto band = band_of(*board, question);
  if (!band) return pass_on(band);
  pack.sentence = query::cash_sentence(*board, plan);
  const planning::PlanDay& lowest = plan.days[plan.lowest];
  pack.figures.insert(pack.figures.begin(), {{"Cash on " + iso(of.asked.day), of.money(board->opening)}, {"Lowest, " + iso(day_from_number(lowest.day)), of.money(lowest.closing)}, {"Headroom then", of.money(lowest.headroom)}});
  PackCurve curve{"Balance with its band", of.currency, {}, {}};
  for (std::size_t i = 0; i < plan.days.size(); ++i) curve.points.push_back({day_from_number(plan.days[i].day), plan.days[i].closing, (*band)[i].p10, (*band)[i].p90});
  if (const std::int64_t credit = board->frame(weeks).credit_on(lowest.day); credit > 0) curve.limit = -credit;
  pack.curve = std::move(curve);
  add_weeks(of, plan, *band, pack);
  return {};
}

}  // namespace

Result<Pack> month_pack(const readmodel::SnapshotPtr& snapshot, const readmodel::FinanceBook& book, const MonthPackAsked& asked) {
  const Day first(asked.month / 1);
  if (first > asked.day) return fail(ErrorCode::invalid_input, month_words(asked.month) + " has not begun on " + iso(asked.day) + "; choose a month before.");
  const Day end(sys_days(asked.month / std::chrono::last));
  Makings of{snapshot, book, asked, asked.currency.empty() ? query::company_currency(*snapshot, book) : asked.currency, first, std::min(end, asked.day), query::cash_finance(book, asked.day)};
  Pack pack;
  pack.title = (asked.month_end ? "Month-end pack " : "Monthly report ") + month_words(asked.month);
  pack.company = asked.company;
  pack.as_of = snapshot->as_of();
  pack.as_of_time = snapshot->as_of_time();
  pack.day = asked.day;
  if (auto added = add_month(of, pack); !added) return pass_on(added);
  if (!asked.month_end) {
    pack.sentence = "What was ordered, invoiced, paid and spent in " + month_words(asked.month) + ".";
    return pack;
  }
  for (const auto side : {readmodel::LedgerSide::receivables, readmodel::LedgerSide::payables})
    if (auto added = add_ageing(of, side, pack); !added) return pass_on(added);
  if (auto added = add_cash(of, pack); !added) return pass_on(added);
  return pack;
}

}  // namespace millrace::app
