// Cash, 13 weeks ahead: from movements (query/cash_moves.h) to days, weeks, the lowest day, why it is low and what would lift it.
//
// Invariants
//   * One answer has one currency. An item is converted once, by the rate of today; sums are sums of converted items, so that
//     the items behind a figure add up to it exactly. What no rate converts stands beside and is added nowhere.
//   * Pure functions of (moves, question): the same bytes on any number of threads.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/cash_scenario.h"
#include "planning/cash_simulation.h"
#include "query/cash_moves.h"

namespace millrace::query {

struct CashQuestion {
  Currency currency;
  std::int32_t weeks = 13;
  planning::CashView view = planning::CashView::expected;
  planning::LayerSet layers = planning::LayerSet::all();
};

// The movements in one currency, maybe under a scenario. Items keep their index: `item.id`.
struct CashBoard {
  std::shared_ptr<const CashMoves> moves;
  Currency currency;
  std::vector<planning::CashItem> items;  // with `converted`; balances are among them
  std::vector<RateRoad> roads;            // of every currency in use that is not its own, by code
  std::vector<Currency> without_rate;     // those that no rate converts, by code
  std::int64_t opening = 0;               // the balances
  std::vector<planning::CreditPeriod> credit;
  std::vector<std::string> without_effect;  // changes of the scenario that meet nothing, in words

  bool is_converted(const planning::CashItem& item) const;
  planning::PlanFrame frame(std::int32_t weeks) const;
};
// Errors   limit_reached  an amount is too large for the currency
Result<CashBoard> cash_board(std::shared_ptr<const CashMoves> moves, Currency currency, std::span<const ScenarioChange> changes = {});

planning::PlanAnswer cash_plan(const CashBoard& board, const CashQuestion& question);

// ---- the lowest day

struct CashLift {  // a late order whose money comes after the lowest day, and would have come by it
  std::string order, customer;
  std::int64_t amount = 0;  // converted
  std::int32_t late_days = 0;
};
struct CashLow {
  planning::PlanDay day;
  std::int32_t week_start = 0;
  std::vector<std::size_t> causes;  // items: the largest payments of the seven days until then
  std::vector<CashLift> would_lift;
};
CashLow cash_low(const CashBoard& board, const CashQuestion& question, const planning::PlanAnswer& plan);
// "Cash is lowest on 14 January: EUR 212,000.00, EUR 38,000.00 above the credit line."
std::string cash_sentence(const CashBoard& board, const planning::PlanAnswer& plan);
std::string money_words(const Money& money);  // "EUR 212,000.00"

// ---- the movements behind a figure

struct CashItemsQuestion {
  CashQuestion of;
  std::optional<Day> from, to;
  std::optional<planning::CashLayer> layer;  // nothing: all but balances
  std::optional<bool> incoming;
  std::string category, party, order;
  std::size_t limit = 100;
  std::string cursor;
};
struct CashItems {
  std::int64_t total = 0;  // converted, of all that match
  std::uint64_t count = 0;
  std::vector<std::size_t> items;  // this page, by day and id
  std::string next_cursor;
};
// Errors   invalid_input  the cursor is none of ours
Result<CashItems> cash_items(const CashBoard& board, const CashItemsQuestion& question);

// ---- the band

// Everything but balances, for planning/cash_simulation.h.
struct CashBandInput {
  std::int32_t first_day = 0, day_count = 0;
  std::vector<planning::SimulationParty> parties;  // as CashMoves::parties
  std::vector<planning::SimulationItem> items;     // one per party and day, sorted
};
CashBandInput cash_band_input(const CashBoard& board, const CashQuestion& question);

}  // namespace millrace::query
