#include "columns/scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

namespace millrace::columns {
namespace {

using Numbers = std::array<std::int64_t, block_rows>;

// Sums of a block's numbers within this range cannot overflow 64 bits.
constexpr std::int64_t small_number = std::int64_t{1} << 50;

// The rows of one block that meet a condition, one bit each.
class Selection {
 public:
  explicit Selection(const Snapshot& snapshot) : snapshot_(snapshot) {}

  // Answers how many rows were found.
  std::size_t find(std::size_t block, const Condition* condition) {
    rows_ = snapshot_.rows_of_block(block);
    if (condition == nullptr) return select_all();
    const ValueRange range = snapshot_.range(block, condition->column);
    const bool wants_absent = condition->holds(absent);
    if (!wants_absent && std::none_of(condition->any_of.begin(), condition->any_of.end(),
                                      [&](std::int64_t wanted) { return range.holds(wanted); }))
      return 0;
    const BlockState* const state = snapshot_.state(block);
    if (state != nullptr && state->changes(condition->column).empty() && select_in(*state->main, *condition))
      return count();
    snapshot_.decode(block, condition->column, numbers_.data());
    return select_rows(*condition);
  }

  template <class Callback>
  void for_each(Callback&& callback) const {
    for (std::size_t word = 0; word < (rows_ + 31) / 32; ++word)
      for (std::uint32_t bits = bits_[word]; bits != 0; bits &= bits - 1)
        callback(word * 32 + static_cast<std::size_t>(std::countr_zero(bits)));
  }

 private:
  void clear() { bits_.fill(0); }
  std::size_t select_all() {
    bits_.fill(0);
    std::fill_n(bits_.begin(), (rows_ + 31) / 32, ~0U);
    if (rows_ % 32 != 0) bits_[rows_ / 32] = (1U << (rows_ % 32)) - 1;
    return rows_;
  }
  std::size_t select_rows(const Condition& condition) {
    clear();
    for (const std::int64_t wanted : condition.any_of) {
      for (std::size_t row = 0; row < rows_; row += 32) {
        const std::size_t lanes = std::min<std::size_t>(32, rows_ - row);
        std::uint32_t bits = 0;
        for (std::size_t lane = 0; lane < lanes; ++lane) bits |= std::uint32_t{numbers_[row + lane] == wanted} << lane;
        bits_[row / 32] |= bits;
      }
    }
    return count();
  }
  // Without unpacking, where the form of the column allows it.
  bool select_in(const Block& block, const Condition& condition) {
    if (condition.any_of.size() > 4) return false;
    bool runs = false;
    for (std::size_t index = 0; index < condition.any_of.size(); ++index) {
      const std::int64_t wanted = condition.any_of[index];
      auto& found = index == 0 ? bits_ : more_;
      if (index == 0) runs = block.select_runs(condition.column, wanted, found.data());
      const bool possible = runs ? index == 0 || block.select_runs(condition.column, wanted, found.data())
                                 : block.select_packed(condition.column, wanted, found.data());
      if (!possible) return false;
      if (index == 0) continue;
      for (std::size_t word = 0; word < bits_.size(); ++word) bits_[word] |= more_[word];
    }
    if (!runs) return true;
    more_ = bits_;
    block.spread(more_.data(), bits_.data());
    return true;
  }
  std::size_t count() const {
    std::size_t found = 0;
    for (std::size_t word = 0; word < bits_.size(); word += 2)
      found += bit_count(bits_[word] | std::uint64_t{bits_[word + 1]} << 32);
    return found;
  }

  const Snapshot& snapshot_;
  std::size_t rows_ = 0;
  std::array<std::uint32_t, block_rows / 32> bits_{};
  std::array<std::uint32_t, block_rows / 32> more_{};
  Numbers numbers_{};
};

// One column of one block, as cheap as the number of rows that will be asked for allows.
class Values {
 public:
  Values(const Snapshot& snapshot, std::size_t column) : snapshot_(snapshot), column_(column) {}
  void prepare(std::size_t block, std::size_t rows_wanted) {
    first_ = std::uint64_t{block} * block_rows;
    decoded_ = rows_wanted * 16 > snapshot_.rows_of_block(block);
    if (decoded_) snapshot_.decode(block, column_, numbers_.data());
  }
  std::int64_t operator[](std::size_t row) const {
    return decoded_ ? numbers_[row] : snapshot_.value(column_, first_ + row);
  }

