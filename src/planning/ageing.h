// Receivables and payables by age, as of any day, from postings; and the measures that follow from them.
//
// What is open on a day is the sum of the postings up to it. Buckets of bounds 30, 60, 90 are: not due (age 0 or less),
// 1-30, 31-60, 61-90, 91 and more, and one for what has no day. Age is counted from the due day, or from the day the
// document was posted.
//
// Invariants
//   * The buckets of a currency add up to its open receivables exactly; currencies are never added together.
//   * The same answer for any number of threads and with or without an index.
//   * Pure. Any thread may call.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace millrace::planning {

inline constexpr std::int32_t ageing_no_day = INT32_MIN;  // as readmodel::no_day
inline constexpr std::size_t ageing_bounds_max = 24;

// Columns of equal length; a posting that is gone has amount 0. Their owner keeps them.
struct PostingColumns {
  std::span<const std::int32_t> posted;
  std::span<const std::int32_t> due;
  std::span<const std::int64_t> amount;  // minor units, + owed, - settled
  std::span<const std::uint32_t> party;
  std::span<const std::uint16_t> currency;
  std::span<const std::uint32_t> document;  // that is owed
};

enum class AgeingBasis : std::uint8_t { due, posted };

struct AgeingQuestion {
  std::int32_t as_of = 0;
  AgeingBasis basis = AgeingBasis::due;
  std::vector<std::int32_t> bounds{30, 60, 90};  // rising, 1..36500; may be empty: not due and due
  // Group of each party (a salesperson, a country); empty: one group for all. A party beyond it is in group 0.
  std::span<const std::uint32_t> group_of_party{};
  std::uint32_t group_count = 1;
  std::uint32_t currency_count = 1;  // codes are below it
  // Posting day of each document, for basis `posted`; a document beyond it has no day.
  std::span<const std::int32_t> document_posted{};
  unsigned threads = 2;
};

class AgeingAnswer {
 public:
  AgeingAnswer(std::uint32_t groups, std::uint32_t currencies, std::size_t buckets)
      : groups_(groups), currencies_(currencies), buckets_(buckets), sums_(std::size_t{groups} * currencies * buckets) {}

  std::uint32_t groups() const { return groups_; }
  std::uint32_t currencies() const { return currencies_; }
  std::size_t buckets() const { return buckets_; }  // bounds + 3: not due, the bounded ones, beyond the last bound, no day
  std::int64_t at(std::uint32_t group, std::uint32_t currency, std::size_t bucket) const { return sums_[index(group, currency) + bucket]; }
  std::span<const std::int64_t> row(std::uint32_t group, std::uint32_t currency) const { return {sums_.data() + index(group, currency), buckets_}; }
  std::span<std::int64_t> row(std::uint32_t group, std::uint32_t currency) { return {sums_.data() + index(group, currency), buckets_}; }
  std::int64_t total(std::uint32_t currency) const;
  std::int64_t total(std::uint32_t group, std::uint32_t currency) const;
  bool operator==(const AgeingAnswer&) const = default;

 private:
  std::size_t index(std::uint32_t group, std::uint32_t currency) const { return (std::size_t{group} * currencies_ + currency) * buckets_; }
  std::uint32_t groups_, currencies_;
  std::size_t buckets_;
  std::vector<std::int64_t> sums_;
};

// Bucket of an age basis day: 0 is not due, bounds.size() + 1 beyond the last, bounds.size() + 2 no day.
std::size_t ageing_bucket(std::int32_t basis_day, std::int32_t as_of, std::span<const std::int32_t> bounds);

// Reads all postings once.
// Errors   invalid_input  bounds not rising or too many, columns of different length, a currency or group code too large,
//                         group_count * currency_count * buckets beyond 16 million
Result<AgeingAnswer> ageing(std::span<const PostingColumns> chunks, const AgeingQuestion& question);

// What was open at the beginnings of periods of eight days, per currency and basis day, so that a question reads one period of
// postings only, and these summed per day. For totals per currency of one basis. Kept up to date posting by posting.
class AgeingIndex {
 public:
  // Errors   invalid_input  columns of different length, a currency code of `currency_count` or more
  static Result<AgeingIndex> build(std::span<const PostingColumns> chunks, AgeingBasis basis, std::uint32_t currency_count,
                                   std::span<const std::int32_t> document_posted, unsigned threads);
  // One more posting; one that went again is added with its amount negated. Costs the periods after it.
  void add(std::int32_t posted, std::int32_t basis_day, std::uint32_t currency, std::int64_t amount);
  // The same as `ageing` of the question with one group; `basis` is the index's own.
  // Errors   invalid_input  bounds not rising or too many
  Result<AgeingAnswer> answer(std::int32_t as_of, std::span<const std::int32_t> bounds) const;

 private:
  struct Cell {
    std::int32_t basis_day = 0;
    std::uint32_t currency = 0;
    std::int64_t amount = 0;
  };
  using Cells = std::vector<Cell>;            // by basis day and currency, none twice, none of 0
  static void add_to(Cells& cells, const Cell& cell);
  void make_checkpoints();

  std::map<std::int32_t, Cells> days_;         // by posting day
  std::map<std::int32_t, Cells> checkpoints_;  // by period: what is open of all postings before it
  std::uint32_t currency_count_ = 1;
};

// ---- measures, in tenths of a day (412 is 41.2 days), rounded half away from zero; nothing when there is nothing to divide by

struct DayAmount {
  std::int32_t day = 0;
  std::int64_t amount = 0;
};

// What was owed anew per day in (from, until], one currency, by day: invoices, whose postings add. Days without are absent.
std::vector<DayAmount> owed_by_day(std::span<const PostingColumns> chunks, std::uint16_t currency, std::int32_t from, std::int32_t until);

// open / sales of the last `days` days * days. DSO of receivables and sales; DPO of payables and bills; the best possible DSO
// is the same of what is not due yet.
std::optional<std::int64_t> days_outstanding(std::int64_t open, std::int64_t sales, std::int32_t days);
// Count-back: as many days back from `as_of` as their sales are needed to make up what is open, the last in part.
// Nothing when all sales given are not enough.
std::optional<std::int64_t> days_by_count_back(std::int64_t open, std::span<const DayAmount> sales, std::int32_t as_of);
// Of what was settled in (as_of - days, as_of]: days after the due day, weighted by amount; early counts below 0.
std::optional<std::int64_t> average_days_late(std::span<const PostingColumns> chunks, std::uint16_t currency, std::int32_t as_of, std::int32_t days);

}  // namespace millrace::planning
