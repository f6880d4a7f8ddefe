#include "planning/cash_bridge.h"

#include <algorithm>

#include "base/check.h"
#include "domain/money.h"

namespace millrace::planning {
namespace {

constexpr std::string_view settled_id = "settled";

// Adds up a bridge; entries that change nothing are left out.
class Builder {
 public:
  Builder(const KeptForecast& before, const KeptForecast& after, std::int32_t end, const Settled& settled) : before_(before), after_(after), end_(end), settled_(settled) {
    for (const RateRoad& rate : after.rates) rates_[rate.from()] = &rate;
  }

  Result<Bridge> build() {
    bridge_.closing_before = before_.closing(end_);
    bridge_.closing_after = after_.closing(end_);
    note({.part = BridgePart::amount, .id = "opening", .before = before_.opening, .after = after_.opening, .change = after_.opening - before_.opening});
    auto old = before_.items.begin();
    auto now = after_.items.begin();
    while (old != before_.items.end() || now != after_.items.end()) {
      if (now == after_.items.end() || (old != before_.items.end() && old->id < now->id)) {
        only_before(*old++);
      } else if (old == before_.items.end() || now->id < old->id) {
        only_after(*now++);
      } else if (auto both = in_both(*old++, *now++); !both) {
        return pass_on(both);
      }
    }
    note({.part = BridgePart::amount, .id = std::string(settled_id), .change = -settled_sum_});
    std::ranges::sort(bridge_.entries, [](const BridgeEntry& a, const BridgeEntry& b) {
      const std::int64_t left = std::abs(a.change), right = std::abs(b.change);
      return left != right ? left > right : a.id != b.id ? a.id < b.id : a.part < b.part;
    });
    return std::move(bridge_);
  }

 private:
  bool inside(const KeptItem& item) const { return item.day < end_; }

  void note(BridgeEntry entry) {
    if (entry.change == 0) return;
    bridge_.parts[static_cast<std::size_t>(entry.part)] += entry.change;
    bridge_.entries.push_back(std::move(entry));
  }

  std::int64_t settled(const KeptItem& item) {
    const auto found = settled_.find(item.id);
    if (found == settled_.end()) return 0;
    settled_sum_ += found->second;
    return found->second;
  }

  void only_before(const KeptItem& item) {
    if (!inside(item)) {
      // It was not in the balance; what came of it all the same is news.
      note({.part = BridgePart::timing, .id = item.id, .party = item.party, .layer = item.layer, .before = item.converted, .day_before = item.day, .change = settled(item)});
      return;
    }
    note({.part = BridgePart::gone, .id = item.id, .party = item.party, .layer = item.layer, .before = item.converted, .day_before = item.day,
          .change = settled(item) - item.converted});
  }

  void only_after(const KeptItem& item) {
    const std::int64_t came = settled(item);
    note({.part = BridgePart::fresh, .id = item.id, .party = item.party, .layer = item.layer, .after = item.converted, .day_after = item.day,
          .change = came + (inside(item) ? item.converted : 0)});
  }

  Result<void> in_both(const KeptItem& old, const KeptItem& now) {
    BridgeEntry entry{.id = old.id, .party = now.party, .layer = now.layer, .before = old.converted, .after = now.converted, .day_before = old.day, .day_after = now.day};
    const auto add = [&](BridgePart part, std::int64_t change) {
      entry.part = part;
      entry.change = change;
      note(entry);
    };
    const std::int64_t came = settled(old);
    if (inside(old) != inside(now)) add(BridgePart::timing, inside(now) ? old.converted : -old.converted);
    if (!inside(now)) {
      add(BridgePart::amount, came);
      return {};
    }
    const auto revalued = at_new_rate(old, now);
    if (!revalued) return pass_on(revalued);
    add(BridgePart::rate, *revalued - old.converted);
    add(BridgePart::amount, now.converted - *revalued + came);
    return {};
  }

  // The former amount by the later forecast's rate. What changed its currency has another amount, not another rate.
  Result<std::int64_t> at_new_rate(const KeptItem& old, const KeptItem& now) const {
    if (old.currency != now.currency || old.currency == after_.currency) return old.converted;
    if (old.amount == now.amount) return now.converted;
    const auto rate = rates_.find(old.currency);
    if (rate == rates_.end()) return old.converted;
    return rate->second->convert(old.amount);
  }

  const KeptForecast& before_;
  const KeptForecast& after_;
  std::int32_t end_;
  const Settled& settled_;
  std::map<Currency, const RateRoad*> rates_;
  std::int64_t settled_sum_ = 0;
  Bridge bridge_;
};

bool rising(const KeptForecast& forecast) {
  return std::ranges::adjacent_find(forecast.items, [](const KeptItem& a, const KeptItem& b) { return !(a.id < b.id); }) == forecast.items.end();
}

}  // namespace

void KeptForecast::sort_items() {
  std::ranges::sort(items, {}, &KeptItem::id);
}

std::int64_t KeptForecast::closing(std::int32_t end) const {
  std::int64_t balance = opening;
  for (const KeptItem& item : items)
    if (item.day < end) balance += item.converted;
  return balance;
}

std::string_view word(BridgePart part) {
  static constexpr std::string_view words[bridge_part_count] = {"timing", "amount", "new", "gone", "rate"};
  check(static_cast<std::size_t>(part) < bridge_part_count, "a part of a bridge has a word");
  return words[static_cast<std::size_t>(part)];
}

Result<Bridge> bridge(const KeptForecast& before, const KeptForecast& after, std::int32_t end, const Settled& settled) {
  if (before.currency != after.currency)
    return fail(ErrorCode::invalid_input, "a forecast in " + before.currency.code() + " and one in " + after.currency.code() + " cannot be compared; choose two in one currency");
  if (!rising(before) || !rising(after)) return fail(ErrorCode::invalid_input, "an item is twice in a kept forecast or out of order; keep the forecast anew");
  return Builder(before, after, end, settled).build();
}

}  // namespace millrace::planning
