#include "readmodel/order_record.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace millrace::readmodel {
namespace {

enum LineBits : std::uint8_t {
  status_mask = 0x03,
  has_requested = 0x04,
  has_promise = 0x08,
  has_total = 0x10,  // cancelled lines: the column says 0
  has_place = 0x20,
  not_fully_open = 0x40,
  has_discount = 0x80,
};
enum OrderBits : std::uint8_t { cancelled = 0x01, has_document_total = 0x02, has_comment = 0x04, has_source_key = 0x08 };
enum DocumentBits : std::uint8_t { damaged = 0x01, has_updated = 0x02, as_order = 0x04 };

// Scaled numbers mostly end in zeros ("4 pieces" is 4'000'000): the zeros are counted, not stored.
void put_scaled(ByteWriter& out, std::int64_t value) {
  std::uint64_t zeros = 0;
  std::int64_t mantissa = value;
  while (zeros < 6 && mantissa != 0 && mantissa % 10 == 0) mantissa /= 10, ++zeros;
  const std::uint64_t zigzag = (static_cast<std::uint64_t>(mantissa) << 1) ^ static_cast<std::uint64_t>(mantissa >> 63);
  if (zigzag >> 60 != 0) {
    out.varint(7);
    out.signed_varint(value);
    return;
  }
  out.varint(zigzag << 3 | zeros);
}
std::int64_t take_scaled(ByteReader& in) {
  const std::uint64_t raw = in.varint();
  std::uint64_t zeros = raw & 7;
  if (zeros == 7) return in.signed_varint();
  const std::uint64_t zigzag = raw >> 3;
  std::int64_t value = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  while (zeros-- > 0) value *= 10;
  return value;
}

void put_lines(ByteWriter& out, const SalesOrder& order, Dictionaries& words) {
  std::int32_t expected = 1;
  for (const OrderLine& line : order.lines) {
    const bool place = line.place != Place{};
    const bool open_differs = line.quantity_open != line.quantity_ordered;
    std::uint8_t bits = static_cast<std::uint8_t>(line.status);
    if (line.requested_date) bits |= has_requested;
    if (line.promise_date) bits |= has_promise;
    if (line.status == LineStatus::cancelled) bits |= has_total;
    if (place) bits |= has_place;
    if (open_differs) bits |= not_fully_open;
    if (line.discount.micros != 0) bits |= has_discount;
    out.u8(bits);
    out.signed_varint(std::int64_t{line.line_number} - expected);
    expected = static_cast<std::int32_t>(static_cast<std::uint32_t>(line.line_number) + 1);
    out.varint(words.code(Vocabulary::word, line.warehouse_code));
    out.varint(words.code(Vocabulary::word, line.unit));
    put_scaled(out, line.quantity_ordered.micros);
    if (open_differs) put_scaled(out, line.quantity_open.micros);
    put_scaled(out, line.unit_price.micros);
    if (line.discount.micros != 0) put_scaled(out, line.discount.micros);
    if (line.status == LineStatus::cancelled) out.signed_varint(line.line_total);
    if (line.requested_date) out.signed_varint(day_number(*line.requested_date));
    if (line.promise_date) out.signed_varint(day_number(*line.promise_date));
    if (place) {
      out.u8(static_cast<std::uint8_t>(line.place.kind));
      out.varint(line.place.number);
      out.varint(line.place.column);
    }
  }
}

OrderLine take_line(ByteReader& in, const OrderChunk& chunk, std::size_t at, std::int32_t& expected,
                    const WordLists& words) {
  OrderLine line;
  const std::uint8_t bits = in.u8();
  line.status = static_cast<LineStatus>(bits & status_mask);
  line.line_number = static_cast<std::int32_t>(expected + in.signed_varint());
  expected = static_cast<std::int32_t>(static_cast<std::uint32_t>(line.line_number) + 1);
  line.item_code = words[Vocabulary::item].text(chunk.line_item[at]);
  line.item_name = words[Vocabulary::item_name].text(chunk.line_item_name[at]);
  line.manufacturer = words[Vocabulary::manufacturer].text(chunk.line_manufacturer[at]);
  line.warehouse_code = words[Vocabulary::word].text(static_cast<Code>(in.varint()));
  line.unit = words[Vocabulary::word].text(static_cast<Code>(in.varint()));
  line.quantity_ordered.micros = take_scaled(in);
  line.quantity_open = line.quantity_ordered;
  if (bits & not_fully_open) line.quantity_open.micros = take_scaled(in);
  line.unit_price.micros = take_scaled(in);
  if (bits & has_discount) line.discount.micros = take_scaled(in);
  line.line_total = bits & has_total ? in.signed_varint() : chunk.line_net[at];
  line.open_amount = chunk.line_open[at];
  if (bits & has_requested) line.requested_date = day_from_number(static_cast<std::int32_t>(in.signed_varint()));
  if (bits & has_promise) line.promise_date = day_from_number(static_cast<std::int32_t>(in.signed_varint()));
  if (bits & has_place) {
    line.place.kind = static_cast<Place::Kind>(in.u8());
    line.place.number = static_cast<std::uint32_t>(in.varint());
    line.place.column = static_cast<std::uint32_t>(in.varint());
  }
  return line;
}

// The document that counts mostly repeats the order; then only its file's own facts are written.
bool repeats_order(const feed::OrderDocument& document, const SalesOrder& order, const OrderChunk& chunk,
                   std::size_t row) {
  return document.status == order.status && document.updated == order.updated && document.total == chunk.total[row] &&
         document.open == chunk.open_amount[row] && document.line_count == chunk.lines[row];
}

void put_document(ByteWriter& out, const feed::OrderDocument& document, bool same, bool first, Dictionaries& words) {
  std::uint8_t bits = 0;
  if (document.damaged_since) bits |= damaged;
  if (document.updated && !same) bits |= has_updated;
  if (same) bits |= as_order;
  out.u8(bits);
  if (!first) {
    out.varint(words.code(Vocabulary::source, document.source));
    out.varint(words.code(Vocabulary::format, document.format));
    out.text(document.path);
  }
  for (const std::uint8_t byte : document.hash.bytes) out.u8(byte);
  out.signed_varint(document.modified.time_since_epoch().count());
  if (same) return;
  if (document.updated) out.signed_varint(document.updated->time_since_epoch().count());
  out.varint(words.code(Vocabulary::status, document.status));
  out.signed_varint(document.total);
  out.signed_varint(document.open);
  out.varint(document.line_count);
}

Instant instant(std::int64_t milliseconds) { return Instant(std::chrono::milliseconds(milliseconds)); }

feed::OrderDocument take_document(ByteReader& in, const SalesOrder& order, const OrderChunk& chunk, std::size_t row,
                                  bool first, const WordLists& words) {
  feed::OrderDocument document;
  const std::uint8_t bits = in.u8();
  document.damaged_since = bits & damaged;
  if (first) {
    document.source = words[Vocabulary::source].text(chunk.source[row]);
    document.format = words[Vocabulary::format].text(chunk.format[row]);
    document.path = chunk.path(row);
  } else {
    document.source = words[Vocabulary::source].text(static_cast<Code>(in.varint()));
    document.format = words[Vocabulary::format].text(static_cast<Code>(in.varint()));
    document.path = in.text();
  }
  for (std::uint8_t& byte : document.hash.bytes) byte = in.u8();
  document.modified = instant(in.signed_varint());
  if (bits & as_order) {
    document.status = order.status;
    document.updated = order.updated;
    document.total = chunk.total[row];
    document.open = chunk.open_amount[row];
    document.line_count = chunk.lines[row];
    return document;
  }
  if (bits & has_updated) document.updated = instant(in.signed_varint());
  document.status = words[Vocabulary::status].text(static_cast<Code>(in.varint()));
  document.total = in.signed_varint();
  document.open = in.signed_varint();
  document.line_count = static_cast<std::uint32_t>(in.varint());
  return document;
}

std::optional<Day> day_or_none(std::int32_t number) {
  if (number == no_day) return std::nullopt;
  return day_from_number(number);
}

SalesOrder order_from_columns(const OrderChunk& chunk, std::size_t row, const WordLists& words) {
  SalesOrder order;
  order.status = words[Vocabulary::status].text(chunk.status[row]);
  order.document_status = static_cast<DocumentStatus>(chunk.document_status[row]);
  order.revision = words[Vocabulary::revision].text(chunk.revision[row]);
  order.customer_code = words[Vocabulary::customer].text(chunk.customer[row]);
  order.customer_name = words[Vocabulary::customer_name].text(chunk.customer_name[row]);
  order.salesperson = words[Vocabulary::salesman].text(chunk.salesman[row]);
  order.currency = Currency::from_packed(chunk.currency[row]);
  order.order_date = day_or_none(chunk.order_date[row]);
  order.requested_date = day_or_none(chunk.requested[row]);
  order.promise_date = day_or_none(chunk.promise[row]);
  order.tax = chunk.tax[row];
  order.freight = chunk.freight[row];
  if (chunk.updated[row] != no_instant) order.updated = instant(chunk.updated[row]);
  return order;
}

}  // namespace

