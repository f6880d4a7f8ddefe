#include "query/differences.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "base/text.h"

namespace millrace::query {
namespace {

using readmodel::chunk_rows;
using readmodel::OrderChunk;
using readmodel::RowId;
using readmodel::Snapshot;

// Calls `visit(row, bits)` for every order with differences.
template <class Visit>
void each_different(const Snapshot& snapshot, Visit visit) {
  std::array<std::uint8_t, chunk_rows> live, bits;
  for (std::size_t c = 0; c < snapshot.chunk_count(); ++c) {
    const OrderChunk& chunk = snapshot.chunk(c);
    chunk.live.decode(0, std::span(live.data(), chunk.used));
    chunk.bits.decode(0, std::span(bits.data(), chunk.used));
    for (std::size_t i = 0; i < chunk.used; ++i)
      if (live[i] != 0 && (bits[i] & readmodel::order_has_differences) != 0) visit(static_cast<RowId>(c * chunk_rows + i), bits[i]);
  }
}

OrderNumber number_of(const Snapshot& snapshot, RowId row) { return OrderNumber{std::string(snapshot.chunk_of(row).number(row % chunk_rows))}; }

// "3.43659": rows after the third difference of that order.
struct Position {
  std::size_t place = 0;
  OrderNumber order;
};
Result<Position> read_cursor(std::string_view text) {
  Position position;
  const std::size_t point = text.find('.');
  const auto [end, code] = std::from_chars(text.data(), text.data() + std::min(point, text.size()), position.place);
  if (point == std::string_view::npos || code != std::errc() || end != text.data() + point)
    return fail(ErrorCode::invalid_input, "the cursor " + printable(text.substr(0, 40)) + " is not one of ours; begin again without it");
  position.order.text = text.substr(point + 1);
  return position;
}

std::vector<std::pair<OrderNumber, RowId>> orders_from(const Snapshot& snapshot, const DifferenceQuery& query, const std::optional<Position>& after) {
  std::vector<std::pair<OrderNumber, RowId>> orders;
  if (!query.order.empty()) {
    if (const auto row = snapshot.find(query.order)) orders.emplace_back(OrderNumber{query.order}, *row);
  } else {
    each_different(snapshot, [&](RowId row, std::uint8_t bits) {
      if (query.decided != DecidedBy::rule || (bits & readmodel::order_undecided) != 0) orders.emplace_back(number_of(snapshot, row), row);
    });
  }
  if (after) std::erase_if(orders, [&](const auto& order) { return order.first < after->order; });
  std::ranges::sort(orders, [](const auto& left, const auto& right) { return left.first < right.first; });
  return orders;
}

bool passes(const DifferenceQuery& query, const feed::Difference& difference, const std::vector<feed::OrderDocument>& documents) {
  if (!query.field.empty() && difference.field != query.field) return false;
  if (query.decided != DecidedBy::anybody && difference.decided_by.empty() != (query.decided == DecidedBy::rule)) return false;
  return query.source.empty() || std::ranges::any_of(difference.values, [&](const auto& value) { return documents[value.document].source == query.source; });
}

}  // namespace

Result<DifferencePage> differences(const Snapshot& snapshot, const DifferenceQuery& query) {
  std::optional<Position> after;
  if (!query.cursor.empty()) {
    auto read = read_cursor(query.cursor);
    if (!read) return pass_on(read);
    after = std::move(*read);
  }
  DifferencePage page;
  for (const auto& [number, row] : orders_from(snapshot, query, after)) {
    const feed::OrderPut put = snapshot.order(row);
    const std::size_t first = after && after->order == number ? after->place : 0;
    for (std::size_t i = first; i < put.differences.size(); ++i) {
      if (!passes(query, put.differences[i], put.documents)) continue;
      if (page.rows.size() == query.limit) {
        page.next_cursor = std::to_string(i) + "." + number.text;
        return page;
      }
      page.rows.push_back({number.text, put.order->customer_code, put.order->customer_name, put.differences[i], put.documents});
    }
  }
  return page;
}

DifferenceCount count_differences(const Snapshot& snapshot) {
  DifferenceCount count;
  each_different(snapshot, [&](RowId, std::uint8_t bits) {
    ++count.orders;
    count.undecided += (bits & readmodel::order_undecided) != 0 ? 1 : 0;
  });
  return count;
}

}  // namespace millrace::query
