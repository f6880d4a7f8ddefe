#include "query/orders.h"

#include <algorithm>

#include "query/internal/cursor.h"
#include "query/internal/hash.h"
#include "query/internal/order_filter.h"
#include "query/internal/ranking.h"
#include "query/internal/rows.h"

namespace millrace::query {
namespace {

using internal::Cursor;
using internal::CurrencySums;
using internal::Direction;
using internal::OrderFilter;
using internal::RankedRow;
using internal::Ranking;
using readmodel::chunk_rows;
using readmodel::OrderChunk;
using readmodel::RowId;
using readmodel::Snapshot;

// The first `bound` of the rows that are offered, without sorting the rest: now and then what cannot be on the page is
// cut off, and from then on a row behind the border is not even kept. Keys decide first, as plain numbers; only rows
// that share the key at the border are compared in full.
class Selection {
 public:
  Selection(std::size_t bound, const Ranking& ranking, bool back)
      : bound_(bound), cut_at_(4 * bound + 4096), ranking_(ranking), back_(back) {
  }

  void offer(const RankedRow& row) {
    if (key_of(row) > border_) return;
    rows_.push_back(row);
    if (rows_.size() == cut_at_) cut();
  }
  std::vector<RankedRow> sorted() && {
    cut();
    std::sort(rows_.begin(), rows_.end(), [this](const RankedRow& left, const RankedRow& right) { return less(left, right); });
    return std::move(rows_);
  }

 private:
  std::uint64_t key_of(const RankedRow& row) const { return back_ ? ~row.key : row.key; }
  bool less(const RankedRow& left, const RankedRow& right) const {
    return back_ ? ranking_.less(right, left) : ranking_.less(left, right);
  }

  void cut() {
    if (bound_ == 0) rows_.clear();
    if (rows_.size() <= bound_) return;
    const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(bound_) - 1;
    std::nth_element(rows_.begin(), last, rows_.end(),
                     [this](const RankedRow& left, const RankedRow& right) { return key_of(left) < key_of(right); });
    border_ = key_of(*last);
    const auto ties = std::partition(rows_.begin(), rows_.end(), [this](const RankedRow& row) { return key_of(row) < border_; });
    const auto ties_end = std::partition(ties, rows_.end(), [this](const RankedRow& row) { return key_of(row) == border_; });
    std::nth_element(ties, last, ties_end, [this](const RankedRow& left, const RankedRow& right) { return less(left, right); });
    rows_.resize(bound_);
  }

