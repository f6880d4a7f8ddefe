// A "what if" about cash: a named list of changes that are laid over the documents, never written into them.
//
// Invariants
//   * A change names what it is about and by how much; what a kind has no use for stays empty.
//   * Pure. Any thread may call.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/money.h"
#include "domain/quantity.h"

namespace millrace {

struct ScenarioChange {
  // Stored: numbers are never given twice.
  enum class Kind : std::uint8_t {
    customer_later = 1,  // `party` pays `days` later than usual
    order_slips = 2,     // `order` is delivered `days` later
    supplier_later = 3,  // `party` delivers and bills `days` later
    pay_later = 4,       // we pay every bill `days` later
    rate = 5,            // one unit of `from` costs `percent` more of `to`
    no_new_orders = 6,   // nothing is ordered beyond what is ordered
  };
  Kind kind = Kind::pay_later;
  std::string party;
  std::string order;
  std::int32_t days = 0;  // negative: earlier
  Currency from, to;
  Percent percent;
  bool operator==(const ScenarioChange&) const = default;
};
std::string_view word(ScenarioChange::Kind kind);  // "customer_later"

struct Scenario {
  std::string id;  // "s1"
  std::string name;
  std::uint64_t version = 0;
  std::string author;
  Instant at;
  std::vector<ScenarioChange> changes;
  bool operator==(const Scenario&) const = default;
};
inline constexpr std::size_t scenario_changes_max = 100, scenario_name_max = 120;
inline constexpr std::int32_t scenario_days_max = 730;

// One change as somebody asks for it, in words.
struct ScenarioWish {
  std::string kind, party, order, from, to;
  std::int64_t days = 0;
  std::string percent;  // decimal text
};
// Errors   invalid_input  no such kind, something is missing or beyond its bounds; the text says what would be right
Result<ScenarioChange> scenario_change(const ScenarioWish& wish);
Result<void> check_scenario(const Scenario& scenario);

std::string encode(const Scenario& scenario);
Result<Scenario> decode_scenario(std::string_view bytes);

}  // namespace millrace
