#include "query/cash.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/month_name.h"
#include "base/text.h"
#include "domain/money_text.h"

namespace millrace::query {
namespace {

using planning::CashItem;
using planning::CashLayer;
using planning::CashOverlay;
using readmodel::chunk_rows;

constexpr std::int32_t no_day = planning::cash_no_day;
constexpr std::size_t causes_max = 5, lifts_max = 10;
constexpr std::int32_t cause_days = 7;

// ---- scenarios

std::string change_words(const ScenarioChange& change) {
  std::string text(word(change.kind));
  if (!change.party.empty()) text += " " + change.party;
  if (!change.order.empty()) text += " " + change.order;
  if (!change.from.empty()) text += " " + change.from.code() + "/" + change.to.code();
  return text;
}

// The changes that move items; rates are moved in their table. What meets nothing is named in `board`.
std::vector<CashOverlay> overlays_of(std::span<const ScenarioChange> changes, CashBoard& board) {
  using Kind = ScenarioChange::Kind;
  const CashMoves& moves = *board.moves;
  const auto party = [&](const std::string& code, bool supplier) {
    for (std::size_t i = 0; i < moves.parties.size(); ++i)
      if (moves.parties[i].supplier == supplier && moves.parties[i].code == code) return static_cast<std::uint32_t>(i);
    return planning::cash_no_code;
  };
  std::vector<CashOverlay> overlays;
  for (const ScenarioChange& change : changes) {
    CashOverlay overlay;
    overlay.days = change.days;
    bool meets = true;
    switch (change.kind) {
      case Kind::customer_later:
        overlay.kind = CashOverlay::Kind::customer_later;
        meets = (overlay.party = party(change.party, false)) != planning::cash_no_code;
        break;
      case Kind::supplier_later:
        overlay.kind = CashOverlay::Kind::supplier_later;
        meets = (overlay.party = party(change.party, true)) != planning::cash_no_code;
        break;
      case Kind::order_slips: {
        overlay.kind = CashOverlay::Kind::order_slips;
        const auto row = moves.snapshot->find(change.order);
        meets = row.has_value();
        overlay.order = row.value_or(planning::cash_no_code);
        break;
      }
      case Kind::pay_later: overlay.kind = CashOverlay::Kind::pay_later; break;
      case Kind::no_new_orders: overlay.kind = CashOverlay::Kind::no_new_orders; break;
      case Kind::rate: continue;
    }
    if (meets) overlays.push_back(overlay);
    else board.without_effect.push_back(change_words(change));
  }
  return overlays;
}

RateTable moved_rates(std::span<const ScenarioChange> changes, CashBoard& board) {
  RateTable rates = board.moves->finance->rates;
  for (const ScenarioChange& change : changes)
    if (change.kind == ScenarioChange::Kind::rate && rates.move(change.from, change.to, change.percent) == 0) board.without_effect.push_back(change_words(change));
  return rates;
}

// ---- currencies

// The road of each currency in use; found once.
class Roads {
 public:
  Roads(const RateTable& rates, Currency to, Day on) : rates_(rates), to_(to), on_(on) {}

  // Null: no rate leads there.
  const RateRoad* of(std::uint32_t packed) {
    if (packed == last_) return last_road_;
    auto found = roads_.find(packed);
    if (found == roads_.end()) {
      const Currency from = Currency::from_packed(packed);
      auto road = from == to_ ? Result<RateRoad>(RateRoad::same(to_)) : rates_.road(from, to_, on_);
      found = roads_.emplace(packed, road ? std::optional(std::move(*road)) : std::nullopt).first;
    }
    last_ = packed;
    return last_road_ = found->second ? &*found->second : nullptr;
  }
  void tell(CashBoard& board) const {
    for (const auto& [packed, road] : roads_) {
      if (!road) board.without_rate.push_back(Currency::from_packed(packed));
      else if (!road->steps().empty()) board.roads.push_back(*road);
    }
    std::ranges::sort(board.without_rate, {}, [](Currency currency) { return currency.code(); });
    std::ranges::sort(board.roads, {}, [](const RateRoad& road) { return road.from().code(); });
  }

