#include "query/totals.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/text.h"
#include "query/internal/order_filter.h"
#include "query/internal/rows.h"

namespace millrace::query {
namespace {

using internal::CurrencySums;
using internal::CurrencyTotal;
using internal::OrderFilter;
using readmodel::Code;
using readmodel::KeptGroup;
using readmodel::OrderChunk;
using readmodel::Snapshot;
using readmodel::Sum;
using readmodel::Vocabulary;

constexpr std::array<std::string_view, 7> group_names{"customer", "item", "manufacturer", "salesman", "status", "due_month", "currency"};

constexpr std::array<std::string_view, 9> sort_names{"open_amount", "total", "net", "late_amount", "orders",
                                                     "lines", "open_orders", "late_orders", "key"};

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

// The sums of every key and currency, found by the key's number. Codes are dense and found by their place; months and
// currencies are few and far apart. Mostly there is one currency: further ones of a key are chained behind its first.
class Groups {
 public:
  struct Entry {
    std::uint32_t currency = 0;
    std::uint32_t next = none;  // of the same key
    CurrencyTotal sum;
  };
  struct Group {
    std::uint32_t key = 0;
    std::uint32_t first = none;
  };
  static constexpr std::uint32_t none = 0xffffffff;

  explicit Groups(std::size_t code_count) : places_(code_count, none) {}

  CurrencyTotal& of(std::uint32_t key, std::uint32_t currency) {
    std::uint32_t& place = key < places_.size() ? places_[key] : far_.try_emplace(key, none).first->second;
    if (place == none) {
      place = static_cast<std::uint32_t>(groups_.size());
      groups_.push_back({key, none});
    }
    std::uint32_t* link = &groups_[place].first;
    while (*link != none && entries_[*link].currency != currency) link = &entries_[*link].next;
    if (*link == none) {
      *link = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({currency, none, {}});  // `link` may be gone now
      return entries_.back().sum;
    }
    return entries_[*link].sum;
  }
  const std::vector<Group>& all() const { return groups_; }
  template <class Visit>
  void each(const Group& group, Visit visit) const {
    for (std::uint32_t at = group.first; at != none; at = entries_[at].next) visit(entries_[at].currency, entries_[at].sum);
  }

 private:
  std::vector<std::uint32_t> places_;
  std::unordered_map<std::uint32_t, std::uint32_t> far_;
  std::vector<Group> groups_;
  std::vector<Entry> entries_;
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
      if (!late_only_) groups_.of(key, chunk.currency[row]).add(sum);
      if (late && sum.open_amount > 0) groups_.of(key, chunk.currency[row]).add_late(1, sum.open_amount);
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
  filter.for_passing(snapshot, [&](std::size_t c, std::span<const std::uint16_t> rows) {
    const OrderChunk& chunk = snapshot.chunk(c);
    for (const std::uint16_t row : rows) {
      if (by_lines(group)) lines.add(chunk, row);
      else groups.of(order_key(group, chunk, row), chunk.currency[row]).add_order(chunk, row, today);
    }
  });
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
      groups.of(key, entry.currency).add(entry.sum);
    }
  }
  LineAdder lines(groups, group, today, true);
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const OrderChunk& chunk = snapshot.chunk(c);
    for (std::size_t i = 0; i < chunk.used; ++i) {
      if (!chunk.live[i] || !internal::is_late(chunk, i, today)) continue;
      if (by_lines(group)) lines.add(chunk, i);
      else groups.of(order_key(group, chunk, i), chunk.currency[i]).add_late(1, chunk.open_amount[i]);
    }
  }
  return groups;
}

std::string key_text(const Snapshot& snapshot, TotalsGroup group, std::uint32_t key) {
  const auto text = [&](Vocabulary vocabulary) { return std::string(snapshot.words(vocabulary).text(key)); };
  switch (group) {
    case TotalsGroup::customer: return text(Vocabulary::customer);
    case TotalsGroup::item: return text(Vocabulary::item);
    case TotalsGroup::manufacturer: return text(Vocabulary::manufacturer);
    case TotalsGroup::salesman: return text(Vocabulary::salesman);
    case TotalsGroup::status: return text(Vocabulary::status);
    case TotalsGroup::due_month: return month_text(key);
    case TotalsGroup::currency: return Currency::from_packed(key).code();
  }
  return {};
}

TotalRow row_of(const Snapshot& snapshot, TotalsGroup group, const Groups& groups, const Groups::Group& one) {
  TotalRow row;
  CurrencySums sums;
  groups.each(one, [&](std::uint32_t currency, const CurrencyTotal& sum) { sums.add(currency, sum); });
  row.sums = sums.sorted();
  row.key = key_text(snapshot, group, one.key);
  // Many customers without a code have no one name.
  const bool named = group == TotalsGroup::customer || group == TotalsGroup::item;
  if (named && !row.key.empty()) row.name = snapshot.name_of(kept_group(group), one.key);
  return row;
}

std::int64_t value_of(TotalsSort by, const CurrencyTotal& total) {
  switch (by) {
    case TotalsSort::open_amount: return total.sum.open_amount;
    case TotalsSort::total: return total.sum.total;
    case TotalsSort::net: return total.sum.net;
    case TotalsSort::late_amount: return total.late_amount;
    case TotalsSort::orders: return static_cast<std::int64_t>(total.sum.orders);
    case TotalsSort::lines: return static_cast<std::int64_t>(total.sum.lines);
    case TotalsSort::open_orders: return static_cast<std::int64_t>(total.sum.open_orders);
    case TotalsSort::late_orders: return static_cast<std::int64_t>(total.late_orders);
    case TotalsSort::key: break;
  }
  return 0;
}

