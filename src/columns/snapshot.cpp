#include "columns/snapshot.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace millrace::columns {
namespace {

bool before(const ChangedCell& cell, std::pair<std::size_t, std::size_t> place) {
  return cell.column != place.first ? cell.column < place.first : cell.row < place.second;
}

}  // namespace

std::span<const ChangedCell> BlockState::changes(std::size_t column) const {
  if (delta.empty()) return {};
  const auto first = std::lower_bound(delta.begin(), delta.end(), std::pair{column, std::size_t{0}}, before);
  const auto last = std::lower_bound(first, delta.end(), std::pair{column + 1, std::size_t{0}}, before);
  return {first, last};
}

const ChangedCell* BlockState::change(std::size_t column, std::size_t row) const {
  if (delta.empty()) return nullptr;
  const auto found = std::lower_bound(delta.begin(), delta.end(), std::pair{column, row}, before);
  return found != delta.end() && found->column == column && found->row == row ? &*found : nullptr;
}

std::size_t Snapshot::rows_of_block(std::size_t block) const {
  return block < blocks_.size() ? blocks_[block]->main->rows() : tail_rows_;
}

std::int64_t Snapshot::value(std::size_t column, std::uint64_t row) const {
  const auto block = static_cast<std::size_t>(row / block_rows);
  const auto place = static_cast<std::size_t>(row % block_rows);
  if (block >= blocks_.size()) return tail_->column(column)[place];
  const BlockState& state = *blocks_[block];
  if (const ChangedCell* changed = state.change(column, place)) return changed->value;
  return state.main->value(*shape_, column, place);
}

std::string_view Snapshot::text(std::size_t column, std::uint64_t row) const {
  return shape_->columns[column].dictionary->text(static_cast<std::uint32_t>(value(column, row)));
}

void Snapshot::append_cell(std::size_t column, std::int64_t value, std::string& out) const {
  const Column& described = shape_->columns[column];
  if (described.is_text())
    out += described.dictionary->text(static_cast<std::uint32_t>(value));
  else if (value != absent)
    described.format->print(value, out);
}

void Snapshot::read(std::uint64_t row, std::size_t count, std::int64_t* out) const {
  check(count <= 64 && row + count <= rows(), "rows that are read are there, at most 64 at once");
  const auto block = static_cast<std::size_t>(row / block_rows);
  const auto place = static_cast<std::size_t>(row % block_rows);
  if (block >= blocks_.size() || place + count > blocks_[block]->main->rows()) {  // the tail, or two blocks
    for (std::size_t column = 0; column < shape_->column_count(); ++column)
      for (std::size_t index = 0; index < count; ++index) out[column * count + index] = value(column, row + index);
    return;
  }
  const BlockState& state = *blocks_[block];
  state.main->read(*shape_, place, count, out);
  for (const ChangedCell& cell : state.delta)
    if (cell.row >= place && cell.row < place + count) out[cell.column * count + (cell.row - place)] = cell.value;
}

void Snapshot::decode(std::size_t block, std::size_t column, std::int64_t* out) const {
  if (block >= blocks_.size()) {
    std::copy_n(tail_->column(column), tail_rows_, out);
    return;
  }
  const BlockState& state = *blocks_[block];
  state.main->decode(*shape_, column, out);
  for (const ChangedCell& cell : state.changes(column)) out[cell.row] = cell.value;
}

ValueRange Snapshot::range(std::size_t block, std::size_t column) const {
  ValueRange range{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  const auto widen = [&](std::int64_t value) {
    if (value == absent) return;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  };
  if (block >= blocks_.size()) {
    for (std::size_t row = 0; row < tail_rows_; ++row) widen(tail_->column(column)[row]);
    return range;
  }
  const Segment& segment = blocks_[block]->main->segment(column);
  range = {segment.low, segment.high};
  if (segment.low > segment.high) range = {std::numeric_limits<std::int64_t>::max(), absent};
  for (const ChangedCell& cell : blocks_[block]->changes(column)) widen(cell.value);
  return range;
}

std::uint64_t Snapshot::lower_bound(std::size_t column, std::int64_t wanted) const {
  const std::vector<std::int64_t>& firsts = *first_values_[column];
  const auto after = std::lower_bound(firsts.begin(), firsts.end(), wanted);
  if (after == firsts.begin()) return 0;
  const auto block = static_cast<std::size_t>(after - firsts.begin()) - 1;
  const std::uint64_t start = std::uint64_t{block} * block_rows;
  const BlockState* const of = state(block);
  if (of != nullptr && of->changes(column).empty()) return start + of->main->lower_bound(*shape_, column, wanted);
  std::uint64_t first = start;
  std::uint64_t count = rows_of_block(block);
  while (count > 0) {
    const std::uint64_t half = count / 2;
    if (value(column, first + half) < wanted) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

RowRange Snapshot::equal_range(std::size_t column, std::int64_t wanted) const {
  check(ascends(column), "only a column that ascends is searched by bisection");
  if (wanted == absent) return {};
  const std::uint64_t first = lower_bound(column, wanted);
  // The end is nearly always in the same block.
  const auto block = static_cast<std::size_t>(first / block_rows);
  if (const BlockState* const of = state(block); of != nullptr && of->changes(column).empty()) {
    const std::size_t end =
        of->main->upper_bound(*shape_, column, wanted, static_cast<std::size_t>(first % block_rows));
    if (end < of->main->rows()) return {first, block * block_rows + end - first};
  }
  const std::uint64_t end =
      wanted == std::numeric_limits<std::int64_t>::max() ? rows() : lower_bound(column, wanted + 1);
  return {first, end - first};
}

}  // namespace millrace::columns
