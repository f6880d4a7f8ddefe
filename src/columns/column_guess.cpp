#include "columns/column_guess.h"

#include <algorithm>
#include <unordered_map>

#include "base/hash.h"

namespace millrace::columns {
namespace {

constexpr std::size_t affix_max = 16;

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::size_t digits_at(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - from;
}

// Columns that change at every row or never have no runs worth keeping.
struct RunCount {
  std::size_t runs = 1;
  bool useful(std::size_t rows) const { return runs > 1 && runs * 2 <= rows; }
};

RunCount runs_of(const std::int64_t* numbers, std::size_t rows) {
  RunCount count;
  for (std::size_t row = 1; row < rows; ++row) count.runs += numbers[row] != numbers[row - 1] ? 1 : 0;
  return count;
}

bool changes_only_with(const std::int64_t* numbers, const std::int64_t* key, std::size_t rows) {
  for (std::size_t row = 1; row < rows; ++row)
    if (numbers[row] != numbers[row - 1] && key[row] == key[row - 1]) return false;
  return true;
}

bool determines(const std::int64_t* source, const std::int64_t* target, std::size_t rows) {
  std::unordered_map<std::int64_t, std::int64_t> says;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto [place, is_new] = says.try_emplace(source[row], target[row]);
    if (!is_new && place->second != target[row]) return false;
  }
  return true;
}

std::size_t distinct(const std::int64_t* numbers, std::size_t rows) {
  return std::unordered_set<std::int64_t>(numbers, numbers + rows).size();
}

}  // namespace

void ColumnGuess::begin(std::string_view cell) {
  std::size_t first = 0;
  while (first < cell.size() && !is_digit(cell[first])) ++first;
  if (first == cell.size() || first > affix_max) return;
  const std::size_t whole = digits_at(cell, first);
  std::size_t end = first + whole;
  std::size_t decimals = 0;
  if (end < cell.size() && cell[end] == '.') {
    decimals = digits_at(cell, end + 1);
    if (decimals > 0) end += 1 + decimals;
  }
  const std::string prefix(cell.substr(0, first));
  const std::string suffix(cell.substr(end));
  // A sign belongs to the number where nothing but a quote stands before it.
  std::string unsigned_prefix = prefix;
  if (prefix == "-" || prefix == "\"-") unsigned_prefix.pop_back();
  const auto offer = [&](NumberFormat format) {
    if (format.suffix.size() <= affix_max && format.parse(cell)) candidates_.push_back(std::move(format));
  };
  if (whole == 4 && cell.size() >= first + 10)
    offer({NumberKind::date, 0, 0, prefix, std::string(cell.substr(first + 10))});
  if (decimals <= 18) offer({NumberKind::plain, static_cast<unsigned>(decimals), 0, unsigned_prefix, suffix});
  if (decimals == 0 && whole <= 18) offer({NumberKind::padded, 0, static_cast<unsigned>(whole), prefix, suffix});
}

void ColumnGuess::see(std::string_view cell) {
  ++cells_;
  if (distinct_.size() < distinct_max) distinct_.insert(hash64(cell));
  if (cell.empty()) return;
  if (with_value_++ == 0)
    begin(cell);
  else
    std::erase_if(candidates_, [&](const NumberFormat& format) { return !format.parse(cell); });
}

std::optional<NumberFormat> ColumnGuess::format() const {
  if (candidates_.empty()) return std::nullopt;
  const NumberFormat& best = candidates_.front();
  if (best.bare() || distinct_.size() * 2 > cells_ || distinct_.size() == distinct_max) return best;
  return std::nullopt;
}

Relations find_relations(const std::vector<SampleColumn>& columns, std::size_t rows) {
  Relations relations;
  relations.sources.resize(columns.size());
  if (rows < 16) return relations;
  std::vector<RunCount> runs;
  for (const SampleColumn& column : columns) runs.push_back(runs_of(column.numbers, rows));
  std::size_t best_followers = 0;
  for (std::size_t key = 0; key < columns.size(); ++key) {
    if (!runs[key].useful(rows)) continue;
    std::size_t followers = 0;
    for (std::size_t column = 0; column < columns.size(); ++column)
      if (column != key && runs[column].runs > 1 &&
          changes_only_with(columns[column].numbers, columns[key].numbers, rows))
        ++followers;
    if (followers > best_followers) {
      best_followers = followers;
      relations.run_key = key;
    }
  }
  // A source must repeat: where every text is new, it "determines" everything and saves nothing.
  std::vector<bool> is_source(columns.size());
  for (std::size_t source = 0; source < columns.size(); ++source) {
    if (!columns[source].is_text || relations.sources[source]) continue;
    const std::size_t texts = distinct(columns[source].numbers, rows);
    if (texts < 2 || texts * 4 > rows) continue;
    for (std::size_t target = 0; target < columns.size(); ++target) {
      if (target == source || is_source[target] || relations.sources[target] || runs[target].runs == 1) continue;
      if (!determines(columns[source].numbers, columns[target].numbers, rows)) continue;
      relations.sources[target] = source;
      is_source[source] = true;
    }
  }
  return relations;
}

}  // namespace millrace::columns
