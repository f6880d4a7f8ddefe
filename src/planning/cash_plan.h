// The direct forecast: movements of money on their days, days in weeks, and what is left at the end of each.
//
// Invariants
//   * Each item is whole on one day; a day's sums are sums of items, a week's are sums of its days: exactly, in minor units.
//   * An item expected before the first day counts on the first day: what is late is still to come. One beyond the last day
//     counts in `later`, one without a day in `undated`; neither is in a balance.
//   * A week ends on Sunday. The first goes from the first day to its Sunday; when the first day is a Saturday or Sunday, to
//     the Sunday after. So a plan of 13 weeks has 87 to 93 days and no day outside a week.
//   * `add` and `remove` cost the same however many items there are; answers are made from sums alone.
//   * Pure; not thread-safe while it is changed.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/quantity.h"

namespace millrace::planning {

// How sure a movement is. Stored and sent: numbers are never given twice.
enum class CashLayer : std::uint8_t { balance = 0, invoiced = 1, delivered = 2, ordered = 3, planned = 4, forecast = 5 };
inline constexpr std::size_t cash_layer_count = 6;
std::string_view word(CashLayer layer);
std::optional<CashLayer> parse_cash_layer(std::string_view word);

class LayerSet {
 public:
  static LayerSet all() { return LayerSet((1U << cash_layer_count) - 1); }
  static LayerSet none() { return LayerSet(0); }
  LayerSet with(CashLayer layer) const { return LayerSet(bits_ | bit(layer)); }
  LayerSet without(CashLayer layer) const { return LayerSet(bits_ & ~bit(layer)); }
  bool has(CashLayer layer) const { return (bits_ & bit(layer)) != 0; }
  bool operator==(const LayerSet&) const = default;

 private:
  explicit LayerSet(std::uint32_t bits) : bits_(bits) {}
  static std::uint32_t bit(CashLayer layer) { return 1U << static_cast<unsigned>(layer); }
  std::uint32_t bits_;
};

// expected: every item on its p50 day. pessimistic: receipts on their p90 day, payments on their p10 day (they fall due
// sooner). optimistic: the reverse.
enum class CashView : std::uint8_t { expected = 0, pessimistic = 1, optimistic = 2 };
inline constexpr std::size_t cash_view_count = 3;
std::string_view word(CashView view);
std::optional<CashView> parse_cash_view(std::string_view word);

inline constexpr std::int32_t cash_no_day = INT32_MIN;
inline constexpr std::uint32_t cash_no_code = UINT32_MAX;  // no party, no order
inline constexpr std::int32_t weeks_max = 53;

// One movement. Codes are the caller's; equal codes mean the same party, order or category within one plan.
struct CashItem {
  std::uint64_t id = 0;         // the caller's, unique in a plan
  std::int32_t day = cash_no_day;    // day number, p50
  std::int32_t early = cash_no_day;  // p10; never after `day`
  std::int32_t late = cash_no_day;   // p90; never before `day`
  std::int64_t amount = 0;      // minor units of `currency`: + comes in, - goes out
  std::int64_t converted = 0;   // the same in the plan's currency
  std::uint32_t party = cash_no_code;
  std::uint32_t order = cash_no_code;
  std::uint32_t currency = 0;   // Currency::packed()
  std::uint16_t category = 0;   // of payments; 0 is none
  CashLayer layer = CashLayer::invoiced;
  bool operator==(const CashItem&) const = default;
};

struct CreditPeriod {  // what may be drawn from a day to a day, both included; several add up
  std::int32_t from = 0;
  std::int32_t until = INT32_MAX;
  std::int64_t amount = 0;
};

struct PlanFrame {
  std::int32_t first_day = 0;
  std::int32_t weeks = 13;    // 1..weeks_max
  std::int64_t opening = 0;   // balance before the first day, in the plan's currency
  std::vector<CreditPeriod> credit;

