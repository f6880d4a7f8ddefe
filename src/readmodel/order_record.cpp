#include "readmodel/order_record.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "readmodel/line_price.h"

namespace millrace::readmodel {
namespace {

enum RecordBits : std::uint8_t {
  has_comment = 0x01,
  has_source_key = 0x02,  // as text; plain numbers have a column
  has_extra = 0x04,
  has_total_off = 0x08,
  has_documents = 0x10,  // other than one sound document that repeats the order
  has_flags = 0x20,
  has_joined = 0x40,  // differences of its sources, and what came from which
  has_overlay = 0x80,  // what people wrote: right behind the bits, with its size
};
enum DocumentBits : std::uint8_t { damaged = 0x01, has_updated = 0x02, as_order = 0x04 };

// Differences of hostile numbers wrap, and come back exactly.
std::int64_t add(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}
std::int64_t subtract(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

// The document that counts mostly repeats the order; then only its file's own facts are written.
bool repeats_order(const feed::OrderDocument& document, const SalesOrder& order, const OrderChunk& chunk,
                   std::size_t row) {
  return document.status == order.status && document.updated == order.updated && document.total == chunk.total[row] &&
         document.open == chunk.open_amount[row] && document.line_count == chunk.lines[row];
}

// The first document's source, format, path, hash and time are in columns.
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
    for (const std::uint8_t byte : document.hash.bytes) out.u8(byte);
    out.signed_varint(document.modified.time_since_epoch().count());
  }
  if (same) return;
  if (document.updated) out.signed_varint(document.updated->time_since_epoch().count());
  out.varint(words.code(Vocabulary::status, document.status));
  out.signed_varint(document.total);
  out.signed_varint(document.open);
  out.varint(document.line_count);
}

Instant instant(std::int64_t milliseconds) { return Instant(std::chrono::milliseconds(milliseconds)); }

void put_joined(ByteWriter& out, const feed::OrderPut& put, Dictionaries& words) {
  const auto word = [&](std::string_view text) { out.varint(words.code(Vocabulary::word, text)); };
  out.varint(put.differences.size());
  for (const feed::Difference& difference : put.differences) {
    word(difference.field);
    out.signed_varint(difference.line);
    out.varint(difference.values.size());
    for (const feed::Difference::Value& value : difference.values) {
      out.varint(value.document);
      out.text(value.text);
    }
    out.varint(difference.counts);
    word(difference.rule);
    word(difference.decided_by);
    out.u8(difference.decided_at ? 1 : 0);
    if (difference.decided_at) out.signed_varint(difference.decided_at->time_since_epoch().count());
  }
  out.varint(put.origins.size());
  for (const feed::Origin& origin : put.origins) {
    word(origin.field);
    out.signed_varint(origin.line);
    out.varint(origin.document);
  }
}

void take_joined(ByteReader& in, feed::OrderPut& put, const WordLists& words) {
  const auto word = [&] { return std::string(words[Vocabulary::word].text(static_cast<Code>(in.varint()))); };
  put.differences.resize(in.count(8));
  for (feed::Difference& difference : put.differences) {
    difference.field = word();
    difference.line = static_cast<std::int32_t>(in.signed_varint());
    difference.values.resize(in.count(2));
    for (feed::Difference::Value& value : difference.values) {
      value.document = static_cast<std::uint32_t>(in.varint());
      value.text = in.text();
    }
    difference.counts = static_cast<std::uint32_t>(in.varint());
    difference.rule = word();
    difference.decided_by = word();
    if (in.u8() != 0) difference.decided_at = instant(in.signed_varint());
  }
  put.origins.resize(in.count(3));
  for (feed::Origin& origin : put.origins) {
    origin.field = word();
    origin.line = static_cast<std::int32_t>(in.signed_varint());
    origin.document = static_cast<std::uint32_t>(in.varint());
  }
}

// Texts as they are: people's notes are not worth a place in a dictionary that never forgets.
std::string overlay_bytes(const feed::OrderPut& put) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(put.overlay_version);
  out.varint(put.overlay.size());
  for (const feed::Overlaid& value : put.overlay) {
    encode(out, value.written);
    out.text(value.beneath);
  }
  return bytes;
}

