#include "readmodel/order_chunk.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/bytes.h"
#include "base/check.h"
#include "base/text.h"
#include "domain/order_rules.h"
#include "readmodel/line_price.h"
#include "readmodel/order_record.h"

namespace millrace::readmodel {
namespace {

std::int32_t to_column(const std::optional<Day>& day) { return day ? day_number(*day) : no_day; }
std::int64_t to_column(const std::optional<Instant>& instant) {
  return instant ? instant->time_since_epoch().count() : no_instant;
}

// Differences of hostile numbers wrap, and come back exactly.
std::int64_t add_wrapping(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}
std::int64_t subtract_wrapping(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

// Sums of hostile quantities stop at the end of the range instead of wrapping.
std::int64_t add_saturating(std::int64_t left, std::int64_t right) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(left, right, &sum)) return sum;
  return right > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

// Heaps grow by an eighth: chunks are many, and doubling would leave half of their memory unused.
void reserve_for(std::vector<char>& heap, std::size_t more) {
  const std::size_t need = heap.size() + more;
  check(need < std::numeric_limits<std::uint32_t>::max(), "the texts of 512 orders stay below 4 GB");
  if (need > heap.capacity()) heap.reserve(std::max(need, heap.size() + heap.size() / 8 + 16));
}

// Writes `text` over the old bytes when it fits, else behind everything. Answers where it begins.
std::uint32_t place(std::vector<char>& heap, std::size_t& waste, std::uint32_t old_begin, std::uint32_t old_size,
                    std::string_view text) {
  if (text.size() <= old_size) {
    waste += old_size - text.size();
    std::copy(text.begin(), text.end(), heap.begin() + old_begin);
    return text.empty() ? 0 : old_begin;
  }
  waste += old_size;
  reserve_for(heap, text.size());
  const auto begin = heap.size();
  heap.insert(heap.end(), text.begin(), text.end());
  return static_cast<std::uint32_t>(begin);
}

// The key of the source system as a number, when its text is that number's own.
std::int64_t source_number(std::string_view key) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc{} || end != key.data() + key.size() || number < 0) return no_instant;
  return key.size() > 1 && key.front() == '0' ? no_instant : number;
}

std::int64_t day_off(const std::optional<Day>& day, std::int64_t anchor) {
  return day ? day_number(*day) - anchor : no_instant;
}

void put_line(OrderChunk& chunk, std::size_t at, const OrderLine& line, Dictionaries& words) {
  const bool cancelled = line.status == LineStatus::cancelled;
  const std::int64_t net = cancelled ? 0 : line.line_total;
  const std::int64_t ordered = line.quantity_ordered.micros, open = line.quantity_open.micros;
  chunk.line_article.set(at, words.article({words.code(Vocabulary::item, line.item_code),
                                            words.code(Vocabulary::item_name, line.item_name),
                                            words.code(Vocabulary::manufacturer, line.manufacturer)}));
  chunk.line_warehouse.set(at, words.code(Vocabulary::word, line.warehouse_code));
  chunk.line_unit.set(at, words.code(Vocabulary::word, line.unit));
  chunk.line_quantity.set(at, ordered);
  chunk.line_short.set(at, line.status == LineStatus::open ? subtract_wrapping(ordered, open) : open);
  chunk.line_net.set(at, net);
  chunk.line_open_off.set(at, subtract_wrapping(line.open_amount, open_amount(net, line.quantity_ordered, line.quantity_open, line.status)));
  chunk.line_discount.set(at, line.discount.micros);
}

