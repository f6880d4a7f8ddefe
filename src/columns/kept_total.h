// Totals of one column, by the values of another, over the rows that meet a condition; and the same kept right while
// rows change, so that asking costs no scan.
//
// Invariants
//   * Sums are exact: 128 bits hold any sum of up to 2^63 numbers of 64 bits.
//   * Rows without an amount or without a group are left out.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::columns {

using Sum = __int128;
std::string text_of(Sum sum);

struct Condition {
  std::size_t column = 0;
  std::vector<std::int64_t> any_of;

  bool holds(std::int64_t value) const {
    for (const std::int64_t accepted : any_of)
      if (value == accepted) return true;
    return false;
  }
};

// Groups are floor((value - offset) / divisor): offset 4 and divisor 7 make Monday weeks of days since 1970-01-01.
struct Grouping {
  std::size_t column = 0;
  std::int64_t offset = 0;
  std::int64_t divisor = 1;  // over 0

  std::int64_t group(std::int64_t value) const;
};

struct TotalQuestion {
  std::size_t amount = 0;
  std::optional<Condition> condition;
  std::optional<Grouping> grouping;  // none: one group, 0
};

struct GroupTotal {
  std::int64_t group = 0;
  Sum sum = 0;
  std::uint64_t rows = 0;
  bool operator==(const GroupTotal&) const = default;
};

// What a row says to a question.
struct RowFacts {
  std::int64_t amount = 0;
  std::int64_t condition = 0;
  std::int64_t group = 0;  // the grouping column's value
};

class KeptTotal {
 public:
  explicit KeptTotal(TotalQuestion question) : question_(std::move(question)) {}
  KeptTotal(TotalQuestion question, std::vector<GroupTotal> groups)
      : question_(std::move(question)), groups_(std::move(groups)) {}

  const TotalQuestion& question() const { return question_; }
  const std::vector<GroupTotal>& groups() const { return groups_; }  // ascending; groups without rows are gone
  bool concerns(std::size_t column) const;

  void add(const RowFacts& facts) { change(facts, 1); }
  void take_away(const RowFacts& facts) { change(facts, -1); }

 private:
  void change(const RowFacts& facts, int sign);

  TotalQuestion question_;
  std::vector<GroupTotal> groups_;
};

}  // namespace millrace::columns
