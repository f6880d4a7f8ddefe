// What is owed to us and by us, by age, as of any day; the documents behind each figure; and the measures that follow.
//
// Invariants
//   * Buckets of a currency add up to what is open exactly; currencies are never added together.
//   * What has no due date has a bucket of its own. The items of a cell add up to the cell.
//   * Pure. Any thread may call.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/money.h"
#include "planning/ageing.h"
#include "readmodel/finance_book.h"

namespace millrace::query {

enum class AgeingGroup { party, currency, salesperson, country };
std::optional<AgeingGroup> parse_ageing_group(std::string_view word);

struct AgeingAsked {
  readmodel::LedgerSide side = readmodel::LedgerSide::receivables;
  Day day{};
  planning::AgeingBasis by = planning::AgeingBasis::due;
  std::vector<std::int32_t> bounds{30, 60, 90};
  AgeingGroup group = AgeingGroup::party;
};

struct AgeingRow {
  std::string key, name;
  Currency currency;
  std::vector<std::int64_t> amounts;  // by bucket
  std::int64_t total = 0;
  std::optional<Day> oldest;  // due (or posting) day of the oldest that is open; only of parties and as they stand today
};

// Tenths of a day, of one currency; absent where there is nothing to divide by.
struct AgeingMeasures {
  Currency currency;
  std::optional<std::int64_t> dso, best_dso, count_back, average_days_late, dpo;
};

struct AgeingTable {
  std::vector<std::string> buckets;  // "not_due", "1-30", ..., "91+", "no_date"
  std::vector<AgeingRow> totals;     // one per currency
  std::vector<AgeingRow> rows;       // largest total first within a currency, currencies by code
  std::vector<AgeingMeasures> measures;  // of each currency; both sides are looked at
};
// Errors   invalid_input  the bounds do not rise or are too many
Result<AgeingTable> ageing_table(const readmodel::FinanceBook& book, const AgeingAsked& asked);

// "30,60,90". Errors   invalid_input
Result<std::vector<std::int32_t>> parse_ageing_bounds(std::string_view text);
std::vector<std::string> ageing_bucket_names(const std::vector<std::int32_t>& bounds);

struct AgeingItem {
  readmodel::FinancePtr document;
  std::optional<Day> due, posted;
  std::int64_t open = 0;  // on that day, minor units of the document's currency
  std::int32_t age = 0;   // days, 0 without a day
};
struct AgeingItemsAsked {
  AgeingAsked of;
  std::string bucket, party, currency;  // "": all
  std::size_t limit = 100, offset = 0;
};
struct AgeingItems {
  MoneyByCurrency totals;
  std::uint64_t count = 0;
  std::vector<AgeingItem> items;  // oldest first
};
// Errors   invalid_input  there is no such bucket
Result<AgeingItems> ageing_items(const readmodel::FinanceBook& book, const AgeingItemsAsked& asked);

}  // namespace millrace::query