// Where the lines stand in their document, their numbers, days and prices: mostly what the first line suggests.
void put_line_offs(OrderChunk& chunk, std::size_t row, const SalesOrder& order) {
  constexpr std::int64_t price_off_max = 1 << 20;  // beyond, one price would widen those of all its neighbours
  const std::size_t begin = chunk.line_begin[row];
  const std::int64_t anchor = line_day_anchor(chunk, row);
  const int decimals = order.currency.decimals();
  const std::uint32_t first = order.lines.empty() ? 0 : order.lines[0].place.number;
  const std::uint32_t step = order.lines.size() < 2 ? 0 : order.lines[1].place.number - first;
  chunk.place_first.set(row, first);
  chunk.place_step.set(row, step);
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    const OrderLine& line = order.lines[i];
    const std::size_t at = begin + i;
    const std::int64_t expected = expected_price(line.line_total, line.quantity_ordered.micros, line.discount.micros, decimals);
    const std::int64_t off = subtract_wrapping(line.unit_price.micros, expected);
    const bool far = off > price_off_max || off < -price_off_max;
    std::uint8_t bits = static_cast<std::uint8_t>(line.status);
    if (line.status == LineStatus::cancelled) bits |= line_total_in_record;
    if (far) bits |= line_price_in_record;
    chunk.line_bits.set(at, bits);
    chunk.line_price_off.set(at, far ? 0 : off);
    chunk.line_number_off.set(at, line.line_number - static_cast<std::int64_t>(i + 1));
    chunk.line_requested_off.set(at, day_off(line.requested_date, anchor));
    chunk.line_promise_off.set(at, day_off(line.promise_date, anchor));
    chunk.line_place_kind.set(at, static_cast<std::uint8_t>(line.place.kind));
    chunk.line_place_off.set(at, std::int64_t{line.place.number} - (first + std::uint32_t(i) * step));
    chunk.line_place_column.set(at, line.place.column);
  }
}

void place_lines(OrderChunk& chunk, std::size_t row, const SalesOrder& order, Dictionaries& words) {
  const auto count = static_cast<std::uint32_t>(order.lines.size());
  const std::uint32_t old_count = chunk.lines[row];
  if (count <= old_count) {
    chunk.line_waste += old_count - count;
  } else {
    chunk.line_waste += old_count;
    const std::size_t begin = chunk.line_net.size();
    chunk.line_begin.set(row, static_cast<std::uint32_t>(begin));
    for_each_line_column(chunk, [&](const char*, auto& column) { column.resize(begin + count); });
  }
  std::size_t at = chunk.line_begin[row];
  for (const OrderLine& line : order.lines) put_line(chunk, at++, line, words);
  put_line_offs(chunk, row, order);
  chunk.lines.set(row, count);
}

void set_columns(OrderChunk& chunk, std::size_t row, const feed::OrderPut& put, Dictionaries& words) {
  const SalesOrder& order = *put.order;
  const OrderAmounts sums = amounts(order);
  const bool has_document = !put.documents.empty();
  std::uint8_t bits = 0;
  if (order.cancelled) bits |= order_cancelled;
  if (order.document_total) bits |= order_has_total;
  if (has_document) bits |= order_has_document;
  if (!put.differences.empty()) bits |= order_has_differences;
  const auto by_rule = [](const feed::Difference& difference) { return difference.decided_by.empty(); };
  if (std::any_of(put.differences.begin(), put.differences.end(), by_rule)) bits |= order_undecided;
  if (put.overlay_version > 0) bits |= order_has_overlay;
  chunk.bits.set(row, bits);
  chunk.status.set(row, words.code(Vocabulary::status, order.status));
  chunk.customer.set(row, words.code(Vocabulary::customer, order.customer_code));
  chunk.customer_name.set(row, words.code(Vocabulary::customer_name, order.customer_name));
  chunk.salesman.set(row, words.code(Vocabulary::salesman, order.salesperson));
  chunk.payment_terms.set(row, words.code(Vocabulary::word, order.payment_terms));
  chunk.revision.set(row, words.code(Vocabulary::revision, order.revision));
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
  chunk.source_number.set(row, source_number(order.source_key));
  chunk.number_key.set(row, natural_key(order.number.text));
  std::int64_t quantity = 0, open_quantity = 0;
  for (const OrderLine& line : order.lines) {
    if (line.status == LineStatus::cancelled) continue;
    quantity = add_saturating(quantity, line.quantity_ordered.micros);
    open_quantity = add_saturating(open_quantity, line.quantity_open.micros);
  }
  chunk.quantity.set(row, quantity);
  chunk.open_quantity.set(row, open_quantity);
}

std::string file_entry(const feed::OrderDocument& document) {
  std::string entry(reinterpret_cast<const char*>(document.hash.bytes.data()), document.hash.bytes.size());
  return entry + document.path;
}

