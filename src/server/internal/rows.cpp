#include "server/internal/rows.h"

#include <algorithm>

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

void write_field(JsonWriter& json, const OrderRow& row, const query::FieldRow& field) {
  const std::string_view name = field.name;
  switch (field.field) {
    case OrderField::order:
      json.field(name, row.order);
      return;
    case OrderField::status:
      json.field(name, row.status);
      return;
    case OrderField::document_status:
      json.field(name, row.document_status);
      return;
    case OrderField::customer:
      json.field(name, row.customer);
      return;
    case OrderField::customer_name:
      json.field(name, row.customer_name);
      return;
    case OrderField::customer_reference:
      json.field(name, row.customer_reference);
      return;
    case OrderField::salesman:
      json.field(name, row.salesman);
      return;
    case OrderField::currency:
      json.field(name, row.currency.code());
      return;
    case OrderField::order_date:
      write_day(json, name, row.order_date);
      return;
    case OrderField::due:
      write_day(json, name, row.due);
      return;
    case OrderField::requested:
      write_day(json, name, row.requested);
      return;
    case OrderField::promise:
      write_day(json, name, row.promise);
      return;
    case OrderField::lines:
      json.field(name, row.lines);
      return;
    case OrderField::quantity:
      json.field(name, decimal_text(Quantity{row.quantity}));
      return;
    case OrderField::open_quantity:
      json.field(name, decimal_text(Quantity{row.open_quantity}));
      return;
    case OrderField::net:
      write_money(json, name, row.net, row.currency);
      return;
    case OrderField::tax:
      write_money(json, name, row.tax, row.currency);
      return;
    case OrderField::freight:
      write_money(json, name, row.freight, row.currency);
      return;
    case OrderField::total:
      write_money(json, name, row.total, row.currency);
      return;
    case OrderField::open_amount:
      write_money(json, name, row.open_amount, row.currency);
      return;
    case OrderField::lateness_days:
      if (row.lateness_days) {
        json.field(name, *row.lateness_days);
      } else {
        json.key(name).null();
      }
      return;
    case OrderField::late:
      json.field(name, row.late);
      return;
    case OrderField::updated:
      write_instant(json, name, row.updated);
      return;
    case OrderField::changed_at:
      write_instant(json, name, row.changed_at);
      return;
    case OrderField::revision:
      json.field(name, row.revision);
      return;
    case OrderField::format:
      json.field(name, row.format);
      return;
    case OrderField::path:
      json.field(name, printable(row.path));
      return;
    case OrderField::source:
      json.field(name, row.source);
      return;
    case OrderField::flagged:
      json.field(name, row.flagged);
      return;
  }
}

}  // namespace

void write_row_fields(JsonWriter& json, const OrderRow& row, const std::vector<OrderField>& fields) {
  for (const query::FieldRow& field : query::order_fields()) {
    const bool wanted = fields.empty() || field.field == OrderField::order ||
                        std::find(fields.begin(), fields.end(), field.field) != fields.end();
    if (wanted) write_field(json, row, field);
  }
  json.field("sequence", row.sequence.value);
}

void write_row(JsonWriter& json, const OrderRow& row, const std::vector<OrderField>& fields) {
  json.begin_object();
  write_row_fields(json, row, fields);
  json.end_object();
}

void write_sums(JsonWriter& json, std::string_view name, const std::vector<query::CurrencySum>& sums) {
  json.key(name).begin_array();
  for (const query::CurrencySum& sum : sums) {
    json.begin_object();
    json.field("currency", sum.currency.code()).field("orders", sum.orders).field("lines", sum.lines);
    write_money(json, "net", sum.net, sum.currency);
    write_money(json, "total", sum.total, sum.currency);
    write_money(json, "open_amount", sum.open_amount, sum.currency);
    json.field("open_orders", sum.open_orders).field("late_orders", sum.late_orders);
    write_money(json, "late_amount", sum.late_amount, sum.currency);
    json.end_object();
  }
  json.end_array();
}

void write_document(JsonWriter& json, const feed::OrderDocument& document, const feed::OrderDocument& counting,
                    Currency currency, bool counts) {
  json.begin_object();
  json.field("source", document.source).field("path", printable(document.path)).field("format", document.format);
  json.field("hash", hex(document.hash));
  write_instant(json, "modified", document.modified);
  write_instant(json, "updated", document.updated);
  json.field("status", document.status);
  write_money(json, "total", document.total, currency);
  write_money(json, "open_amount", document.open, currency);
  json.field("lines", document.line_count).field("counts", counts).field("damaged", document.damaged_since);
  json.key("differs").begin_array();
  if (!counts) {
    if (document.status != counting.status) json.text("status");
    if (document.total != counting.total) json.text("total");
    if (document.open != counting.open) json.text("open_amount");
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
  json.field("text", change.text);
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

std::string_view judgement(const ingest::SourceStatus& source) {
  using State = ingest::SourceState;
  switch (source.state) {
    case State::live:
    case State::polling:
      return source.rejections == 0 && source.message.empty() ? "good" : "fair";
    case State::starting:
    case State::scanning:
    case State::paused:
      return "fair";
    case State::stopped:
    case State::held:
    case State::failed:
      return "poor";
  }
  return "poor";
}

namespace {
std::int64_t age_seconds(Instant then, Instant now) {
  return std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(now - then).count());
}
}  // namespace

void write_source(JsonWriter& json, const ingest::SourceStatus& source, Instant now) {
  const bool running = source.state == ingest::SourceState::scanning || source.progress_done < source.progress_total;
  json.begin_object();
  json.field("id", source.id).field("kind", source.kind).field("root", printable(source.root));
  json.field("state", ingest::word(source.state)).field("state_word", judgement(source));
  json.field("message", source.message);
  write_instant(json, "as_of_time", source.as_of_time);
  json.key("age_s");
  if (source.as_of_time) {
    json.number(age_seconds(*source.as_of_time, now));
  } else {
    json.null();
  }
  json.key("refresh").begin_object();
  json.field("running", running).field("count", source.refresh_count);
  json.field("with_changes", source.refresh_with_changes);
  write_instant(json, "started", source.refresh_started);
  write_instant(json, "next", source.refresh_next);
  json.field("took_ms", std::int64_t{source.refresh_took.count()});
  json.field("interval_s", std::int64_t{source.refresh_interval.count()});
  json.end_object();
  json.field("files", source.files).field("files_read", source.files_read);
  json.field("files_unchanged", source.files_unchanged).field("bytes_read", source.bytes_read);
  json.field("orders", source.orders).field("rejections", source.rejections).field("ignored", source.ignored);
  json.field("pending", source.pending);
  json.key("progress").begin_object();
  json.field("done", source.progress_done).field("total", source.progress_total).field("unit", "files").end_object();
  json.field("events", source.events).field("event_overflows", source.event_overflows);
  json.field("watching", source.watching);
  json.end_object();
}

}  // namespace millrace::server
