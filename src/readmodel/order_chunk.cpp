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
    chunk.line_begin[row] = static_cast<std::uint32_t>(begin);
    const auto grow = [&](auto& column) {
      reserve_for(column, count);
      column.resize(begin + count);
    };
    grow(chunk.line_item), grow(chunk.line_item_name), grow(chunk.line_manufacturer);
    grow(chunk.line_net), grow(chunk.line_open);
  }
  std::size_t at = chunk.line_begin[row];
  for (const OrderLine& line : order.lines) {
    chunk.line_item[at] = words.code(Vocabulary::item, line.item_code);
    chunk.line_item_name[at] = words.code(Vocabulary::item_name, line.item_name);
    chunk.line_manufacturer[at] = words.code(Vocabulary::manufacturer, line.manufacturer);
    chunk.line_net[at] = line.status == LineStatus::cancelled ? 0 : line.line_total;
    chunk.line_open[at] = line.open_amount;
    ++at;
  }
  chunk.lines[row] = count;
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
  chunk.status[row] = words.code(Vocabulary::status, order.status);
  chunk.customer[row] = words.code(Vocabulary::customer, order.customer_code);
  chunk.customer_name[row] = words.code(Vocabulary::customer_name, order.customer_name);
  chunk.salesman[row] = words.code(Vocabulary::salesman, order.salesperson);
  chunk.revision[row] = words.code(Vocabulary::revision, order.revision);
  const bool has_document = !put.documents.empty();
  chunk.format[row] = words.code(Vocabulary::format, has_document ? put.documents.front().format : "");
  chunk.source[row] = words.code(Vocabulary::source, has_document ? put.documents.front().source : "");
  chunk.document_status[row] = static_cast<std::uint8_t>(order.document_status);
  chunk.flagged[row] = put.flags.empty() ? 0 : 1;
  chunk.currency[row] = order.currency.packed();
  chunk.order_date[row] = to_column(order.order_date);
  chunk.due[row] = to_column(list_due_date(order));
  chunk.requested[row] = to_column(order.requested_date);
  chunk.promise[row] = to_column(order.promise_date);
  chunk.updated[row] = to_column(order.updated);
  chunk.net[row] = sums.net;
  chunk.tax[row] = order.tax;
  chunk.freight[row] = order.freight;
  chunk.total[row] = sums.total;
  chunk.open_amount[row] = sums.open;
  chunk.quantity[row] = chunk.open_quantity[row] = 0;
  for (const OrderLine& line : order.lines) {
    if (line.status == LineStatus::cancelled) continue;
    chunk.quantity[row] = add_saturating(chunk.quantity[row], line.quantity_ordered.micros);
    chunk.open_quantity[row] = add_saturating(chunk.open_quantity[row], line.quantity_open.micros);
  }
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

void OrderChunk::put(std::size_t row, const feed::OrderPut& put, feed::Sequence at_sequence, Instant at,
                     Dictionaries& words) {
  const SalesOrder& order = *put.order;
  set_columns(*this, row, put, words);
  place_lines(*this, row, order, words);
  sequence[row] = at_sequence.value;
  changed_at[row] = at.time_since_epoch().count();
  number_key[row] = natural_key(order.number.text);

  std::string folded = search_fold(order.number.text);
  folded.push_back('\0');
  folded += search_fold(order.customer_reference);
  search_begin[row] = place(searches, search_waste, search_begin[row], search_size[row], folded);
  search_size[row] = static_cast<std::uint32_t>(folded.size());

  const std::string bytes = encode_record(put, *this, row, words);
  record_begin[row] = place(records, record_waste, record_begin[row], record_size[row], bytes);
  record_size[row] = static_cast<std::uint32_t>(bytes.size());

  live[row] = 1;
  used = std::max(used, static_cast<std::uint32_t>(row + 1));
}

void OrderChunk::remove(std::size_t row) {
  live[row] = 0;
  record_waste += record_size[row];
  search_waste += search_size[row];
  line_waste += lines[row];
  record_size[row] = search_size[row] = lines[row] = 0;
}

void OrderChunk::shrink() {
  searches.shrink_to_fit(), records.shrink_to_fit();
  line_item.shrink_to_fit(), line_item_name.shrink_to_fit(), line_manufacturer.shrink_to_fit();
  line_net.shrink_to_fit(), line_open.shrink_to_fit();
}

std::shared_ptr<OrderChunk> copy_block(const OrderChunk& chunk) {
  auto copy = std::make_shared<OrderChunk>(chunk);
  const auto many = [](std::size_t waste, std::size_t size) { return waste > 64 && waste > size / 8; };
  if (!many(chunk.record_waste, chunk.records.size()) && !many(chunk.search_waste, chunk.searches.size()) &&
      !many(chunk.line_waste, chunk.line_item.size())) {
    return copy;
  }
  copy->records.clear(), copy->searches.clear();
  std::size_t lines = 0;
  for (std::size_t row = 0; row < chunk.used; ++row) {
    const std::string_view record = chunk.record(row), search = chunk.search(row);
    copy->record_begin[row] = static_cast<std::uint32_t>(copy->records.size());
    copy->records.insert(copy->records.end(), record.begin(), record.end());
    copy->search_begin[row] = static_cast<std::uint32_t>(copy->searches.size());
    copy->searches.insert(copy->searches.end(), search.begin(), search.end());
    copy->line_begin[row] = static_cast<std::uint32_t>(lines);
    const auto move = [&](auto& to, const auto& from) {
      const auto begin = from.begin() + chunk.line_begin[row];
      std::copy(begin, begin + chunk.lines[row], to.begin() + static_cast<std::ptrdiff_t>(lines));
    };
    if (chunk.lines[row] == 0) continue;
    move(copy->line_item, chunk.line_item), move(copy->line_item_name, chunk.line_item_name);
    move(copy->line_manufacturer, chunk.line_manufacturer);
    move(copy->line_net, chunk.line_net), move(copy->line_open, chunk.line_open);
    lines += chunk.lines[row];
  }
  copy->line_item.resize(lines), copy->line_item_name.resize(lines), copy->line_manufacturer.resize(lines);
  copy->line_net.resize(lines), copy->line_open.resize(lines);
  copy->record_waste = copy->search_waste = copy->line_waste = 0;
  return copy;
}

}  // namespace millrace::readmodel