// Counts are numbers of one kind whatever the currency: they are added. Amounts are not.
bool is_count(TotalsSort by) {
  return by == TotalsSort::orders || by == TotalsSort::lines || by == TotalsSort::open_orders || by == TotalsSort::late_orders;
}

// The groups of an answer in its order: values to compare by are looked up once, then only the asked-for first groups
// are sorted, and only they become rows.
class Ranked {
 public:
  Ranked(const Snapshot& snapshot, TotalsGroup group, const Groups& groups, const TotalsOrder& order)
      : snapshot_(snapshot), group_(group), groups_(groups), order_(order), ranked_(currencies()) {
    const std::size_t width = is_count(order.by) ? 1 : std::max<std::size_t>(ranked_.size(), 1);
    values_.resize(groups.all().size() * width);
    width_ = width;
    keys_.reserve(groups.all().size());
    for (std::size_t i = 0; i < groups.all().size(); ++i) {
      keys_.push_back(readmodel::natural_key(key_text(snapshot, group, groups.all()[i].key)));
      groups.each(groups.all()[i], [&](std::uint32_t currency, const CurrencyTotal& total) {
        const std::size_t place = is_count(order.by) ? 0 : place_of(currency);
        values_[i * width_ + place] += value_of(order.by, total);
      });
    }
  }

  std::vector<std::size_t> first() const {
    std::vector<std::size_t> all(groups_.all().size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const std::size_t count = std::min(order_.limit, all.size());
    const auto before = [this](std::size_t left, std::size_t right) { return less(left, right); };
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(count);
    if (middle != all.begin() && middle != all.end()) std::nth_element(all.begin(), middle - 1, all.end(), before);
    std::sort(all.begin(), middle, before);
    all.resize(count);
    return all;
  }

 private:
  // The currency with the most orders first.
  std::vector<std::uint32_t> currencies() const {
    std::map<std::uint32_t, std::uint64_t> orders;
    for (const auto& group : groups_.all())
      groups_.each(group, [&](std::uint32_t currency, const CurrencyTotal& total) { orders[currency] += total.sum.orders; });
    std::vector<std::pair<std::uint64_t, Currency>> ranked;
    for (const auto& [packed, count] : orders) ranked.emplace_back(count, Currency::from_packed(packed));
    std::sort(ranked.begin(), ranked.end(), [](const auto& left, const auto& right) {
      return left.first != right.first ? left.first > right.first : left.second.code() < right.second.code();
    });
    std::vector<std::uint32_t> packed;
    for (const auto& [count, currency] : ranked) packed.push_back(currency.packed());
    return packed;
  }
  std::size_t place_of(std::uint32_t currency) const {
    return static_cast<std::size_t>(std::find(ranked_.begin(), ranked_.end(), currency) - ranked_.begin());
  }

  bool less(std::size_t left, std::size_t right) const {
    for (std::size_t c = 0; c < width_; ++c) {
      const std::int64_t a = values_[left * width_ + c], b = values_[right * width_ + c];
      if (a != b) return order_.descending ? a > b : a < b;
    }
    const bool turned = order_.by == TotalsSort::key && order_.descending;
    return turned ? key_less(right, left) : key_less(left, right);
  }
  // Many groups have nothing open: what decides among them must not cost two texts.
  bool key_less(std::size_t left, std::size_t right) const {
    if (keys_[left] != keys_[right]) return keys_[left] < keys_[right];
    const std::string a = key_text(snapshot_, group_, groups_.all()[left].key);
    const std::string b = key_text(snapshot_, group_, groups_.all()[right].key);
    return natural_less(a, b);
  }

  const Snapshot& snapshot_;
  const TotalsGroup group_;
  const Groups& groups_;
  const TotalsOrder order_;
  const std::vector<std::uint32_t> ranked_;  // currencies
  std::size_t width_ = 1;
  std::vector<std::uint64_t> keys_;   // natural keys of the groups' texts
  std::vector<std::int64_t> values_;  // group by group, `width_` each
};

}  // namespace

std::span<const std::string_view> totals_group_names() { return group_names; }

std::optional<TotalsGroup> parse_totals_group(std::string_view name) {
  const auto found = std::find(group_names.begin(), group_names.end(), name);
  if (found == group_names.end()) return std::nullopt;
  return static_cast<TotalsGroup>(found - group_names.begin());
}

std::span<const std::string_view> totals_sort_names() { return sort_names; }

std::optional<TotalsSort> parse_totals_sort(std::string_view name) {
  const auto found = std::find(sort_names.begin(), sort_names.end(), name);
  if (found == sort_names.end()) return std::nullopt;
  return static_cast<TotalsSort>(found - sort_names.begin());
}

Result<Totals> totals(const Snapshot& snapshot, TotalsGroup group, const OrderQuery& query, Day today,
                      const TotalsOrder& order) {
  const auto filter = OrderFilter::prepare(snapshot, query.filters, today);
  if (!filter) return pass_on(filter);
  const Groups groups = filter->empty() ? kept(snapshot, group, day_number(today))
                                        : pass(snapshot, *filter, group, day_number(today));
  Totals answer;
  answer.as_of = snapshot.as_of();
  answer.as_of_time = snapshot.as_of_time();
  answer.groups = groups.all().size();
  const std::vector<std::size_t> first = Ranked(snapshot, group, groups, order).first();
  answer.rows.reserve(first.size());
  for (const std::size_t i : first) answer.rows.push_back(row_of(snapshot, group, groups, groups.all()[i]));
  return answer;
}

}  // namespace millrace::query