 private:
  const RateTable& rates_;
  const Currency to_;
  const Day on_;
  std::map<std::uint32_t, std::optional<RateRoad>> roads_;
  std::uint32_t last_ = UINT32_MAX;
  const RateRoad* last_road_ = nullptr;
};

Result<std::int64_t> convert(const RateRoad& road, std::int64_t amount) {
  if (road.steps().empty()) return amount;
  return road.convert(amount);
}

Result<void> take_credit(CashBoard& board, Roads& roads) {
  for (const readmodel::FinancePtr& line : board.moves->finance->credit_lines) {
    const RateRoad* road = roads.of(line->currency.packed());
    if (road == nullptr) continue;
    const auto amount = convert(*road, line->amount);
    if (!amount) return pass_on(amount);
    planning::CreditPeriod period;
    period.from = line->posted ? day_number(*line->posted) : INT32_MIN;
    if (line->until) period.until = day_number(*line->until);
    period.amount = *amount;
    board.credit.push_back(period);
  }
  return {};
}

}  // namespace

bool CashBoard::is_converted(const CashItem& item) const {
  return std::ranges::find(without_rate, item.currency, &Currency::packed) == without_rate.end();
}

planning::PlanFrame CashBoard::frame(std::int32_t weeks) const {
  planning::PlanFrame frame;
  frame.first_day = moves->finance->today;
  frame.weeks = weeks;
  frame.opening = opening;
  frame.credit = credit;
  return frame;
}

Result<CashBoard> cash_board(std::shared_ptr<const CashMoves> moves, Currency currency, std::span<const ScenarioChange> changes) {
  CashBoard board;
  board.moves = std::move(moves);
  board.currency = currency;
  const std::vector<CashOverlay> overlays = overlays_of(changes, board);
  const RateTable rates = moved_rates(changes, board);
  Roads roads(rates, currency, day_from_number(board.moves->finance->today));
  board.items.reserve(board.moves->list.items.size());
  for (const CashItem& plain : board.moves->list.items) {
    CashItem item = plain;
    if (const RateRoad* road = roads.of(item.currency)) {
      const auto amount = convert(*road, item.amount);
      if (!amount) return pass_on(amount);
      item.converted = *amount;
    }
    if (!overlays.empty() && item.layer != CashLayer::balance) {
      auto laid = planning::overlaid(item, overlays);
      if (!laid) return pass_on(laid);
      if (!*laid) continue;
      item = **laid;
    }
    if (item.layer == CashLayer::balance) board.opening += item.converted;
    board.items.push_back(item);
  }
  if (const auto taken = take_credit(board, roads); !taken) return pass_on(taken);
  roads.tell(board);
  return board;
}

planning::PlanAnswer cash_plan(const CashBoard& board, const CashQuestion& question) {
  planning::CashPlan plan(board.frame(question.weeks));
  const bool all_converted = board.without_rate.empty();
  for (const CashItem& item : board.items)
    if (item.layer != CashLayer::balance && (all_converted || board.is_converted(item))) plan.add(item);
  return plan.answer(question.view, question.layers);
}

// ---- the lowest day

namespace {

// Largest first; of equals the earlier item.
std::vector<std::size_t> causes_of(const CashBoard& board, const CashQuestion& question, std::int32_t low) {
  const planning::PlanFrame frame = board.frame(question.weeks);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < board.items.size(); ++i) {
    const CashItem& item = board.items[i];
    if (item.converted >= 0 || item.layer == CashLayer::balance || !question.layers.has(item.layer)) continue;
    const std::int32_t day = planning::counted_day(item, question.view, frame);
    if (day != no_day && day > low - cause_days && day <= low) found.push_back(i);
  }
  const std::size_t kept = std::min(causes_max, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(), [&](std::size_t left, std::size_t right) {
    const std::int64_t a = board.items[left].converted, b = board.items[right].converted;
    return a != b ? a < b : left < right;
  });
  found.resize(kept);
  return found;
}

// How many days later the line is delivered than it was first due: than wished, or than promised when that has passed.
std::int32_t days_late(const CashMoves& moves, const CashSource& source) {
  if (source.due == no_day) return 0;
  const readmodel::OrderChunk& chunk = moves.snapshot->chunk_of(source.origin);
  const std::int32_t wished = chunk.requested[source.origin % chunk_rows];
  const std::int32_t first = wished == no_day ? source.due : std::min(wished, source.due);
  return std::max(source.due, moves.finance->today) - first;
}

std::vector<CashLift> lifts_of(const CashBoard& board, const CashQuestion& question, std::int32_t low) {
  const planning::PlanFrame frame = board.frame(question.weeks);
  struct Late {
    std::int64_t amount = 0;
    std::int32_t days = 0;
    std::size_t item = 0;
  };
  std::map<std::uint32_t, Late> orders;
  for (const CashItem& item : board.items) {
    if (item.layer != CashLayer::ordered || item.converted <= 0 || !question.layers.has(item.layer)) continue;
    const CashSource& source = board.moves->list.sources[item.id];
    if (!source.is_order_line()) continue;
    const std::int32_t day = planning::counted_day(item, question.view, frame);
    if (day == no_day || day <= low) continue;
    const std::int32_t late = days_late(*board.moves, source);
    if (late <= 0 || day - late > low) continue;
    Late& order = orders[source.origin];
    order.amount += item.converted;
    order.days = std::max(order.days, late);
    order.item = item.id;
  }
  std::vector<Late> ranked;
  for (const auto& [row, late] : orders) ranked.push_back(late);
  std::ranges::stable_sort(ranked, [](const Late& left, const Late& right) { return left.amount > right.amount; });
  std::vector<CashLift> lifts;
  for (const Late& late : ranked) {
    if (lifts.size() == lifts_max) break;
    lifts.push_back({board.moves->order(late.item), std::string(board.moves->party_name(late.item)), late.amount, late.days});
  }
  return lifts;
}

}  // namespace