void take_overlay(ByteReader in, feed::OrderPut& put) {
  put.overlay_version = in.varint();
  put.overlay.resize(in.count(7));
  for (feed::Overlaid& value : put.overlay) {
    value.written = take_overlay_value(in);
    value.beneath = in.text();
  }
  check(in.ok() && in.at_end(), "what people wrote on an order reads back whole");
}

void as_the_order(feed::OrderDocument& document, const SalesOrder& order, const OrderChunk& chunk, std::size_t row) {
  document.status = order.status;
  document.updated = order.updated;
  document.total = chunk.total[row];
  document.open = chunk.open_amount[row];
  document.line_count = chunk.lines[row];
}

feed::OrderDocument first_document(const OrderChunk& chunk, std::size_t row, const WordLists& words) {
  feed::OrderDocument document;
  document.source = words[Vocabulary::source].text(chunk.source[row]);
  document.format = words[Vocabulary::format].text(chunk.format[row]);
  document.path = chunk.path(row);
  document.hash = chunk.file_hash(chunk.file[row]);
  document.modified = instant(chunk.file_modified[chunk.file[row]]);
  return document;
}

feed::OrderDocument take_document(ByteReader& in, const SalesOrder& order, const OrderChunk& chunk, std::size_t row,
                                  bool first, const WordLists& words) {
  const std::uint8_t bits = in.u8();
  feed::OrderDocument document;
  if (first) {
    document = first_document(chunk, row, words);
  } else {
    document.source = words[Vocabulary::source].text(static_cast<Code>(in.varint()));
    document.format = words[Vocabulary::format].text(static_cast<Code>(in.varint()));
    document.path = in.text();
    for (std::uint8_t& byte : document.hash.bytes) byte = in.u8();
    document.modified = instant(in.signed_varint());
  }
  document.damaged_since = bits & damaged;
  if (bits & as_order) {
    as_the_order(document, order, chunk, row);
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

std::optional<Day> line_day(std::int64_t off, std::int64_t anchor) {
  if (off == no_instant) return std::nullopt;
  return day_from_number(static_cast<std::int32_t>(off + anchor));
}

SalesOrder order_from_columns(const OrderChunk& chunk, std::size_t row, const WordLists& words) {
  SalesOrder order;
  order.number.text = chunk.number(row);
  order.customer_reference = chunk.reference(row);
  order.status = words[Vocabulary::status].text(chunk.status[row]);
  order.document_status = static_cast<DocumentStatus>(chunk.document_status[row]);
  order.cancelled = chunk.bits[row] & order_cancelled;
  order.revision = words[Vocabulary::revision].text(chunk.revision[row]);
  order.customer_code = words[Vocabulary::customer].text(chunk.customer[row]);
  order.customer_name = words[Vocabulary::customer_name].text(chunk.customer_name[row]);
  order.salesperson = words[Vocabulary::salesman].text(chunk.salesman[row]);
  order.payment_terms = words[Vocabulary::word].text(chunk.payment_terms[row]);
  if (chunk.source_number[row] != no_instant) order.source_key = std::to_string(chunk.source_number[row]);
  order.currency = Currency::from_packed(chunk.currency[row]);
  order.order_date = day_or_none(chunk.order_date[row]);
  order.requested_date = day_or_none(chunk.requested[row]);
  order.promise_date = day_or_none(chunk.promise[row]);
  order.tax = chunk.tax[row];
  order.freight = chunk.freight[row];
  if (chunk.updated[row] != no_instant) order.updated = instant(chunk.updated[row]);
  if (chunk.bits[row] & order_has_total) order.document_total = chunk.total[row];
  return order;
}

struct LineContext {
  const OrderChunk& chunk;
  const WordLists& words;
  std::int64_t anchor;
  int decimals;
  std::uint32_t place_first, place_step;
};

// `in` holds the totals and prices that no column has.
OrderLine take_line(ByteReader& in, const LineContext& context, std::size_t at, std::uint32_t i) {
  const OrderChunk& chunk = context.chunk;
  const std::uint8_t bits = chunk.line_bits[at];
  const Article& article = (*chunk.articles)[chunk.line_article[at]];
  OrderLine line;
  line.status = static_cast<LineStatus>(bits & line_status_mask);
  line.line_number = static_cast<std::int32_t>(chunk.line_number_off[at] + i + 1);
  line.item_code = context.words[Vocabulary::item].text(article.item);
  line.item_name = context.words[Vocabulary::item_name].text(article.item_name);
  line.manufacturer = context.words[Vocabulary::manufacturer].text(article.manufacturer);
  line.warehouse_code = context.words[Vocabulary::word].text(chunk.line_warehouse[at]);
  line.unit = context.words[Vocabulary::word].text(chunk.line_unit[at]);
  line.quantity_ordered.micros = chunk.line_quantity[at];
  const std::int64_t missing = chunk.line_short[at];
  line.quantity_open.micros = line.status == LineStatus::open ? subtract(line.quantity_ordered.micros, missing) : missing;
  line.discount.micros = chunk.line_discount[at];
  line.line_total = bits & line_total_in_record ? in.signed_varint() : chunk.line_net[at];
  line.open_amount = chunk.line_open(at);
  line.unit_price.micros =
      bits & line_price_in_record
          ? in.signed_varint()
          : add(chunk.line_price_off[at], expected_price(line.line_total, line.quantity_ordered.micros, line.discount.micros, context.decimals));
  line.requested_date = line_day(chunk.line_requested_off[at], context.anchor);
  line.promise_date = line_day(chunk.line_promise_off[at], context.anchor);
  line.place.kind = static_cast<Place::Kind>(chunk.line_place_kind[at]);
  line.place.number = static_cast<std::uint32_t>(context.place_first + i * context.place_step + chunk.line_place_off[at]);
  line.place.column = chunk.line_place_column[at];
  return line;
}

}  // namespace

std::int64_t line_day_anchor(const OrderChunk& chunk, std::size_t row) {
  if (chunk.requested[row] != no_day) return chunk.requested[row];
  return chunk.order_date[row] == no_day ? 0 : chunk.order_date[row];
}

std::string_view overlay_text(const OrderChunk& chunk, std::size_t row, std::string_view field) {
  if ((chunk.bits[row] & order_has_overlay) == 0) return {};
  ByteReader record(chunk.record(row));
  record.u8();
  ByteReader in(record.text());
  in.varint();
  for (std::size_t left = in.count(7); left > 0 && in.ok(); --left) {
    const std::string_view name = in.text(), value = in.text();
    if (name == field) return value;
    in.text(), in.text(), in.signed_varint();
    if (in.u8() != 0) in.signed_varint();
    in.text();
  }
  return {};
}

std::string encode_record(const feed::OrderPut& put, const OrderChunk& chunk, std::size_t row, Dictionaries& words) {
  const SalesOrder& order = *put.order;
  const bool usual_document = put.documents.size() == 1 && !put.documents[0].damaged_since && repeats_order(put.documents[0], order, chunk, row);
  std::uint8_t bits = 0;
  if (!order.comment.empty()) bits |= has_comment;
  if (!order.source_key.empty() && chunk.source_number[row] == no_instant) bits |= has_source_key;
  if (!order.extra.empty()) bits |= has_extra;
  if (order.document_total && *order.document_total != chunk.total[row]) bits |= has_total_off;
  if (!put.documents.empty() && !usual_document) bits |= has_documents;
  if (!put.flags.empty()) bits |= has_flags;
  if (!put.differences.empty() || !put.origins.empty()) bits |= has_joined;
  if (put.overlay_version > 0) bits |= has_overlay;
  const bool line_values = std::any_of(order.lines.begin(), order.lines.end(), [&, at = chunk.line_begin[row]](const auto&) mutable {
    return (chunk.line_bits[at++] & (line_total_in_record | line_price_in_record)) != 0;
  });

  std::string bytes;
  if (bits == 0 && !line_values) return bytes;
  ByteWriter out(bytes);
  out.u8(bits);
  if (bits & has_overlay) out.text(overlay_bytes(put));
  if (bits & has_comment) out.text(order.comment);
  if (bits & has_source_key) out.text(order.source_key);
  if (bits & has_extra) {
    out.varint(order.extra.size());
    for (const auto& [name, value] : order.extra) {
      out.varint(words.code(Vocabulary::word, name));
      out.text(value);
    }
  }
  if (bits & has_total_off) out.signed_varint(subtract(*order.document_total, chunk.total[row]));
  std::size_t at = chunk.line_begin[row];
  for (const OrderLine& line : order.lines) {
    const std::uint8_t line_bits = chunk.line_bits[at++];
    if (line_bits & line_total_in_record) out.signed_varint(line.line_total);
    if (line_bits & line_price_in_record) out.signed_varint(line.unit_price.micros);
  }
  if (bits & has_documents) {
    out.varint(put.documents.size());
    for (std::size_t i = 0; i < put.documents.size(); ++i) {
      put_document(out, put.documents[i], repeats_order(put.documents[i], order, chunk, row), i == 0, words);
    }
  }
  if (bits & has_flags) {
    out.varint(put.flags.size());
    for (const std::string& flag : put.flags) out.text(flag);
  }
  if (bits & has_joined) put_joined(out, put, words);
  return bytes;
}

feed::OrderPut decode_record(const OrderChunk& chunk, std::size_t row, const WordLists& words) {
  SalesOrder order = order_from_columns(chunk, row, words);
  ByteReader in(chunk.record(row));
  const bool any = chunk.record_size[row] > 0;
  const std::uint8_t bits = any ? in.u8() : 0;
  feed::OrderPut put;
  if (bits & has_overlay) take_overlay(ByteReader(in.text()), put);
  if (bits & has_comment) order.comment = in.text();
  if (bits & has_source_key) order.source_key = in.text();
  if (bits & has_extra) order.extra.resize(in.count(2));
  for (auto& [name, value] : order.extra) {
    name = words[Vocabulary::word].text(static_cast<Code>(in.varint()));
    value = in.text();
  }
  if (bits & has_total_off) order.document_total = add(chunk.total[row], in.signed_varint());
  const LineContext context{chunk, words, line_day_anchor(chunk, row), order.currency.decimals(), chunk.place_first[row], chunk.place_step[row]};
  order.lines.reserve(chunk.lines[row]);
  for (std::uint32_t i = 0; i < chunk.lines[row]; ++i) {
    order.lines.push_back(take_line(in, context, chunk.line_begin[row] + i, i));
  }
  if (bits & has_documents) {
    const std::size_t documents = in.count(1);
    for (std::size_t i = 0; i < documents; ++i) put.documents.push_back(take_document(in, order, chunk, row, i == 0, words));
  } else if (chunk.bits[row] & order_has_document) {
    put.documents.push_back(first_document(chunk, row, words));
    as_the_order(put.documents.back(), order, chunk, row);
  }
  if (bits & has_flags) put.flags.resize(in.count());
  for (std::string& flag : put.flags) flag = in.text();
  if (bits & has_joined) take_joined(in, put, words);
  check(in.ok() && in.at_end(), "an order record of the read model reads back whole");
  put.order = std::make_shared<const SalesOrder>(std::move(order));
  return put;
}

}  // namespace millrace::readmodel
