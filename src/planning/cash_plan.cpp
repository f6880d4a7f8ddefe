#include "planning/cash_plan.h"

#include <algorithm>

#include "base/check.h"
#include "domain/decimal.h"
#include "domain/money.h"

namespace millrace::planning {
namespace {

constexpr std::int32_t slip_days_max = 3'650;

// 0 is Monday; day number 0 was a Thursday.
std::int32_t weekday(std::int32_t day) { return ((day + 3) % 7 + 7) % 7; }

std::size_t index(CashLayer layer) { return static_cast<std::size_t>(layer); }

void count_in(InOut& sums, std::int64_t amount, std::int64_t sign) { (amount >= 0 ? sums.receipts : sums.payments) += sign * amount; }

void add_to(InOut& sums, const InOut& more) {
  sums.receipts += more.receipts;
  sums.payments += more.payments;
}

template <class Enum, std::size_t Count>
std::optional<Enum> find_word(std::string_view text) {
  for (std::size_t i = 0; i < Count; ++i)
    if (word(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  return std::nullopt;
}

void close_week(PlanWeek& week, std::span<const PlanDay> days) {
  week.low = days.front().closing;
  week.low_day = days.front().day;
  week.headroom = days.front().headroom;
  for (const PlanDay& day : days) {
    add_to(week.sums, day.sums);
    if (day.closing < week.low) week.low = day.closing, week.low_day = day.day;
    week.headroom = std::min(week.headroom, day.headroom);
  }
  week.closing = days.back().closing;
}

}  // namespace

std::string_view word(CashLayer layer) {
  static constexpr std::string_view words[cash_layer_count] = {"balance", "invoiced", "delivered", "ordered", "planned", "forecast"};
  check(index(layer) < cash_layer_count, "a layer of cash has a word");
  return words[index(layer)];
}

std::optional<CashLayer> parse_cash_layer(std::string_view text) { return find_word<CashLayer, cash_layer_count>(text); }

std::string_view word(CashView view) {
  static constexpr std::string_view words[cash_view_count] = {"expected", "pessimistic", "optimistic"};
  check(static_cast<std::size_t>(view) < cash_view_count, "a view of cash has a word");
  return words[static_cast<std::size_t>(view)];
}

std::optional<CashView> parse_cash_view(std::string_view text) { return find_word<CashView, cash_view_count>(text); }

std::int32_t PlanFrame::week_start(std::int32_t n) const {
  if (n == 0) return first_day;
  const std::int32_t passed = weekday(first_day);
  const bool weekend = passed >= 5;  // the week to come is meant
  return first_day - passed + 7 * (n + (weekend ? 1 : 0));
}

std::int64_t PlanFrame::credit_on(std::int32_t day) const {
  std::int64_t sum = 0;
  for (const CreditPeriod& period : credit)
    if (period.from <= day && day <= period.until) sum += period.amount;
  return sum;
}

std::int32_t counted_day(const CashItem& item, CashView view, const PlanFrame& frame) {
  const bool receipt = item.converted >= 0;
  std::int32_t day = item.day;
  if (view == CashView::pessimistic) day = receipt ? item.late : item.early;
  if (view == CashView::optimistic) day = receipt ? item.early : item.late;
  if (item.day == cash_no_day) return cash_no_day;
  if (day == cash_no_day) day = item.day;
  return std::max(day, frame.first_day);
}

CashPlan::CashPlan(PlanFrame frame) : frame_(std::move(frame)) {
  check(frame_.weeks >= 1 && frame_.weeks <= weeks_max, "a plan has 1 to 53 weeks");
  const auto days = static_cast<std::size_t>(frame_.day_count());
  for (ViewSums& view : views_) view.days.resize(days + 1);
  for (std::int32_t week = 0; week < frame_.weeks; ++week) week_of_day_.resize(static_cast<std::size_t>(frame_.week_start(week + 1) - frame_.first_day), week);
}

void CashPlan::add(const CashItem& item) { count(item, 1); }

void CashPlan::remove(const CashItem& item) { count(item, -1); }

void CashPlan::count(const CashItem& item, std::int64_t sign) {
  const std::size_t layer = index(item.layer);
  if (item.day == cash_no_day) {
    count_in(undated_[layer], item.converted, sign);
    undated_count_[layer] += static_cast<std::uint64_t>(sign);
    return;
  }
  for (std::size_t v = 0; v < cash_view_count; ++v) {
    ViewSums& view = views_[v];
    const std::int32_t day = counted_day(item, static_cast<CashView>(v), frame_);
    const bool inside = day < frame_.end_day();
    const std::size_t at = inside ? static_cast<std::size_t>(day - frame_.first_day) : view.days.size() - 1;
    count_in(view.days[at][layer], item.converted, sign);
    if (!inside || item.converted >= 0) continue;
    if (item.category >= view.categories.size()) view.categories.resize(item.category + std::size_t{1});
    auto& weeks = view.categories[item.category];
    if (weeks.empty()) weeks.resize(static_cast<std::size_t>(frame_.weeks));
    weeks[static_cast<std::size_t>(week_of_day_[at])][layer] += sign * item.converted;
  }
}

PlanAnswer CashPlan::answer(CashView view, LayerSet layers) const {
  const ViewSums& sums = views_[static_cast<std::size_t>(view)];
  PlanAnswer answer;
  const std::size_t day_count = sums.days.size() - 1;
  answer.days.reserve(day_count);
  answer.weeks.resize(static_cast<std::size_t>(frame_.weeks));
  std::int64_t balance = frame_.opening;
  for (std::size_t d = 0; d < day_count; ++d) {
    const auto day = static_cast<std::int32_t>(frame_.first_day + static_cast<std::int32_t>(d));
    PlanWeek& week = answer.weeks[static_cast<std::size_t>(week_of_day_[d])];
    PlanDay row;
    row.day = day;
    for (std::size_t layer = 0; layer < cash_layer_count; ++layer) {
      add_to(answer.by_layer[layer], sums.days[d][layer]);
      if (!layers.has(static_cast<CashLayer>(layer))) continue;
      add_to(row.sums, sums.days[d][layer]);
      add_to(week.by_layer[layer], sums.days[d][layer]);
    }
    row.closing = balance += row.sums.net();
    row.headroom = row.closing + frame_.credit_on(day);
    answer.days.push_back(row);
    if (row.closing < answer.days[answer.lowest].closing) answer.lowest = d;
  }
  balance = frame_.opening;
  for (std::int32_t w = 0; w < frame_.weeks; ++w) {
    PlanWeek& week = answer.weeks[static_cast<std::size_t>(w)];
    week.first = frame_.week_start(w);
    week.last = frame_.week_start(w + 1) - 1;
    week.opening = balance;
    close_week(week, std::span(answer.days).subspan(static_cast<std::size_t>(week.first - frame_.first_day), static_cast<std::size_t>(week.last - week.first + 1)));
    balance = week.closing;
    week.payments_by_category.resize(sums.categories.size());
    for (std::size_t category = 0; category < sums.categories.size(); ++category)
      for (std::size_t layer = 0; layer < cash_layer_count; ++layer)
        if (!sums.categories[category].empty() && layers.has(static_cast<CashLayer>(layer)))
          week.payments_by_category[category] += sums.categories[category][static_cast<std::size_t>(w)][layer];
  }
  for (std::size_t layer = 0; layer < cash_layer_count; ++layer) {
    if (!layers.has(static_cast<CashLayer>(layer))) continue;
    add_to(answer.later, sums.days.back()[layer]);
    add_to(answer.undated, undated_[layer]);
    answer.undated_count += undated_count_[layer];
  }
  return answer;
}

namespace {

bool concerns(const CashOverlay& overlay, const CashItem& item) {
  const bool receipt = item.amount >= 0, billed = item.layer == CashLayer::invoiced;
  switch (overlay.kind) {
    case CashOverlay::Kind::customer_later: return receipt && item.party == overlay.party && item.party != cash_no_code;
    case CashOverlay::Kind::order_slips: return receipt && !billed && item.order == overlay.order && item.order != cash_no_code;
    case CashOverlay::Kind::supplier_later: return !receipt && !billed && item.party == overlay.party && item.party != cash_no_code;
    case CashOverlay::Kind::pay_later:
      return !receipt && item.party != cash_no_code && item.layer != CashLayer::planned && item.layer != CashLayer::forecast;
    case CashOverlay::Kind::rate: return item.currency == overlay.currency;
    case CashOverlay::Kind::no_new_orders: return item.layer == CashLayer::forecast;
  }
  return false;
}

Result<void> revalue(CashItem& item, Percent percent) {
  constexpr std::int64_t whole = 100 * micros_per_one;
  if (percent.micros <= -whole)
    return fail(ErrorCode::invalid_input, "a rate cannot move by " + decimal_text(percent) + " %; give more than -100 %");
  const Int128 moved = divide_half_away(static_cast<Int128>(item.converted) * (Int128{whole} + percent.micros), whole);
  if (moved > amount_max || moved < -amount_max)
    return fail(ErrorCode::limit_reached, "an amount becomes too large when the rate moves by " + decimal_text(percent) + " %; give a smaller percentage");
  item.converted = static_cast<std::int64_t>(moved);
  return {};
}

}  // namespace

Result<std::optional<CashItem>> overlaid(const CashItem& item, std::span<const CashOverlay> overlays) {
  CashItem changed = item;
  for (const CashOverlay& overlay : overlays) {
    if (overlay.days > slip_days_max || overlay.days < -slip_days_max)
      return fail(ErrorCode::invalid_input, std::to_string(overlay.days) + " days are too many for a scenario; give at most " + std::to_string(slip_days_max));
    if (!concerns(overlay, item)) continue;
    if (overlay.kind == CashOverlay::Kind::no_new_orders) return std::optional<CashItem>();
    if (overlay.kind == CashOverlay::Kind::rate) {
      if (auto moved = revalue(changed, overlay.percent); !moved) return pass_on(moved);
      continue;
    }
    for (std::int32_t* day : {&changed.day, &changed.early, &changed.late})
      if (*day != cash_no_day) *day += overlay.days;
  }
  return std::optional(changed);
}

}  // namespace millrace::planning