CashLow cash_low(const CashBoard& board, const CashQuestion& question, const planning::PlanAnswer& plan) {
  CashLow low;
  low.day = plan.days.at(plan.lowest);
  for (const planning::PlanWeek& week : plan.weeks)
    if (week.first <= low.day.day && low.day.day <= week.last) low.week_start = week.first;
  low.causes = causes_of(board, question, low.day.day);
  low.would_lift = lifts_of(board, question, low.day.day);
  return low;
}

std::string money_words(const Money& money) { return money.currency.code() + " " + grouped_text(money); }

std::string cash_sentence(const CashBoard& board, const planning::PlanAnswer& plan) {
  const planning::PlanDay& low = plan.days.at(plan.lowest);
  const Day day = day_from_number(low.day);
  std::string text = "Cash is lowest on " + std::to_string(unsigned{day.day()}) + " " + std::string(month_name(day.month())) + ": " + money_words({low.closing, board.currency});
  if (board.credit.empty()) return text + (low.closing < 0 ? ", below zero, and there is no credit line." : ".");
  const std::int64_t room = low.headroom < 0 ? -low.headroom : low.headroom;
  return text + ", " + money_words({room, board.currency}) + (low.headroom < 0 ? " below" : " above") + " the credit line.";
}

// ---- the movements behind a figure

namespace {

class ItemFilter {
 public:
  ItemFilter(const CashBoard& board, const CashItemsQuestion& question) : board_(board), question_(question), frame_(board.frame(question.of.weeks)) {
    from_ = question.from ? day_number(*question.from) : INT32_MIN;
    to_ = question.to ? day_number(*question.to) : INT32_MAX;
    bounded_ = question.from || question.to;
  }
  // The day on which it counts, when it matches; without a day only where no days are asked for.
  std::optional<std::int32_t> operator()(std::size_t i) const {
    const CashItem& item = board_.items[i];
    if (question_.layer ? item.layer != *question_.layer : item.layer == CashLayer::balance) return std::nullopt;
    if (!question_.layer && !question_.of.layers.has(item.layer)) return std::nullopt;
    if (question_.incoming && (*question_.incoming ? item.amount <= 0 : item.amount >= 0)) return std::nullopt;
    const std::int32_t day = planning::counted_day(item, question_.of.view, frame_);
    if (bounded_ && (day == no_day || day < from_ || day > to_)) return std::nullopt;
    if (!question_.category.empty() && board_.moves->category(item.id) != question_.category) return std::nullopt;
    if (!question_.party.empty() && board_.moves->party_code(item.id) != question_.party) return std::nullopt;
    if (!question_.order.empty() && !is_of_order(item)) return std::nullopt;
    if (!board_.is_converted(item)) return std::nullopt;
    return day;
  }

