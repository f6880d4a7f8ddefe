#include "query/today.h"

#include <algorithm>
#include <array>
#include <map>

#include "query/differences.h"
#include "query/internal/order_filter.h"
#include "query/internal/rows.h"

namespace millrace::query {
namespace {

using internal::CurrencySums;
using readmodel::chunk_rows;
using readmodel::RowId;
using readmodel::Snapshot;

constexpr std::array<std::string_view, 6> age_names{"not_due", "1-7", "8-30", "31-60", "61+", "no_date"};
constexpr std::int32_t soon_days = 7;

std::size_t age_of(std::int32_t due, std::int32_t today) {
  if (due == readmodel::no_day) return 5;
  const std::int64_t late = std::int64_t{today} - due;
  if (late <= 0) return 0;
  if (late <= 7) return 1;
  if (late <= 30) return 2;
  return late <= 60 ? 3 : 4;
}

struct LateOrder {
  Int128 weight = 0;  // open amount x days late
  RowId row = 0;
};

// The heaviest of every currency in turn: amounts of different currencies are never weighed against each other.
// The currency with the most late orders leads.
std::vector<RowId> interleaved(const Snapshot& snapshot, std::map<std::uint32_t, std::vector<LateOrder>>& late,
                               std::size_t limit) {
  std::vector<std::pair<std::size_t, std::uint32_t>> currencies;
  for (auto& [packed, orders] : late) currencies.emplace_back(orders.size(), packed);
  std::sort(currencies.begin(), currencies.end(), [](const auto& left, const auto& right) {
    if (left.first != right.first) return left.first > right.first;
    return Currency::from_packed(left.second).code() < Currency::from_packed(right.second).code();
  });
  const auto number = [&](RowId row) {
    return OrderNumber{std::string(snapshot.chunk_of(row).number(row % chunk_rows))};
  };
  for (auto& [packed, orders] : late) {
    const std::size_t kept = std::min(limit, orders.size());
    std::partial_sort(orders.begin(), orders.begin() + static_cast<std::ptrdiff_t>(kept), orders.end(),
                      [&](const LateOrder& left, const LateOrder& right) {
                        return left.weight != right.weight ? left.weight > right.weight
                                                           : number(left.row) < number(right.row);
                      });
  }
  std::vector<RowId> rows;
  for (std::size_t rank = 0; rows.size() < limit; ++rank) {
    const std::size_t before = rows.size();
    for (const auto& [count, packed] : currencies) {
      if (rank < count && rows.size() < limit) rows.push_back(late[packed][rank].row);
    }
    if (rows.size() == before) break;
  }
  return rows;
}

// Whose orders count, by code; nothing: everybody's.
std::optional<std::vector<std::uint8_t>> counting_salesmen(const Snapshot& snapshot, std::string_view salesman) {
  if (salesman.empty()) return std::nullopt;
  const readmodel::Words words = snapshot.words(readmodel::Vocabulary::salesman);
  std::vector<std::uint8_t> counts(words.size());
  for (readmodel::Code code = 0; code < words.size(); ++code) counts[code] = words.text(code) == salesman;
  return counts;
}

}  // namespace

Today today(const Snapshot& snapshot, Day day, std::size_t limit, std::string_view salesman) {
  const std::int32_t now = day_number(day);
  const auto counting = counting_salesmen(snapshot, salesman);
  CurrencySums own, soon;
  std::array<CurrencySums, age_names.size()> ages;
  std::map<std::uint32_t, std::vector<LateOrder>> late;
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const readmodel::OrderChunk& chunk = snapshot.chunk(c);
    for (std::size_t i = 0; i < chunk.used; ++i) {
      if (!chunk.live[i] || (counting && !(*counting)[chunk.salesman[i]])) continue;
      if (counting) own.add_order(chunk, i, now);
      if (chunk.open_amount[i] <= 0) continue;
      const std::int32_t due = chunk.due[i];
      ages[age_of(due, now)].add_order(chunk, i, now);
      if (due >= now && due <= now + soon_days) soon.add_order(chunk, i, now);
      if (!internal::is_late(chunk, i, now)) continue;
      late[chunk.currency[i]].push_back({static_cast<Int128>(chunk.open_amount[i]) * (std::int64_t{now} - due),
                                         static_cast<RowId>(c * chunk_rows + i)});
    }
  }
  Today answer;
  answer.as_of = snapshot.as_of();
  answer.as_of_time = snapshot.as_of_time();
  answer.sums = counting ? own.sorted() : internal::all_sums(snapshot, now).sorted();
  answer.due_soon = soon.sorted();
  for (std::size_t i = 0; i < ages.size(); ++i) answer.ages.push_back({age_names[i], ages[i].sorted()});
  for (const RowId row : interleaved(snapshot, late, limit)) answer.needs_decision.push_back(internal::make_row(snapshot, row, now));
  if (!counting) {
    answer.rejections = snapshot.rejections().size();
    answer.differences = count_differences(snapshot).undecided;
  }
  return answer;
}

}  // namespace millrace::query