std::string_view file_bytes(const OrderChunk& chunk, std::size_t index) {
  const std::size_t begin = chunk.file_begin[index];
  const bool last = index + 1 == chunk.file_begin.size();
  const std::size_t end = last ? chunk.files.size() : chunk.file_begin[index + 1];
  return {chunk.files.data() + begin, end - begin};
}

// Orders of one file come one after the other, and an order mostly stays in its file: these two places are looked at.
void place_file(OrderChunk& chunk, std::size_t row, const feed::OrderPut& put) {
  if (put.documents.empty()) return chunk.file.set(row, 0);
  const feed::OrderDocument& document = put.documents.front();
  const std::string entry = file_entry(document);
  const std::int64_t modified = document.modified.time_since_epoch().count();
  const std::size_t count = chunk.file_begin.size();
  const auto same = [&](std::size_t index) {
    return index < count && chunk.file_modified[index] == modified && file_bytes(chunk, index) == entry;
  };
  if (same(chunk.file[row])) return;
  if (count > 0 && same(count - 1)) return chunk.file.set(row, static_cast<std::uint32_t>(count - 1));
  chunk.file_begin.resize(count + 1), chunk.file_modified.resize(count + 1);
  chunk.file_begin.set(count, static_cast<std::uint32_t>(chunk.files.size()));
  chunk.file_modified.set(count, modified);
  reserve_for(chunk.files, entry.size());
  chunk.files.insert(chunk.files.end(), entry.begin(), entry.end());
  chunk.file.set(row, static_cast<std::uint32_t>(count));
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

std::int64_t OrderChunk::line_open(std::size_t line) const {
  const std::int64_t off = line_open_off[line];
  if ((line_bits[line] & line_status_mask) != static_cast<std::uint8_t>(LineStatus::open)) return off;
  const std::int64_t ordered = line_quantity[line], missing = line_short[line];
  if (ordered == missing) return off;
  if (missing == 0 && ordered > 0) return add_wrapping(line_net[line], off);
  const Quantity open{subtract_wrapping(ordered, missing)};
  return add_wrapping(millrace::open_amount(line_net[line], Quantity{ordered}, open, LineStatus::open), off);
}

std::string_view OrderChunk::reference(std::size_t row) const {
  const std::size_t number = number_size[row] + 1;
  return {texts.data() + text_begin[row] + number, text_size[row] - number};
}

std::string_view OrderChunk::path(std::size_t row) const {
  if ((bits[row] & order_has_document) == 0) return {};
  return file_bytes(*this, file[row]).substr(sizeof ContentHash::bytes);
}

ContentHash OrderChunk::file_hash(std::size_t file_index) const {
  ContentHash hash;
  const std::string_view bytes = file_bytes(*this, file_index);
  std::copy_n(bytes.begin(), hash.bytes.size(), hash.bytes.begin());
  return hash;
}

OrderChunk::OrderChunk() {
  for_each_order_column(*this, [](const char*, auto& column) { column.resize(chunk_rows); });
}

void OrderChunk::put(std::size_t row, const feed::OrderPut& put, feed::Sequence at_sequence, Instant at,
                     Dictionaries& words) {
  const SalesOrder& order = *put.order;
  articles = words.articles();
  set_columns(*this, row, put, words);
  place_lines(*this, row, order, words);
  place_file(*this, row, put);
  sequence.set(row, at_sequence.value);
  changed_at.set(row, at.time_since_epoch().count());

  std::string text = order.number.text;
  text.push_back('\0');
  text += order.customer_reference;
  text_begin.set(row, place(texts, text_waste, text_begin[row], text_size[row], text));
  text_size.set(row, static_cast<std::uint32_t>(text.size()));
  number_size.set(row, static_cast<std::uint32_t>(order.number.text.size()));

  const std::string bytes = encode_record(put, *this, row, words);
  record_begin.set(row, place(records, record_waste, record_begin[row], record_size[row], bytes));
  record_size.set(row, static_cast<std::uint32_t>(bytes.size()));

  live.set(row, 1);
  used = std::max(used, static_cast<std::uint32_t>(row + 1));
}

void OrderChunk::remove(std::size_t row) {
  live.set(row, 0);
  record_waste += record_size[row];
  text_waste += text_size[row];
  line_waste += lines[row];
  record_size.set(row, 0), text_size.set(row, 0), number_size.set(row, 0), lines.set(row, 0);
}

void OrderChunk::pack() {
  for_each_column(*this, [](const char*, auto& column) { column.pack(); });
  for_each_heap(*this, [](const char*, auto& heap) { heap.shrink_to_fit(); });
}

namespace {

template <class Column>
void keep_only(Column& column, const std::vector<std::uint32_t>& kept) {
  Column fresh(kept.size());
  for (std::size_t at = 0; at < kept.size(); ++at) fresh.set(at, column[kept[at]]);
  fresh.pack();
  column = std::move(fresh);
}

// The lines of all rows, one behind the other, without those that no row owns.
void close_up_lines(OrderChunk& chunk) {
  std::vector<std::uint32_t> kept;
  for (std::size_t row = 0; row < chunk.used; ++row) {
    const std::uint32_t begin = chunk.line_begin[row], count = chunk.lines[row];
    chunk.line_begin.set(row, static_cast<std::uint32_t>(kept.size()));
    for (std::uint32_t at = begin; at < begin + count; ++at) kept.push_back(at);
  }
  for_each_line_column(chunk, [&](const char*, auto& column) { keep_only(column, kept); });
  chunk.line_waste = 0;
}

void close_up_files(OrderChunk& chunk) {
  constexpr std::uint32_t none = 0xffffffff;
  std::vector<std::uint32_t> kept, place_of(chunk.file_begin.size(), none);
  std::vector<char> files;
  std::vector<std::uint32_t> begins;
  for (std::size_t row = 0; row < chunk.used; ++row) {
    if (!chunk.live[row] || (chunk.bits[row] & order_has_document) == 0) {
      chunk.file.set(row, 0);
      continue;
    }
    std::uint32_t& now = place_of[chunk.file[row]];
    if (now == none) {
      now = static_cast<std::uint32_t>(kept.size());
      kept.push_back(chunk.file[row]);
      begins.push_back(static_cast<std::uint32_t>(files.size()));
      const std::string_view bytes = file_bytes(chunk, kept.back());
      files.insert(files.end(), bytes.begin(), bytes.end());
    }
    chunk.file.set(row, now);
  }
  keep_only(chunk.file_modified, kept);
  keep_only(chunk.file_begin, kept);
  for (std::size_t i = 0; i < begins.size(); ++i) chunk.file_begin.set(i, begins[i]);
  chunk.file_begin.pack();
  files.shrink_to_fit();
  chunk.files = std::move(files);
}

template <class Begin, class Size>
void close_up(OrderChunk& chunk, std::vector<char>& heap, Begin& begin, const Size& size, std::size_t& waste) {
  std::vector<char> fresh;
  fresh.reserve(heap.size() - waste);
  for (std::size_t row = 0; row < chunk.used; ++row) {
    const char* const from = heap.data() + begin[row];
    begin.set(row, size[row] == 0 ? 0 : static_cast<std::uint32_t>(fresh.size()));
    fresh.insert(fresh.end(), from, from + size[row]);
  }
  heap = std::move(fresh);
  waste = 0;
}

}  // namespace

std::shared_ptr<OrderChunk> copy_block(const OrderChunk& chunk) {
  auto copy = std::make_shared<OrderChunk>(chunk);
  const auto many = [](std::size_t waste, std::size_t size) { return waste > 64 && waste > size / 8; };
  if (many(copy->line_waste, copy->line_net.size())) close_up_lines(*copy);
  if (many(copy->record_waste, copy->records.size())) {
    close_up(*copy, copy->records, copy->record_begin, copy->record_size, copy->record_waste);
  }
  if (many(copy->text_waste, copy->texts.size())) {
    close_up(*copy, copy->texts, copy->text_begin, copy->text_size, copy->text_waste);
  }
  if (copy->file_begin.size() > copy->used + copy->used / 8 + 64) close_up_files(*copy);
  return copy;
}

}  // namespace millrace::readmodel