 private:
  bool is_of_order(const CashItem& item) const {
    const CashSource& source = board_.moves->list.sources[item.id];
    if (source.is_order_line()) return board_.moves->order(item.id) == question_.order;
    return std::ranges::any_of(board_.moves->finance->documents[source.origin]->lines, [&](const FinanceLine& line) { return line.order.text == question_.order; });
  }
  const CashBoard& board_;
  const CashItemsQuestion& question_;
  const planning::PlanFrame frame_;
  std::int32_t from_, to_;
  bool bounded_ = false;
};

// "20450 order/43659/1": behind this one.
std::optional<std::pair<std::int32_t, std::string>> read_cursor(std::string_view text) {
  std::int32_t day = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), day);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return std::nullopt;
  return std::pair(day, std::string(end + 1, text.data() + text.size()));
}

}  // namespace

Result<CashItems> cash_items(const CashBoard& board, const CashItemsQuestion& question) {
  std::optional<std::pair<std::int32_t, std::string>> after;
  if (!question.cursor.empty() && !(after = read_cursor(question.cursor))) return fail(ErrorCode::invalid_input, "the cursor is none of an answer before; begin again without one");
  CashItems answer;
  const ItemFilter filter(board, question);
  std::vector<std::pair<std::int32_t, std::size_t>> found;  // day and item
  for (std::size_t i = 0; i < board.items.size(); ++i) {
    const auto day = filter(i);
    if (!day) continue;
    answer.total += board.items[i].converted;
    ++answer.count;
    if (!after || *day >= after->first) found.emplace_back(*day, i);
  }
  std::ranges::sort(found);
  // Days in order, and inside a day by id: ids are spelt out for the days of this page only.
  for (std::size_t begin = 0; begin < found.size() && answer.next_cursor.empty();) {
    std::size_t end = begin;
    std::vector<std::pair<std::string, std::size_t>> same_day;
    for (; end < found.size() && found[end].first == found[begin].first; ++end) same_day.emplace_back(board.moves->id(board.items[found[end].second].id), found[end].second);
    std::ranges::sort(same_day);
    for (const auto& [id, item] : same_day) {
      if (after && found[begin].first == after->first && id <= after->second) continue;
      if (answer.items.size() == question.limit) {
        const std::size_t last = answer.items.back();
        const auto day = filter(last);
        answer.next_cursor = std::to_string(*day) + " " + board.moves->id(board.items[last].id);
        break;
      }
      answer.items.push_back(item);
    }
    begin = end;
  }
  return answer;
}

// ---- the band

CashBandInput cash_band_input(const CashBoard& board, const CashQuestion& question) {
  const planning::PlanFrame frame = board.frame(question.weeks);
  CashBandInput input;
  input.first_day = frame.first_day;
  input.day_count = frame.day_count();
  input.parties.reserve(board.moves->parties.size());
  std::array<std::int32_t, planning::DelayTable::size> draws{};
  for (const CashParty& party : board.moves->parties) {
    planning::SimulationParty simulated;
    simulated.key = hash64((party.supplier ? "supplier " : "customer ") + party.code);
    party.delay.equally_likely(draws);
    simulated.delays = planning::DelayTable::of(draws, party.p50);
    input.parties.push_back(std::move(simulated));
  }
  std::vector<planning::SimulationItem> items;
  items.reserve(board.items.size());
  for (const CashItem& item : board.items) {
    if (item.layer == CashLayer::balance || !question.layers.has(item.layer) || item.converted == 0) continue;
    const std::int32_t day = planning::counted_day(item, planning::CashView::expected, frame);
    if (day == no_day) continue;
    const bool certain = item.party == planning::cash_no_code || item.layer == CashLayer::planned;
    items.push_back({certain ? planning::certain_party : item.party, day, item.converted});
  }
  std::ranges::sort(items, {}, [](const planning::SimulationItem& item) { return std::pair(item.party, item.day); });
  for (const planning::SimulationItem& item : items) {
    if (!input.items.empty() && input.items.back().party == item.party && input.items.back().day == item.day) input.items.back().amount += item.amount;
    else input.items.push_back(item);
  }
  return input;
}

}  // namespace millrace::query
