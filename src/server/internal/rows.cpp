#include "server/internal/rows.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/text.h"

namespace millrace::server {

using query::OrderField;
using query::OrderRow;

void write_money(JsonWriter& json, std::string_view name, std::int64_t minor, Currency currency) {
  json.key(name).begin_object().field("minor", minor).field("currency", currency.code()).end_object();
}

void write_day(JsonWriter& json, std::string_view name, const std::optional<Day>& day) {
  json.key(name);
  if (day) {
    json.text(iso(*day));
  } else {
    json.null();
  }
}

void write_instant(JsonWriter& json, std::string_view name, const std::optional<Instant>& instant) {
  json.key(name);
  if (instant) {
    json.text(rfc3339(*instant));
  } else {
    json.null();
  }
}

namespace {

constexpr std::string_view minor_key = "{\"minor\":";
constexpr std::string_view currency_key = ",\"currency\":\"";
constexpr std::string_view sequence_key = ",\"sequence\":";
constexpr std::size_t value_room = 64;  // of any value that is not a text

char* put(char* to, std::string_view text) { return std::copy(text.begin(), text.end(), to); }
char* put_number(char* to, std::int64_t number) { return std::to_chars(to, to + 20, number).ptr; }
char* put_null(char* to) { return put(to, "null"); }

char* put_money(char* to, std::int64_t minor, std::string_view currency) {
  to = put_number(put(to, minor_key), minor);
  return put(put(put(to, currency_key), currency), "\"}");
}
char* put_day(char* to, const std::optional<Day>& day) {
  if (!day) return put_null(to);
  *to++ = '"';
  to = put_iso(to, *day);
  *to++ = '"';
  return to;
}
char* put_quoted(char* to, const std::string& plain) { return put(put(put(to, "\""), plain), "\""); }
char* put_instant(char* to, const std::optional<Instant>& instant) {
  return instant ? put_quoted(to, rfc3339(*instant)) : put_null(to);
}

std::string_view text_of(const OrderRow& row, OrderField field) {
  switch (field) {
    case OrderField::order: return row.order;
    case OrderField::status: return row.status;
    case OrderField::document_status: return row.document_status;
    case OrderField::customer: return row.customer;
    case OrderField::customer_name: return row.customer_name;
    case OrderField::customer_reference: return row.customer_reference;
    case OrderField::salesman: return row.salesman;
    case OrderField::revision: return row.revision;
    case OrderField::format: return row.format;
    case OrderField::path: return row.path;
    case OrderField::source: return row.source;
    case OrderField::hold: return row.hold;
    case OrderField::note: return row.note;
    case OrderField::colour: return row.colour;
    default: break;
  }
  const auto own = query::own_number(field);
  return own && *own < row.own.size() ? row.own[*own] : std::string_view();
}
std::int64_t money_of(const OrderRow& row, OrderField field) {
  switch (field) {
    case OrderField::net: return row.net;
    case OrderField::tax: return row.tax;
    case OrderField::freight: return row.freight;
    case OrderField::total: return row.total;
    default: return row.open_amount;
  }
}
const std::optional<Day>& day_of(const OrderRow& row, OrderField field) {
  switch (field) {
    case OrderField::order_date: return row.order_date;
    case OrderField::due: return row.due;
    case OrderField::requested: return row.requested;
    default: return row.promise;
  }
}

const RowWriter& all_columns() {
  static const RowWriter writer({});
  return writer;
}
const RowWriter& columns_without_money() {
  static const RowWriter writer([] {
    std::vector<OrderField> fields;
    for (const query::FieldRow& row : query::order_fields())
      if (row.type != query::FieldType::money) fields.push_back(row.field);
    return fields;
  }());
  return writer;
}

}  // namespace

RowWriter::RowWriter(const std::vector<OrderField>& fields) {
  for (const query::FieldRow& field : query::order_fields()) {
    const bool wanted = fields.empty() || field.field == OrderField::order ||
                        std::find(fields.begin(), fields.end(), field.field) != fields.end();
    if (!wanted) continue;
    std::string before = pieces_.empty() ? "{\"" : ",\"";
    before.append(field.name).append("\":");
    room_ += before.size() + value_room;
    pieces_.push_back({field.field, field.type, std::move(before)});
  }
  room_ += sequence_key.size() + value_room;
}

char* RowWriter::put(char* to, const Piece& piece, const OrderRow& row) const {
  to = server::put(to, piece.before);
  switch (piece.type) {
    case query::FieldType::text:
      if (piece.field == OrderField::currency) return put_quoted(to, row.currency.code());
      if (piece.field == OrderField::path) return put_json_text(to, printable(row.path));
      return put_json_text(to, text_of(row, piece.field));
    case query::FieldType::number:
      if (piece.field == OrderField::lines) return put_number(to, row.lines);
      if (piece.field == OrderField::priority) return row.priority ? put_number(to, *row.priority) : put_null(to);
      return row.lateness_days ? put_number(to, *row.lateness_days) : put_null(to);
    case query::FieldType::quantity:
      return put_quoted(to, decimal_text(Quantity{piece.field == OrderField::quantity ? row.quantity : row.open_quantity}));
    case query::FieldType::money:
      return put_money(to, money_of(row, piece.field), row.currency.code());
    case query::FieldType::day:
      return put_day(to, day_of(row, piece.field));
    case query::FieldType::instant:
      return put_instant(to, piece.field == OrderField::updated ? row.updated : std::optional(row.changed_at));
    case query::FieldType::flag:
      return server::put(to, (piece.field == OrderField::late ? row.late : row.flagged) ? "true" : "false");
  }
  return to;
}

void RowWriter::append(std::string& out, const OrderRow& row) const {
  std::size_t room = room_;
  for (const Piece& piece : pieces_)
    if (piece.type == query::FieldType::text) room += json_text_room(text_of(row, piece.field));
  append_in_place(out, room, [&](char* to) {
    for (const Piece& piece : pieces_) to = put(to, piece, row);
    to = std::to_chars(server::put(to, sequence_key), to + sequence_key.size() + 20, row.sequence.value).ptr;
    *to++ = '}';
    return to;
  });
}

void write_row(JsonWriter& json, const OrderRow& row, const std::vector<OrderField>& fields) {
  std::string text;
  if (fields.empty()) all_columns().append(text, row);
  else RowWriter(fields).append(text, row);
  json.raw(text);
}

void write_row_and_more(JsonWriter& json, const OrderRow& row, bool money, const std::function<void(JsonWriter&)>& more) {
  std::string text;
  text.reserve(4096);
  (money ? all_columns() : columns_without_money()).append(text, row);
  text.pop_back();  // the object goes on
  std::string rest;
  rest.reserve(4096);
  JsonWriter own(rest);
  own.begin_object();
  more(own);
  own.end_object();
  rest.front() = ',';
  json.raw(text.append(rest));
}

void write_sums(JsonWriter& json, std::string_view name, const std::vector<query::CurrencySum>& sums, bool money) {
  json.key(name).begin_array();
  for (const query::CurrencySum& sum : sums) {
    json.begin_object();
    json.field("currency", sum.currency.code()).field("orders", sum.orders).field("lines", sum.lines);
    if (money) {
      write_money(json, "net", sum.net, sum.currency);
      write_money(json, "total", sum.total, sum.currency);
      write_money(json, "open_amount", sum.open_amount, sum.currency);
    }
    json.field("open_orders", sum.open_orders).field("late_orders", sum.late_orders);
    if (money) write_money(json, "late_amount", sum.late_amount, sum.currency);
    json.end_object();
  }
  json.end_array();
}

void write_document(JsonWriter& json, const feed::OrderDocument& document, const feed::OrderDocument& counting,
                    Currency currency, bool counts, bool money) {
  json.begin_object();
  json.field("source", document.source).field("path", printable(document.path)).field("format", document.format);
  json.field("hash", hex(document.hash));
  write_instant(json, "modified", document.modified);
  write_instant(json, "updated", document.updated);
  json.field("status", document.status);
  if (money) {
    write_money(json, "total", document.total, currency);
    write_money(json, "open_amount", document.open, currency);
  }
  json.field("lines", document.line_count).field("counts", counts).field("damaged", document.damaged_since);
  json.key("differs").begin_array();
  if (!counts) {
    if (document.status != counting.status) json.text("status");
    if (money && document.total != counting.total) json.text("total");
    if (money && document.open != counting.open) json.text("open_amount");
    if (document.line_count != counting.line_count) json.text("lines");
    if (document.updated != counting.updated) json.text("updated");
  }
  json.end_array().end_object();
}

void write_change(JsonWriter& json, const query::WordedChange& change) {
  json.begin_object();
  json.field("sequence", change.sequence.value);
  write_instant(json, "at", change.at);
  json.field("kind", change.kind).field("order", change.order).field("customer_name", change.customer_name);
  json.field("by", change.by).field("text", change.text);
  json.key("fields").begin_array();
  for (const auto& [name, values] : change.fields) {
    json.begin_object();
    json.field("field", name).field("before", values.first).field("after", values.second);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_rejection(JsonWriter& json, const feed::Rejection& rejection) {
  json.begin_object();
  json.field("id", rejection.id).field("source", rejection.source).field("path", printable(rejection.path));
  json.field("place", rejection.place).field("reason", rejection.reason).field("value", rejection.value);
  json.field("outcome", feed::word(rejection.outcome)).field("order", rejection.order_number);
  write_instant(json, "since", rejection.since);
  json.end_object();
}

}  // namespace millrace::server
