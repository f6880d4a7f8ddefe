// One order from what several sources say of it: whose value counts, field by field, and where they differ (decision 0005).
//
//   sides: one per source ──> join_orders ──> the order as it counts + differences + where each value came from
//
// Invariants
//   * Pure. What is answered follows from sides, rules and decisions alone, not from the order in which they came.
//   * Every value is one that a side says; only line totals and open quantities follow anew where quantity, price and
//     delivery come from different sides. Amounts are settled, and of one currency.
//   * A side that does not say a value neither wins nor differs: what one source leaves out another may fill in.
//   * What time explains is no difference: more delivered, or closed, in the newer document.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/order.h"
#include "feed/change.h"

namespace millrace::ingest {

// Values that one rule decides together.
enum class FieldGroup : std::uint8_t { quantity, price, dates, lines, customer, terms, status, other };
inline constexpr std::size_t field_group_count = 8;
std::string_view word(FieldGroup group);

// Which source counts where several say something. A preference is a list, best first, of "erp" (a service before
// any folder), "newest" (the newest document, by decision 0003) and ids of sources; whoever is not named follows, newest first.
struct JoinRules {
  using Preference = std::vector<std::string>;
  Preference usual{"erp", "newest"};
  std::array<Preference, field_group_count> by_group;  // empty: `usual`
  bool join_by_reference = true;      // a file that carries the ERP order's customer reference as its number is that order
  std::vector<std::string> services;  // ids of the sources that are services

  const Preference& of(FieldGroup group) const;
  // Folders that no rule names speak with one voice, by decision 0003.
  bool names(std::string_view source) const;
  // The same text for the same rules.
  std::string text() const;
};
// "quantity" (or "default"), "erp, newest".
// Errors   invalid_input  no such group, or no words; the text lists the groups
Result<void> set_rule(JoinRules& rules, std::string_view group, std::string_view words);
// As people write them: "default: erp, newest; dates: orders, erp; references: no". What is not said is as by default.
Result<JoinRules> parse_join_rules(std::string_view text);

// A person's choice for one difference. It holds while every source says what it said then.
struct Decision {
  std::string field;
  std::int32_t line = 0;  // 0: the order's head
  std::string source;     // whose value counts
  std::string by;
  Instant at;
  std::vector<std::pair<std::string, std::string>> values;  // source and text, as they were shown
  bool operator==(const Decision&) const = default;
};
std::string encode(const Decision& decision);
Result<Decision> decode_decision(std::string_view bytes);

struct JoinSide {
  std::string source;
  bool is_service = false;
  bool by_reference = false;  // found by the ERP order's customer reference: carries a number of its own
  Instant stamp;              // how new its document is, by decision 0003
  std::shared_ptr<const SalesOrder> order;
};

// Places in `sides`, who counts first by the preference first.
std::vector<std::size_t> ranked(std::span<const JoinSide> sides, const JoinRules::Preference& preference);

struct JoinedOrder {
  SalesOrder order;                          // with the number of sides[0]
  std::vector<feed::Difference> differences; // documents are places in `sides`
  std::vector<feed::Origin> origins;
};
// At least one side, the one whose document counts first; no two of one source.
JoinedOrder join_orders(std::span<const JoinSide> sides, const JoinRules& rules, std::span<const Decision> decisions);

}  // namespace millrace::ingest
