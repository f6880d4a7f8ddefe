// How rows, sums, documents and changes are written as JSON, for answers and live deltas.
#pragma once
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "feed/change.h"
#include "ingest/control.h"
#include "query/order_detail.h"
#include "query/orders.h"
#include "query/wording.h"

namespace millrace::server {

void write_money(JsonWriter& json, std::string_view name, std::int64_t minor, Currency currency);
void write_day(JsonWriter& json, std::string_view name, const std::optional<Day>& day);
void write_instant(JsonWriter& json, std::string_view name, const std::optional<Instant>& instant);

// `fields` empty: all. `order` and `sequence` are always there.
void write_row(JsonWriter& json, const query::OrderRow& row, const std::vector<query::OrderField>& fields);
// The columns of an order inside an open object, without braces.
void write_row_fields(JsonWriter& json, const query::OrderRow& row, const std::vector<query::OrderField>& fields);
void write_sums(JsonWriter& json, std::string_view name, const std::vector<query::CurrencySum>& sums);
void write_document(JsonWriter& json, const feed::OrderDocument& document, const feed::OrderDocument& counting,
                    Currency currency, bool counts);
void write_change(JsonWriter& json, const query::WordedChange& change);
void write_rejection(JsonWriter& json, const feed::Rejection& rejection);
void write_source(JsonWriter& json, const ingest::SourceStatus& source, Instant now);
// good, fair or poor: what a person should think of it.
std::string_view judgement(const ingest::SourceStatus& source);

}  // namespace millrace::server