  // The first day of week `n` (from 0); of n == weeks: the day after the last.
  std::int32_t week_start(std::int32_t n) const;
  std::int32_t end_day() const { return week_start(weeks); }  // one past the last day
  std::int32_t day_count() const { return end_day() - first_day; }
  std::int64_t credit_on(std::int32_t day) const;
};

// On which day of the plan the item counts in a view: clamped to the first day, `cash_no_day` without a day. May be beyond
// the last. The one rule; lists of items behind a figure use it too.
std::int32_t counted_day(const CashItem& item, CashView view, const PlanFrame& frame);

struct InOut {
  std::int64_t receipts = 0;
  std::int64_t payments = 0;  // never above 0
  std::int64_t net() const { return receipts + payments; }
  bool operator==(const InOut&) const = default;
};

struct PlanDay {
  std::int32_t day = 0;
  InOut sums;
  std::int64_t closing = 0;
  std::int64_t headroom = 0;  // closing + what may be drawn on the day
};

struct PlanWeek {
  std::int32_t first = 0, last = 0;  // days, both included
  std::int64_t opening = 0;
  InOut sums;
  std::array<InOut, cash_layer_count> by_layer{};
  std::vector<std::int64_t> payments_by_category;  // index is the category; as long as the largest seen
  std::int64_t closing = 0;
  std::int32_t low_day = 0;  // the first of equals
  std::int64_t low = 0;
  std::int64_t headroom = 0;  // the smallest of the week
};

struct PlanAnswer {
  std::vector<PlanDay> days;
  std::vector<PlanWeek> weeks;
  std::array<InOut, cash_layer_count> by_layer{};  // inside the horizon, of all layers, switched on or not
  std::size_t lowest = 0;  // index of `days`: the lowest closing, the first of equals
  InOut later, undated;    // of the layers that are on
  std::uint64_t undated_count = 0;
};

class CashPlan {
 public:
  explicit CashPlan(PlanFrame frame);

  void add(const CashItem& item);
  // Takes back what `add` of the same item did.
  void remove(const CashItem& item);
  void replace(const CashItem& before, const CashItem& after) { remove(before), add(after); }
  void set_opening(std::int64_t opening) { frame_.opening = opening; }

  const PlanFrame& frame() const { return frame_; }
  PlanAnswer answer(CashView view, LayerSet layers) const;

 private:
  struct ViewSums {
    std::vector<std::array<InOut, cash_layer_count>> days;  // one more than days: the last is `later`
    // [category][week]: payments per layer; grows with the categories that are seen.
    std::vector<std::vector<std::array<std::int64_t, cash_layer_count>>> categories;
  };
  void count(const CashItem& item, std::int64_t sign);

  PlanFrame frame_;
  std::array<ViewSums, cash_view_count> views_;
  std::vector<std::int32_t> week_of_day_;
  std::array<InOut, cash_layer_count> undated_{};
  std::array<std::uint64_t, cash_layer_count> undated_count_{};
};

// ---- scenarios: what if, as changes of items

struct CashOverlay {
  enum class Kind : std::uint8_t {
    customer_later,  // receipts of `party`, `days` later
    order_slips,     // receipts of `order`, `days` later, as long as they are not invoiced
    supplier_later,  // payments to `party` for what it has not billed yet, `days` later
    pay_later,       // payments of bills and purchase orders to anybody, `days` later
    rate,            // `currency` is worth `percent` more (or less) in the plan's currency
    no_new_orders,   // layer forecast off
  };
  Kind kind = Kind::no_new_orders;
  std::int32_t days = 0;  // below 0: earlier
  std::uint32_t party = cash_no_code;
  std::uint32_t order = cash_no_code;
  std::uint32_t currency = 0;
  Percent percent{};      // above -100 %
};

// The item under the overlays, in their order; nothing when it is gone. Rates round half away from zero.
// Errors   invalid_input  a percentage of -100 or less; limit_reached  the amount leaves `amount_max`
Result<std::optional<CashItem>> overlaid(const CashItem& item, std::span<const CashOverlay> overlays);

}  // namespace millrace::planning
