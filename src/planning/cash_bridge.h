// Why the forecast changed: two kept forecasts, item by item, and the difference of their closing balances in parts.
//
//   timing   the item is in both, inside the horizon in one and outside in the other
//   amount   in both, with another amount; a bank balance is an item like any other
//   rate     in both, with the same amount, converted by another rate
//   new      only in the later forecast
//   gone     only in the earlier one
//
// Invariants
//   * The parts add up to closing(later) - closing(earlier) exactly, in minor units, whatever the two are.
//   * An item that changed in two ways has two entries: by rate first, at its former amount; the rest is amount.
//   * What came or went as foreseen is no change: what `settled` says of an item is put against the item's `gone` (or
//     `amount` when it is still there), and one entry "settled" takes it from the balances' part, so that a customer who
//     pays as planned leaves nothing.
//   * Pure. Any thread may call.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/exchange.h"

namespace millrace::planning {

inline constexpr std::size_t kept_items_max = 20'000'000;

struct KeptItem {
  std::string id;           // of the document and its part: "invoice/9001/1"; unique in a forecast
  std::string party;        // name, for people
  std::int32_t day = 0;     // counted day
  std::int64_t amount = 0;  // minor units of `currency`, signed
  std::int64_t converted = 0;  // in the forecast's currency, by its rate
  Currency currency;
  std::uint8_t layer = 0;   // CashLayer
  bool operator==(const KeptItem&) const = default;
};

struct KeptForecast {
  Currency currency;
  std::int32_t first_day = 0;
  std::int32_t end_day = 0;  // one past the last
  std::int64_t opening = 0;  // balances that are no item
  std::vector<KeptItem> items;       // sorted by id (`sort_items`)
  std::vector<RateRoad> rates;       // one for each currency among the items that is not the forecast's own
  bool operator==(const KeptForecast&) const = default;

  void sort_items();
  // opening + everything that counts before `end`.
  std::int64_t closing(std::int32_t end) const;
};

// Columns, ids by what they share with the one before, zstd, a checksum over all.
std::string encode(const KeptForecast& forecast);
// Errors   corrupt  damaged, cut short, or not ours; a claim of more than `kept_items_max` items is refused unread
Result<KeptForecast> decode_kept_forecast(std::string_view bytes);

enum class BridgePart : std::uint8_t { timing, amount, fresh, gone, rate };
inline constexpr std::size_t bridge_part_count = 5;
std::string_view word(BridgePart part);  // "timing", "amount", "new", "gone", "rate"

struct BridgeEntry {
  BridgePart part = BridgePart::timing;
  std::string id{}, party{};
  std::uint8_t layer = 0;
  std::int64_t before = 0, after = 0;  // converted, whole amounts; 0 where it is not
  std::int32_t day_before = INT32_MIN, day_after = INT32_MIN;
  std::int64_t change = 0;  // what the part gets by it
  bool operator==(const BridgeEntry&) const = default;
};

struct Bridge {
  std::int64_t closing_before = 0, closing_after = 0;
  std::array<std::int64_t, bridge_part_count> parts{};
  std::vector<BridgeEntry> entries;  // by |change|, the largest first, then by id and part
  std::int64_t difference() const { return closing_after - closing_before; }
};

// What came or went of an item between the two forecasts, in their currency, signed as the item.
using Settled = std::map<std::string, std::int64_t, std::less<>>;

// Balances at the end of the day before `end` (usually the smaller `end_day` of both).
// Errors   invalid_input  forecasts of two currencies, items not sorted or an id twice; limit_reached  an amount too large
Result<Bridge> bridge(const KeptForecast& before, const KeptForecast& after, std::int32_t end, const Settled& settled = {});

}  // namespace millrace::planning