  const std::size_t bound_, cut_at_;
  const Ranking& ranking_;
  const bool back_;
  std::uint64_t border_ = ~std::uint64_t{0};  // rows with a larger key cannot be on the page
  std::vector<RankedRow> rows_;
};

struct Scan {
  std::vector<RankedRow> rows;  // in the order of the answer
  std::uint64_t matching = 0;
  std::uint64_t before = 0;  // matching rows before the cursor's place
  bool at_cursor = false;    // the row of the cursor itself still matches
  CurrencySums sums;
};

// One pass: counts, sums and the rows of the page. Walking back, the page is the end of what lies before.
Scan scan(const Snapshot& snapshot, const OrderFilter& filter, const Ranking& ranking, const Cursor* cursor,
          std::size_t limit, std::int32_t today) {
  const bool back = cursor != nullptr && cursor->direction != Direction::after;
  const bool inclusive = back && cursor->direction == Direction::before_or_at;
  const std::uint64_t cursor_key = cursor != nullptr ? ranking.key(cursor->position) : 0;
  Selection selection(limit, ranking, back);
  Scan found;
  filter.for_passing(snapshot, [&](std::size_t c, std::span<const std::uint16_t> rows) {
    const OrderChunk& chunk = snapshot.chunk(c);
    found.matching += rows.size();
    for (const std::uint16_t i : rows) {
      if (!filter.empty()) found.sums.add_order(chunk, i, today);
      const RankedRow row{ranking.key(chunk, i), static_cast<RowId>(c * chunk_rows + i)};
      if (cursor != nullptr) {
        const int order = ranking.compare(row, cursor->position, cursor_key);
        if (order < 0) found.before += 1;
        if (order == 0) found.at_cursor = true;
        if (back ? order > 0 || (order == 0 && !inclusive) : order <= 0) continue;
      }
      selection.offer(row);
    }
  });
  found.rows = std::move(selection).sorted();
  if (back) std::reverse(found.rows.begin(), found.rows.end());
  if (filter.empty()) found.sums = internal::all_sums(snapshot, today);
  return found;
}

OrderPage page_of(const Snapshot& snapshot, const Scan& found, const OrderQuery& query, const OrderFilter& filter,
                  std::int32_t today) {
  OrderPage page;
  page.examined = filter.candidates() ? filter.candidates()->size() : snapshot.order_count();
  page.as_of = snapshot.as_of();
  page.as_of_time = snapshot.as_of_time();
  page.matching = found.matching;
  page.sums = found.sums.sorted();
  const internal::FieldSet wanted(query.fields);
  page.rows.reserve(found.rows.size());
  for (const RankedRow& row : found.rows) page.rows.push_back(internal::make_row(snapshot, row.row, today, wanted));
  return page;
}

// The parser has mostly computed it already.
std::uint64_t hash_of(const OrderQuery& query) {
  return query.filter_hash != 0 ? query.filter_hash : internal::filter_hash(query);
}

// `first` rows lie before the page.
void link_neighbours(OrderPage& page, const Scan& found, const Ranking& ranking, const Cursor* cursor,
                     std::uint64_t first, std::uint64_t hash) {
  const auto link = [&](Direction direction, internal::Position position) {
    return internal::cursor_text({direction, std::move(position)}, hash);
  };
  if (found.rows.empty()) {
    // The rows this cursor pointed to are gone; what is left lies to one side of its place.
    if (cursor == nullptr || found.matching == 0) return;
    if (cursor->direction == Direction::after) page.prev_cursor = link(Direction::before_or_at, cursor->position);
    else page.next_cursor = link(Direction::after, internal::Position{cursor->position});
    return;
  }
  if (first > 0) page.prev_cursor = link(Direction::before, ranking.position(found.rows.front().row));
  if (first + found.rows.size() < found.matching) {
    page.next_cursor = link(Direction::after, ranking.position(found.rows.back().row));
  }
}

}  // namespace

Result<OrderPage> orders(const Snapshot& snapshot, const OrderQuery& query, Day today) {
  const auto filter = OrderFilter::prepare(snapshot, query.filters, today);
  if (!filter) return pass_on(filter);
  const Ranking ranking(snapshot, query.sort, today);
  const std::uint64_t hash = hash_of(query);
  std::optional<Cursor> cursor;
  if (!query.cursor.empty()) {
    auto read = internal::read_cursor(query.cursor, hash, ranking);
    if (!read) return pass_on(read);
    cursor = std::move(*read);
  }
  const Cursor* const place = cursor ? &*cursor : nullptr;
  const Scan found = scan(snapshot, *filter, ranking, place, std::min(query.limit, page_limit_max), day_number(today));
  std::uint64_t first = 0;
  if (place != nullptr) {
    first = found.before + (found.at_cursor ? 1 : 0);  // what `after` leaves behind
    if (place->direction == Direction::before) first = found.before - found.rows.size();
    if (place->direction == Direction::before_or_at) first -= found.rows.size();
  }
  OrderPage page = page_of(snapshot, found, query, *filter, day_number(today));
  link_neighbours(page, found, ranking, place, first, hash);
  return page;
}

namespace {

std::vector<RankedRow> all_matching(const Snapshot& snapshot, const OrderFilter& filter, const Ranking& ranking,
                                    CurrencySums* sums, std::int32_t today) {
  std::vector<RankedRow> all;
  filter.for_passing(snapshot, [&](std::size_t c, std::span<const std::uint16_t> rows) {
    const OrderChunk& chunk = snapshot.chunk(c);
    for (const std::uint16_t i : rows) {
      if (sums != nullptr) sums->add_order(chunk, i, today);
      all.push_back({ranking.key(chunk, i), static_cast<RowId>(c * chunk_rows + i)});
    }
  });
  return all;
}

}  // namespace

Result<OrderPage> orders_window(const Snapshot& snapshot, const OrderQuery& query, std::size_t offset, Day today) {
  const auto filter = OrderFilter::prepare(snapshot, query.filters, today);
  if (!filter) return pass_on(filter);
  const Ranking ranking(snapshot, query.sort, today);
  Scan found;
  std::vector<RankedRow> all =
      all_matching(snapshot, *filter, ranking, filter->empty() ? nullptr : &found.sums, day_number(today));
  if (filter->empty()) found.sums = internal::all_sums(snapshot, day_number(today));
  found.matching = all.size();
  const std::size_t begin = std::min(offset, all.size());
  const std::size_t end = std::min(begin + std::min(query.limit, page_limit_max), all.size());
  const auto less = [&](const RankedRow& left, const RankedRow& right) { return ranking.less(left, right); };
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = all.begin() + static_cast<std::ptrdiff_t>(end);
  if (first != last) {  // only the window is sorted; the rest is merely on the right side of it
    std::nth_element(all.begin(), first, all.end(), less);
    std::partial_sort(first, last, all.end(), less);
  }
  found.rows.assign(first, last);
  OrderPage page = page_of(snapshot, found, query, *filter, day_number(today));
  link_neighbours(page, found, ranking, nullptr, begin, hash_of(query));
  return page;
}

struct OrderCursor::Impl {
  readmodel::SnapshotPtr snapshot;
  std::int32_t today = 0;
  std::vector<RowId> rows;
  std::size_t next = 0;
};

OrderCursor::OrderCursor(readmodel::SnapshotPtr snapshot, const OrderQuery& query, Day today)
    : impl_(std::make_unique<Impl>()) {
  impl_->snapshot = std::move(snapshot);
  impl_->today = day_number(today);
  const auto filter = OrderFilter::prepare(*impl_->snapshot, query.filters, today);
  if (!filter) return;  // a filter that `parse_order_query` refuses matches nothing
  const Ranking ranking(*impl_->snapshot, query.sort, today);
  auto all = all_matching(*impl_->snapshot, *filter, ranking, nullptr, impl_->today);
  std::sort(all.begin(), all.end(), [&](const RankedRow& left, const RankedRow& right) { return ranking.less(left, right); });
  impl_->rows.reserve(all.size());
  for (const RankedRow& row : all) impl_->rows.push_back(row.row);
}

OrderCursor::~OrderCursor() = default;
OrderCursor::OrderCursor(OrderCursor&&) noexcept = default;

std::vector<OrderRow> OrderCursor::next(std::size_t limit) {
  std::vector<OrderRow> block;
  const std::size_t end = impl_->next + std::min(limit, impl_->rows.size() - impl_->next);
  block.reserve(end - impl_->next);
  for (; impl_->next < end; ++impl_->next) {
    block.push_back(internal::make_row(*impl_->snapshot, impl_->rows[impl_->next], impl_->today));
  }
  return block;
}

std::uint64_t OrderCursor::matching() const { return impl_->rows.size(); }

std::optional<OrderRow> order_row(const Snapshot& snapshot, std::string_view number, Day today) {
  const auto row = snapshot.find(number);
  if (!row) return std::nullopt;
  return internal::make_row(snapshot, *row, day_number(today));
}

bool matches(const Snapshot& snapshot, std::string_view number, const OrderQuery& query, Day today) {
  const auto row = snapshot.find(number);
  if (!row) return false;
  const auto filter = OrderFilter::prepare(snapshot, query.filters, today);
  return filter && filter->passes(snapshot.chunk_of(*row), *row % chunk_rows);
}

}  // namespace millrace::query
