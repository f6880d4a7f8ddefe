#include "ingest/internal/line_match.h"

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "base/text.h"

namespace millrace::ingest::internal {
namespace {

using LineKey = std::pair<std::int32_t, std::string>;

std::string item_key(const OrderLine& line) { return search_fold(trim(line.item_code)); }

// One side's lines against the rows that there are.
class Matching {
 public:
  Matching(std::vector<LineRow>& rows, std::size_t side, const std::vector<OrderLine>& lines) : rows_(rows), side_(side), row_count_(rows.size()) {
    for (const OrderLine& line : lines) left_.push_back(&line);
  }

  // Pairs what has the same key.
  template <class KeyOf>
  void pair_by(KeyOf key_of) {
    std::map<LineKey, std::deque<std::size_t>> free;
    for (std::size_t row = 0; row < row_count_; ++row)
      if (rows_[row].of[side_] == nullptr) free[key_of(*rows_[row].first)].push_back(row);
    std::erase_if(left_, [&](const OrderLine* line) {
      const auto found = free.find(key_of(*line));
      if (found == free.end() || found->second.empty()) return false;
      rows_[found->second.front()].of[side_] = line;
      found->second.pop_front();
      return true;
    });
  }

  void add_rest(std::size_t side_count) {
    for (const OrderLine* line : left_) {
      rows_.push_back({std::vector<const OrderLine*>(side_count, nullptr), line});
      rows_.back().of[side_] = line;
    }
  }

 private:
  std::vector<LineRow>& rows_;
  const std::size_t side_, row_count_;
  std::vector<const OrderLine*> left_;
};

}  // namespace

std::vector<LineRow> match_lines(std::span<const JoinSide> sides, std::span<const std::size_t> order) {
  std::vector<LineRow> rows;
  for (const std::size_t side : order) {
    Matching matching(rows, side, sides[side].order->lines);
    matching.pair_by([](const OrderLine& line) { return LineKey(line.line_number, item_key(line)); });
    // Lines without an item meet only by their number.
    matching.pair_by([](const OrderLine& line) {
      constexpr std::int32_t any_number = 0;
      std::string item = item_key(line);
      return item.empty() ? LineKey(line.line_number, std::move(item)) : LineKey(any_number, std::move(item));
    });
    matching.pair_by([](const OrderLine& line) { return LineKey(line.line_number, std::string()); });
    matching.add_rest(sides.size());
  }
  return rows;
}

}  // namespace millrace::ingest::internal