std::string encode_record(const feed::OrderPut& put, const OrderChunk& chunk, std::size_t row, Dictionaries& words) {
  const SalesOrder& order = *put.order;
  std::string bytes;
  ByteWriter out(bytes);
  out.text(order.number.text);
  out.text(order.customer_reference);
  out.text(put.documents.empty() ? std::string_view{} : std::string_view(put.documents.front().path));

  std::uint8_t bits = 0;
  if (order.cancelled) bits |= cancelled;
  if (order.document_total) bits |= has_document_total;
  if (!order.comment.empty()) bits |= has_comment;
  if (!order.source_key.empty()) bits |= has_source_key;
  out.u8(bits);
  out.varint(words.code(Vocabulary::word, order.payment_terms));
  if (order.document_total) {  // mostly equal to our total: the difference is one byte; it may wrap, and back
    out.signed_varint(static_cast<std::int64_t>(static_cast<std::uint64_t>(*order.document_total) -
                                                static_cast<std::uint64_t>(chunk.total[row])));
  }
  if (!order.comment.empty()) out.text(order.comment);
  if (!order.source_key.empty()) out.text(order.source_key);
  out.varint(order.extra.size());
  for (const auto& [name, value] : order.extra) {
    out.varint(words.code(Vocabulary::word, name));
    out.text(value);
  }
  put_lines(out, order, words);
  out.varint(put.documents.size());
  for (std::size_t i = 0; i < put.documents.size(); ++i) {
    put_document(out, put.documents[i], repeats_order(put.documents[i], order, chunk, row), i == 0, words);
  }
  out.varint(put.flags.size());
  for (const std::string& flag : put.flags) out.text(flag);
  return bytes;
}

