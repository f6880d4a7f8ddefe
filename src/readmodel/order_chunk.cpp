#include "readmodel/order_chunk.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "readmodel/order_record.h"

namespace millrace::readmodel {
namespace {

std::int32_t to_column(const std::optional<Day>& day) { return day ? day_number(*day) : no_day; }
std::int64_t to_column(const std::optional<Instant>& instant) {
  return instant ? instant->time_since_epoch().count() : no_instant;
}

// Sums of hostile quantities stop at the end of the range instead of wrapping.
std::int64_t add_saturating(std::int64_t left, std::int64_t right) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(left, right, &sum)) return sum;
  return right > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

// Heaps grow by an eighth: chunks are many, and doubling would leave half of their memory unused.
template <class T>
void reserve_for(std::vector<T>& heap, std::size_t more) {
  const std::size_t need = heap.size() + more;
  if (need > heap.capacity()) heap.reserve(std::max(need, heap.size() + heap.size() / 8 + 16));
}

// Writes `text` over the old bytes when it fits, else behind everything. Answers where it begins.
std::uint32_t place(std::vector<char>& heap, std::size_t& waste, std::uint32_t old_begin, std::uint32_t old_size,
                    std::string_view text) {
  if (text.size() <= old_size) {
    waste += old_size - text.size();
    std::copy(text.begin(), text.end(), heap.begin() + old_begin);
    return old_begin;
  }
  waste += old_size;
  reserve_for(heap, text.size());
  const auto begin = heap.size();
  heap.insert(heap.end(), text.begin(), text.end());
  check(heap.size() < std::numeric_limits<std::uint32_t>::max(), "the texts of 512 orders stay below 4 GB");
  return static_cast<std::uint32_t>(begin);
}

void place_lines(OrderChunk& chunk, std::size_t row, const SalesOrder& order, Dictionaries& words) {
  const auto count = static_cast<std::uint32_t>(order.lines.size());
  const std::uint32_t old_count = chunk.lines[row];
  if (count <= old_count) {
    chunk.line_waste += old_count - count;
  } else {
    chunk.line_waste += old_count;
    const std::size_t begin = chunk.line_item.size();
    chunk.line_begin.set(row, static_cast<std::uint32_t>(begin));
    for_each_line_column(chunk, [&](const char*, auto& column) { column.resize(begin + count); });
  }
  std::size_t at = chunk.line_begin[row];
  for (const OrderLine& line : order.lines) {
    chunk.line_item.set(at, words.code(Vocabulary::item, line.item_code));
    chunk.line_item_name.set(at, words.code(Vocabulary::item_name, line.item_name));
    chunk.line_manufacturer.set(at, words.code(Vocabulary::manufacturer, line.manufacturer));
    chunk.line_net.set(at, line.status == LineStatus::cancelled ? 0 : line.line_total);
    chunk.line_open.set(at, line.open_amount);
    ++at;
  }
  chunk.lines.set(row, count);
}

std::string_view nth_text(std::string_view record, int n) {
  ByteReader reader(record);
  std::string_view text;
  for (int i = 0; i <= n; ++i) text = reader.text();
  return text;
}

void set_columns(OrderChunk& chunk, std::size_t row, const feed::OrderPut& put, Dictionaries& words) {
  const SalesOrder& order = *put.order;
  const OrderAmounts sums = amounts(order);
  chunk.status.set(row, words.code(Vocabulary::status, order.status));
  chunk.customer.set(row, words.code(Vocabulary::customer, order.customer_code));
  chunk.customer_name.set(row, words.code(Vocabulary::customer_name, order.customer_name));
  chunk.salesman.set(row, words.code(Vocabulary::salesman, order.salesperson));
  chunk.revision.set(row, words.code(Vocabulary::revision, order.revision));
  const bool has_document = !put.documents.empty();
  chunk.format.set(row, words.code(Vocabulary::format, has_document ? put.documents.front().format : ""));
  chunk.source.set(row, words.code(Vocabulary::source, has_document ? put.documents.front().source : ""));
  chunk.document_status.set(row, static_cast<std::uint8_t>(order.document_status));
  chunk.flagged.set(row, put.flags.empty() ? 0 : 1);
  chunk.currency.set(row, order.currency.packed());
  chunk.order_date.set(row, to_column(order.order_date));
  chunk.due.set(row, to_column(list_due_date(order)));
  chunk.requested.set(row, to_column(order.requested_date));
  chunk.promise.set(row, to_column(order.promise_date));
  chunk.updated.set(row, to_column(order.updated));
  chunk.net.set(row, sums.net);
  chunk.tax.set(row, order.tax);
  chunk.freight.set(row, order.freight);
  chunk.total.set(row, sums.total);
  chunk.open_amount.set(row, sums.open);
  std::int64_t quantity = 0, open_quantity = 0;
  for (const OrderLine& line : order.lines) {
    if (line.status == LineStatus::cancelled) continue;
    quantity = add_saturating(quantity, line.quantity_ordered.micros);
    open_quantity = add_saturating(open_quantity, line.quantity_open.micros);
  }
  chunk.quantity.set(row, quantity);
  chunk.open_quantity.set(row, open_quantity);
}

}  // namespace