 private:
  const Snapshot& snapshot_;
  std::size_t column_;
  std::uint64_t first_ = 0;
  bool decoded_ = false;
  Numbers numbers_{};
};

// Sums by the value of the grouping column: an array where the values lie close together, else a table.
class Groups {
 public:
  Groups(const Snapshot& snapshot, const Grouping& grouping) : grouping_(grouping) {
    constexpr std::uint64_t array_max = 1 << 20;
    ValueRange range{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
      const ValueRange here = snapshot.range(block, grouping.column);
      range.low = std::min(range.low, here.low);
      range.high = std::max(range.high, here.high);
    }
    low_ = range.low;
    const std::uint64_t width = static_cast<std::uint64_t>(range.high) - static_cast<std::uint64_t>(range.low);
    if (range.low <= range.high && width < array_max) near_.resize(static_cast<std::size_t>(width) + 1);
  }
  void add(std::int64_t value, std::int64_t amount) {
    GroupTotal& total = near_.empty() ? far_[grouping_.group(value)] : near_[static_cast<std::size_t>(value - low_)];
    total.sum += amount;
    ++total.rows;
  }
  std::vector<GroupTotal> take() {
    std::vector<GroupTotal> groups;
    const auto put = [&](std::int64_t group, const GroupTotal& total) {
      if (total.rows == 0) return;
      if (groups.empty() || groups.back().group != group) groups.push_back({group, 0, 0});
      groups.back().sum += total.sum;
      groups.back().rows += total.rows;
    };
    for (std::size_t index = 0; index < near_.size(); ++index)
      put(grouping_.group(low_ + static_cast<std::int64_t>(index)), near_[index]);
    std::vector<std::int64_t> names;
    for (const auto& entry : far_) names.push_back(entry.first);
    std::sort(names.begin(), names.end());
    for (const std::int64_t name : names) put(name, far_[name]);
    return groups;
  }

 private:
  Grouping grouping_;
  std::int64_t low_ = 0;
  std::vector<GroupTotal> near_;
  std::unordered_map<std::int64_t, GroupTotal> far_;
};

const Condition* condition_of(const TotalQuestion& question) {
  return question.condition ? &*question.condition : nullptr;
}

GroupTotal plain_total(const Snapshot& snapshot, const TotalQuestion& question) {
  GroupTotal all;
  Selection selection(snapshot);
  Values amounts(snapshot, question.amount);
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    const std::size_t found = selection.find(block, condition_of(question));
    if (found == 0) continue;
    amounts.prepare(block, found);
    const ValueRange range = snapshot.range(block, question.amount);
    if (range.low > -small_number && range.high < small_number) {
      std::int64_t sum = 0;
      std::uint64_t rows = 0;
      selection.for_each([&](std::size_t row) {
        const std::int64_t amount = amounts[row];
        sum += amount == absent ? 0 : amount;
        rows += amount == absent ? 0 : 1;
      });
      all.sum += sum;
      all.rows += rows;
    } else {
      selection.for_each([&](std::size_t row) {
        const std::int64_t amount = amounts[row];
        if (amount == absent) return;
        all.sum += amount;
        ++all.rows;
      });
    }
  }
  return all;
}

}  // namespace

std::vector<GroupTotal> totals(const Snapshot& snapshot, const TotalQuestion& question) {
  if (!question.grouping) {
    const GroupTotal all = plain_total(snapshot, question);
    return all.rows == 0 ? std::vector<GroupTotal>{} : std::vector<GroupTotal>{all};
  }
  Selection selection(snapshot);
  Values amounts(snapshot, question.amount);
  Values group_values(snapshot, question.grouping->column);
  Groups groups(snapshot, *question.grouping);
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    const std::size_t found = selection.find(block, condition_of(question));
    if (found == 0) continue;
    amounts.prepare(block, found);
    group_values.prepare(block, found);
    selection.for_each([&](std::size_t row) {
      const std::int64_t amount = amounts[row];
      const std::int64_t value = group_values[row];
      if (amount != absent && value != absent) groups.add(value, amount);
    });
  }
  return groups.take();
}

Sum total(const Snapshot& snapshot, const TotalQuestion& question) {
  Sum sum = 0;
  for (const GroupTotal& group : totals(snapshot, question)) sum += group.sum;
  return sum;
}

Sum total_of_products(const Snapshot& snapshot, std::size_t left, std::size_t right, const Condition& condition) {
  Sum sum = 0;
  Selection selection(snapshot);
  Values lefts(snapshot, left);
  Values rights(snapshot, right);
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    const std::size_t found = selection.find(block, &condition);
    if (found == 0) continue;
    lefts.prepare(block, found);
    rights.prepare(block, found);
    selection.for_each([&](std::size_t row) {
      const std::int64_t one = lefts[row];
      const std::int64_t other = rights[row];
      if (one == absent || other == absent) return;
      sum = static_cast<Sum>(static_cast<unsigned __int128>(sum) + static_cast<unsigned __int128>(Sum{one} * other));
    });
  }
  return sum;
}

std::vector<std::uint64_t> rows_where(const Snapshot& snapshot, const Condition& condition, std::size_t limit) {
  std::vector<std::uint64_t> rows;
  Selection selection(snapshot);
  for (std::size_t block = 0; block < snapshot.block_count() && rows.size() < limit; ++block) {
    if (selection.find(block, &condition) == 0) continue;
    selection.for_each([&](std::size_t row) {
      if (rows.size() < limit) rows.push_back(std::uint64_t{block} * block_rows + row);
    });
  }
  return rows;
}

}  // namespace millrace::columns