feed::OrderPut decode_record(const OrderChunk& chunk, std::size_t row, const WordLists& words) {
  SalesOrder order = order_from_columns(chunk, row, words);
  ByteReader in(chunk.record(row));
  order.number.text = in.text();
  order.customer_reference = in.text();
  in.text();  // the path: belongs to the first document
  const std::uint8_t bits = in.u8();
  order.cancelled = bits & cancelled;
  order.payment_terms = words[Vocabulary::word].text(static_cast<Code>(in.varint()));
  if (bits & has_document_total) {
    order.document_total = static_cast<std::int64_t>(static_cast<std::uint64_t>(in.signed_varint()) +
                                                     static_cast<std::uint64_t>(chunk.total[row]));
  }
  if (bits & has_comment) order.comment = in.text();
  if (bits & has_source_key) order.source_key = in.text();
  order.extra.resize(in.count(2));
  for (auto& [name, value] : order.extra) {
    name = words[Vocabulary::word].text(static_cast<Code>(in.varint()));
    value = in.text();
  }
  order.lines.reserve(chunk.lines[row]);
  std::int32_t expected = 1;
  for (std::size_t i = 0; i < chunk.lines[row]; ++i) {
    order.lines.push_back(take_line(in, chunk, chunk.line_begin[row] + i, expected, words));
  }
  feed::OrderPut put;
  const std::size_t documents = in.count(18);
  for (std::size_t i = 0; i < documents; ++i) {
    put.documents.push_back(take_document(in, order, chunk, row, i == 0, words));
  }
  put.flags.resize(in.count());
  for (std::string& flag : put.flags) flag = in.text();
  check(in.ok() && in.at_end(), "an order record of the read model reads back whole");
  put.order = std::make_shared<const SalesOrder>(std::move(order));
  return put;
}

}  // namespace millrace::readmodel