std::optional<Day> list_due_date(const SalesOrder& order) {
  if (const auto due = due_date(order)) return due;
  std::optional<Day> earliest_open, earliest;
  for (const OrderLine& line : order.lines) {
    const auto due = due_date(order, line);
    if (!due) continue;
    if (!earliest || *due < *earliest) earliest = due;
    if (line.quantity_open.micros > 0 && (!earliest_open || *due < *earliest_open)) earliest_open = due;
  }
  return earliest_open ? earliest_open : earliest;
}

std::string_view OrderChunk::number(std::size_t row) const { return nth_text(record(row), 0); }
std::string_view OrderChunk::reference(std::size_t row) const { return nth_text(record(row), 1); }
std::string_view OrderChunk::path(std::size_t row) const { return nth_text(record(row), 2); }
std::string_view OrderChunk::folded_number(std::size_t row) const {
  const std::string_view text = search(row);
  return text.substr(0, text.find('\0'));
}
std::string_view OrderChunk::folded_reference(std::size_t row) const {
  const std::string_view text = search(row);
  const std::size_t end = text.find('\0');
  return end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
}

OrderChunk::OrderChunk() {
  for_each_order_column(*this, [](const char*, auto& column) { column.resize(chunk_rows); });
}

void OrderChunk::put(std::size_t row, const feed::OrderPut& put, feed::Sequence at_sequence, Instant at,
                     Dictionaries& words) {
  const SalesOrder& order = *put.order;
  set_columns(*this, row, put, words);
  place_lines(*this, row, order, words);
  sequence.set(row, at_sequence.value);
  changed_at.set(row, at.time_since_epoch().count());
  number_key.set(row, natural_key(order.number.text));

  std::string folded = search_fold(order.number.text);
  folded.push_back('\0');
  folded += search_fold(order.customer_reference);
  search_begin.set(row, place(searches, search_waste, search_begin[row], search_size[row], folded));
  search_size.set(row, static_cast<std::uint32_t>(folded.size()));

  const std::string bytes = encode_record(put, *this, row, words);
  record_begin.set(row, place(records, record_waste, record_begin[row], record_size[row], bytes));
  record_size.set(row, static_cast<std::uint32_t>(bytes.size()));

  live.set(row, 1);
  used = std::max(used, static_cast<std::uint32_t>(row + 1));
}

void OrderChunk::remove(std::size_t row) {
  live.set(row, 0);
  record_waste += record_size[row];
  search_waste += search_size[row];
  line_waste += lines[row];
  record_size.set(row, 0), search_size.set(row, 0), lines.set(row, 0);
}

void OrderChunk::pack() {
  for_each_column(*this, [](const char*, auto& column) { column.pack(); });
  for_each_heap(*this, [](const char*, auto& heap) { heap.shrink_to_fit(); });
}

namespace {

// The lines of all rows, one behind the other, without those that no row owns.
void close_up_lines(OrderChunk& chunk) {
  std::vector<std::uint32_t> kept;
  for (std::size_t row = 0; row < chunk.used; ++row) {
    const std::uint32_t begin = chunk.line_begin[row], count = chunk.lines[row];
    chunk.line_begin.set(row, static_cast<std::uint32_t>(kept.size()));
    for (std::uint32_t at = begin; at < begin + count; ++at) kept.push_back(at);
  }
  for_each_line_column(chunk, [&](const char*, auto& column) {
    std::remove_reference_t<decltype(column)> fresh(kept.size());
    for (std::size_t at = 0; at < kept.size(); ++at) fresh.set(at, column[kept[at]]);
    fresh.pack();
    column = std::move(fresh);
  });
  chunk.line_waste = 0;
}

template <class Begin, class Size>
void close_up(OrderChunk& chunk, std::vector<char>& heap, Begin& begin, const Size& size, std::size_t& waste) {
  std::vector<char> fresh;
  fresh.reserve(heap.size() - waste);
  for (std::size_t row = 0; row < chunk.used; ++row) {
    const char* const from = heap.data() + begin[row];
    begin.set(row, static_cast<std::uint32_t>(fresh.size()));
    fresh.insert(fresh.end(), from, from + size[row]);
  }
  heap = std::move(fresh);
  waste = 0;
}

}  // namespace

std::shared_ptr<OrderChunk> copy_block(const OrderChunk& chunk) {
  auto copy = std::make_shared<OrderChunk>(chunk);
  const auto many = [](std::size_t waste, std::size_t size) { return waste > 64 && waste > size / 8; };
  if (many(copy->line_waste, copy->line_item.size())) close_up_lines(*copy);
  if (many(copy->record_waste, copy->records.size())) {
    close_up(*copy, copy->records, copy->record_begin, copy->record_size, copy->record_waste);
  }
  if (many(copy->search_waste, copy->searches.size())) {
    close_up(*copy, copy->searches, copy->search_begin, copy->search_size, copy->search_waste);
  }
  return copy;
}

}  // namespace millrace::readmodel
