#include "query/totals.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "query/internal/order_filter.h"
#include "query/internal/rows.h"

namespace millrace::query {
namespace {

using internal::CurrencySums;
using internal::OrderFilter;
using readmodel::chunk_rows;
using readmodel::Code;
using readmodel::KeptGroup;
using readmodel::OrderChunk;
using readmodel::Snapshot;
using readmodel::Sum;
using readmodel::Vocabulary;

constexpr std::array<std::string_view, 7> group_names{"customer", "item", "manufacturer", "salesman", "status", "due_month", "currency"};

// Months since year 0; a month no order can have stands for "no usable date".
constexpr std::uint32_t no_month = 0xffffffff;
std::uint32_t month_of(std::int32_t due) {
  if (due == readmodel::no_day) return no_month;
  const Day day = day_from_number(due);
  return static_cast<std::uint32_t>(static_cast<int>(day.year()) * 12) + static_cast<unsigned>(day.month()) - 1;
}
std::string month_text(std::uint32_t month) {
  if (month == no_month) return "none";
  const auto months = static_cast<std::int32_t>(month);
  const std::int32_t year = (months - (months < 0 ? 11 : 0)) / 12;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d", year, months - year * 12 + 1);
  return text.data();
}

bool by_lines(TotalsGroup group) { return group == TotalsGroup::item || group == TotalsGroup::manufacturer; }

KeptGroup kept_group(TotalsGroup group) {
  switch (group) {
    case TotalsGroup::customer: return KeptGroup::customer;
    case TotalsGroup::item: return KeptGroup::item;
    case TotalsGroup::manufacturer: return KeptGroup::manufacturer;
    case TotalsGroup::salesman: return KeptGroup::salesman;
    case TotalsGroup::due_month: return KeptGroup::due_day;
    default: return KeptGroup::status;
  }
}

// The sums of every key, found by the key's number. Codes are dense and found by their place; months and
// currencies are few and far apart.
class Groups {
 public:
  explicit Groups(std::size_t code_count) : places_(code_count, none) {}

  CurrencySums& of(std::uint32_t key) {
    std::uint32_t& place = key < places_.size() ? places_[key] : far_.try_emplace(key, none).first->second;
    if (place == none) {
      place = static_cast<std::uint32_t>(sums_.size());
      sums_.emplace_back(key, CurrencySums());
    }
    return sums_[place].second;
  }
  const std::vector<std::pair<std::uint32_t, CurrencySums>>& all() const { return sums_; }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  std::vector<std::uint32_t> places_;
  std::unordered_map<std::uint32_t, std::uint32_t> far_;
  std::vector<std::pair<std::uint32_t, CurrencySums>> sums_;
};

std::size_t code_count(const Snapshot& snapshot, TotalsGroup group) {
  switch (group) {
    case TotalsGroup::customer: return snapshot.words(Vocabulary::customer).size();
    case TotalsGroup::item: return snapshot.words(Vocabulary::item).size();
    case TotalsGroup::manufacturer: return snapshot.words(Vocabulary::manufacturer).size();
    case TotalsGroup::salesman: return snapshot.words(Vocabulary::salesman).size();
    case TotalsGroup::status: return snapshot.words(Vocabulary::status).size();
    default: return 0;
  }
}

std::uint32_t order_key(TotalsGroup group, const OrderChunk& chunk, std::size_t row) {
  switch (group) {
    case TotalsGroup::customer: return chunk.customer[row];
    case TotalsGroup::salesman: return chunk.salesman[row];
    case TotalsGroup::status: return chunk.status[row];
    case TotalsGroup::due_month: return month_of(chunk.due[row]);
    default: return chunk.currency[row];
  }
}

// The lines of orders, by key; an order counts once in each. Late is what the order is.
class LineAdder {
 public:
  LineAdder(Groups& groups, TotalsGroup group, std::int32_t today, bool late_only)
      : groups_(groups), item_(group == TotalsGroup::item), today_(today), late_only_(late_only) {}

  void add(const OrderChunk& chunk, std::size_t row) {
    const bool late = internal::is_late(chunk, row, today_);
    if (late_only_ && !late) return;
    lines_.clear();
    for (std::uint32_t at = chunk.line_begin[row], end = at + chunk.lines[row]; at < end; ++at) {
      lines_.emplace_back(item_ ? chunk.line_item(at) : chunk.line_manufacturer(at), at);
    }
    std::sort(lines_.begin(), lines_.end());
    for (std::size_t i = 0; i < lines_.size();) {
      const Code key = lines_[i].first;
      Sum sum;
      for (; i < lines_.size() && lines_[i].first == key; ++i) {
        Sum line;
        line.lines = 1;
        line.net = line.total = chunk.line_net[lines_[i].second];
        line.open_amount = chunk.line_open(lines_[i].second);
        sum.add(line);
      }
      sum.orders = 1;
      sum.open_orders = sum.open_amount > 0 ? 1 : 0;
      if (!late_only_) groups_.of(key).add(chunk.currency[row], sum);
      if (late && sum.open_amount > 0) groups_.of(key).add_late(chunk.currency[row], 1, sum.open_amount);
    }
  }

