// What is kept about cash beside the documents: scenarios, and the forecasts that were made.
//
//   kept row   space "cash/scenarios",       key "s000000000001", content `encode(Scenario)`
//   kept row   space "cash/forecasts",       key "f000000000012", content `encode(ForecastHead)`: its figures
//   kept row   space "cash/forecast_items",  the same key, content: its movements, as `query` packs them
//
// Invariants
//   * Ids are given once: what is removed leaves a hole. Forecasts are never changed or removed.
//   * A scenario's version is one more with every change; a change says which version it read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/cash_scenario.h"
#include "domain/money.h"
#include "feed/sequence.h"

namespace millrace::ingest {

inline constexpr std::string_view scenario_space = "cash/scenarios", forecast_space = "cash/forecasts", forecast_items_space = "cash/forecast_items";

// A forecast as it was made: what it promised week by week, so that it can be held against what came.
struct ForecastHead {
  struct Week {
    std::int32_t start = 0;  // day number, a Monday (the first: the day it was made)
    std::int64_t receipts = 0, payments = 0, closing = 0, p10 = 0, p90 = 0;  // minor units
    bool operator==(const Week&) const = default;
  };
  std::string id;  // "f12"
  Instant made;
  std::string by;  // "time", or who asked
  feed::Sequence as_of;
  Currency currency;
  std::int32_t first_day = 0;  // day number
  std::int64_t opening = 0, closing = 0;
  std::int32_t lowest_day = 0;
  std::int64_t lowest = 0;
  std::vector<Week> weeks;
  bool operator==(const ForecastHead&) const = default;
};
std::string encode(const ForecastHead& forecast);
Result<ForecastHead> decode_forecast_head(std::string_view bytes);

struct CashAsker {
  std::string author;
  Instant at;
};

// What the server asks. Any thread may call; writing waits for the record.
class CashDoor {
 public:
  virtual ~CashDoor() = default;

  // One more with every change of a scenario or forecast: what depends on them is kept under it.
  virtual std::uint64_t revision() const = 0;

  virtual std::vector<Scenario> scenarios() const = 0;  // by id
  // Errors   not_found
  virtual Result<Scenario> scenario(const std::string& id) const = 0;
  // A new one when `id` is ""; else `version` is the one that was read, nothing: whatever stands.
  // Errors   invalid_input, limit_reached (200 scenarios), not_found, conflict (somebody changed it), those of a commit
  virtual Result<Scenario> put_scenario(const std::string& id, std::optional<std::uint64_t> version, std::string name, std::vector<ScenarioChange> changes,
                                        const CashAsker& asker) = 0;
  virtual Result<void> remove_scenario(const std::string& id, std::optional<std::uint64_t> version) = 0;

  virtual std::vector<ForecastHead> forecasts() const = 0;  // oldest first
  // Id and revision are given here; the first of two forecasts with the same day and by "time" stays, and is answered.
  virtual Result<ForecastHead> keep_forecast(ForecastHead forecast, std::string items) = 0;
  // Errors   not_found
  virtual Result<std::string> forecast_items(const std::string& id) const = 0;
};

}  // namespace millrace::ingest
