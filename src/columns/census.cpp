#include "columns/census.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace millrace::columns {
namespace {

std::string type_of(const Column& column) {
  if (column.is_text()) return "text";
  const NumberFormat& format = *column.format;
  if (!format.bare()) return "numbered text";
  if (format.kind == NumberKind::date) return "date";
  if (format.decimals == 0) return "number";
  return "number with " + std::to_string(format.decimals) + (format.decimals == 1 ? " decimal" : " decimals");
}

std::string form_of(const Segment& segment) {
  std::string form;
  switch (segment.basis) {
    case Basis::derived:
      form = "derived";
      break;
    case Basis::place:
      form = "place in run";
      break;
    case Basis::run:
      form = segment.step != 0 ? "line per run" : segment.width == 0 ? "one value" : "per run";
      break;
    case Basis::row:
      form = segment.step != 0 ? "line" : segment.width == 0 ? "one value" : "packed";
      break;
  }
  if (segment.constant() && segment.exception_count > 0) form += " and exceptions";
  return form;
}

std::vector<std::string> forms_of(const Snapshot& snapshot, std::size_t column) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  std::size_t blocks = 0;
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    const BlockState* const state = snapshot.state(block);
    if (state == nullptr) continue;
    ++blocks;
    const std::string form = form_of(state->main->segment(column));
    const auto known =
        std::find_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.first == form; });
    if (known == counts.end())
      counts.emplace_back(form, 1);
    else
      ++known->second;
  }
  std::sort(counts.begin(), counts.end(),
            [](const auto& left, const auto& right) { return left.second > right.second; });
  std::vector<std::string> forms;
  for (const auto& [form, count] : counts)
    forms.push_back(counts.size() == 1 ? form
                                       : form + " " + std::to_string((count * 100 + blocks / 2) / blocks) + " %");
  return forms;
}

struct Spread {
  std::uint64_t distinct = 0;
  double entropy_bytes = 0;

  void add(std::uint64_t count, std::uint64_t rows) {
    if (count == 0) return;
    ++distinct;
    const double share = static_cast<double>(count) / static_cast<double>(rows);
    entropy_bytes -= static_cast<double>(count) * std::log2(share) / 8;
  }
};

// Values that lie close together are counted, others are sorted.
Spread spread_of(const Snapshot& snapshot, std::size_t column) {
  ValueRange range{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    const ValueRange here = snapshot.range(block, column);
    range.low = std::min(range.low, here.low);
    range.high = std::max(range.high, here.high);
  }
  const std::uint64_t rows = snapshot.rows();
  Spread spread;
  std::vector<std::int64_t> numbers(block_rows);
  const std::uint64_t width = static_cast<std::uint64_t>(range.high) - static_cast<std::uint64_t>(range.low);
  if (range.low <= range.high && width < std::max<std::uint64_t>(rows, 1024)) {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(width) + 2);  // the last one counts empty cells
    for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
      snapshot.decode(block, column, numbers.data());
      for (std::size_t row = 0; row < snapshot.rows_of_block(block); ++row)
        ++counts[numbers[row] == absent ? counts.size() - 1 : static_cast<std::size_t>(numbers[row] - range.low)];
    }
    for (const std::uint64_t count : counts) spread.add(count, rows);
    return spread;
  }
  std::vector<std::int64_t> all;
  all.reserve(static_cast<std::size_t>(rows));
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    snapshot.decode(block, column, numbers.data());
    all.insert(all.end(), numbers.begin(),
               numbers.begin() + static_cast<std::ptrdiff_t>(snapshot.rows_of_block(block)));
  }
  std::sort(all.begin(), all.end());
  for (auto first = all.begin(); first != all.end();) {
    const auto end = std::upper_bound(first, all.end(), *first);
    spread.add(static_cast<std::uint64_t>(end - first), rows);
    first = end;
  }
  return spread;
}

}  // namespace

ColumnCensus census(const Snapshot& snapshot, std::size_t column) {
  const Column& described = snapshot.shape().columns[column];
  ColumnCensus census;
  census.type = type_of(described);
  census.forms = forms_of(snapshot, column);
  const Spread spread = spread_of(snapshot, column);
  census.distinct = spread.distinct;
  census.entropy_bytes = spread.entropy_bytes;
  for (std::size_t block = 0; block < snapshot.block_count(); ++block)
    if (const BlockState* const state = snapshot.state(block)) census.bytes += state->main->column_bytes(column);
  if (described.is_text()) census.bytes += described.dictionary->bytes();
  if (const auto& derivation = snapshot.shape().derivations[column]) census.bytes += derivation->by_code.bytes();
  return census;
}

std::uint64_t shared_bytes(const Snapshot& snapshot) {
  std::uint64_t bytes = 0;
  for (std::size_t block = 0; block < snapshot.block_count(); ++block) {
    const BlockState* const state = snapshot.state(block);
    if (state == nullptr) continue;
    bytes +=
        state->main->run_bytes() + sizeof(Block) + sizeof(BlockState) + state->delta.capacity() * sizeof(ChangedCell);
  }
  return bytes;
}

}  // namespace millrace::columns