 private:
  Groups& groups_;
  bool item_;
  std::int32_t today_;
  bool late_only_;
  std::vector<std::pair<Code, std::uint32_t>> lines_;  // reused from order to order
};

// With filters: one pass over the matching orders.
Groups pass(const Snapshot& snapshot, const OrderFilter& filter, TotalsGroup group, std::int32_t today) {
  Groups groups(code_count(snapshot, group));
  LineAdder lines(groups, group, today, false);
  std::array<std::uint16_t, chunk_rows> rows;
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const OrderChunk& chunk = snapshot.chunk(c);
    const std::size_t count = filter.select(chunk, rows);
    for (std::size_t i = 0; i < count; ++i) {
      if (by_lines(group)) lines.add(chunk, rows[i]);
      else groups.of(order_key(group, chunk, rows[i])).add_order(chunk, rows[i], today);
    }
  }
  return groups;
}

// Without filters the kept sums answer; only what is late depends on today and is looked up among open orders.
Groups kept(const Snapshot& snapshot, TotalsGroup group, std::int32_t today) {
  Groups groups(code_count(snapshot, group));
  for (const auto& block : snapshot.kept(kept_group(group))) {
    if (block == nullptr) continue;
    for (const auto& entry : block->entries) {
      std::uint32_t key = entry.key;
      if (group == TotalsGroup::due_month) key = month_of(static_cast<std::int32_t>(entry.key));
      if (group == TotalsGroup::currency) key = entry.currency;
      groups.of(key).add(entry.currency, entry.sum);
    }
  }
  LineAdder lines(groups, group, today, true);
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const OrderChunk& chunk = snapshot.chunk(c);
    for (std::size_t i = 0; i < chunk.used; ++i) {
      if (!chunk.live[i] || !internal::is_late(chunk, i, today)) continue;
      if (by_lines(group)) lines.add(chunk, i);
      else groups.of(order_key(group, chunk, i)).add_late(chunk.currency[i], 1, chunk.open_amount[i]);
    }
  }
  return groups;
}

TotalRow row_of(const Snapshot& snapshot, TotalsGroup group, std::uint32_t key, const CurrencySums& sums) {
  TotalRow row;
  row.sums = sums.sorted();
  const auto text = [&](Vocabulary vocabulary) { return std::string(snapshot.words(vocabulary).text(key)); };
  switch (group) {
    case TotalsGroup::customer: row.key = text(Vocabulary::customer); break;
    case TotalsGroup::item: row.key = text(Vocabulary::item); break;
    case TotalsGroup::manufacturer: row.key = text(Vocabulary::manufacturer); break;
    case TotalsGroup::salesman: row.key = text(Vocabulary::salesman); break;
    case TotalsGroup::status: row.key = text(Vocabulary::status); break;
    case TotalsGroup::due_month: row.key = month_text(key); break;
    case TotalsGroup::currency: row.key = Currency::from_packed(key).code(); break;
  }
  // Many customers without a code have no one name.
  const bool named = group == TotalsGroup::customer || group == TotalsGroup::item;
  if (named && !row.key.empty()) row.name = snapshot.name_of(kept_group(group), key);
  return row;
}

// Amounts of different currencies are never compared: the currency with the most orders decides first, a tie
// goes to the next one.
void sort_rows(std::vector<TotalRow>& rows) {
  std::map<std::uint32_t, std::uint64_t> orders;
  for (const TotalRow& row : rows)
    for (const CurrencySum& sum : row.sums) orders[sum.currency.packed()] += sum.orders;
  std::vector<std::pair<std::uint64_t, Currency>> ranked;
  for (const auto& [packed, count] : orders) ranked.emplace_back(count, Currency::from_packed(packed));
  std::sort(ranked.begin(), ranked.end(), [](const auto& left, const auto& right) {
    return left.first != right.first ? left.first > right.first : left.second.code() < right.second.code();
  });
  std::unordered_map<std::uint32_t, std::size_t> place;
  for (std::size_t i = 0; i < ranked.size(); ++i) place[ranked[i].second.packed()] = i;

  std::vector<std::int64_t> amounts(rows.size() * ranked.size());
  std::vector<std::pair<std::uint64_t, std::size_t>> order;  // natural key of the row's key, row
  order.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const CurrencySum& sum : rows[i].sums) amounts[i * ranked.size() + place[sum.currency.packed()]] = sum.open_amount;
    order.emplace_back(readmodel::natural_key(rows[i].key), i);
  }
  std::sort(order.begin(), order.end(), [&](const auto& left, const auto& right) {
    for (std::size_t c = 0; c < ranked.size(); ++c) {
      const std::int64_t a = amounts[left.second * ranked.size() + c], b = amounts[right.second * ranked.size() + c];
      if (a != b) return a > b;
    }
    if (left.first != right.first) return left.first < right.first;
    return natural_less(rows[left.second].key, rows[right.second].key);
  });
  std::vector<TotalRow> sorted;
  sorted.reserve(rows.size());
  for (const auto& [key, i] : order) sorted.push_back(std::move(rows[i]));
  rows = std::move(sorted);
}

}  // namespace

std::span<const std::string_view> totals_group_names() { return group_names; }

std::optional<TotalsGroup> parse_totals_group(std::string_view name) {
  const auto found = std::find(group_names.begin(), group_names.end(), name);
  if (found == group_names.end()) return std::nullopt;
  return static_cast<TotalsGroup>(found - group_names.begin());
}

Result<Totals> totals(const Snapshot& snapshot, TotalsGroup group, const OrderQuery& query, Day today) {
  const auto filter = OrderFilter::prepare(snapshot, query.filters, today);
  if (!filter) return pass_on(filter);
  const Groups groups = filter->empty() ? kept(snapshot, group, day_number(today))
                                        : pass(snapshot, *filter, group, day_number(today));
  Totals answer;
  answer.as_of = snapshot.as_of();
  answer.as_of_time = snapshot.as_of_time();
  answer.rows.reserve(groups.all().size());
  for (const auto& [key, sums] : groups.all()) answer.rows.push_back(row_of(snapshot, group, key, sums));
  sort_rows(answer.rows);
  return answer;
}

}  // namespace millrace::query
