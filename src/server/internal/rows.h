// How rows, sums, documents and changes are written as JSON, for answers and live deltas.
#pragma once
#include <functional>
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

// Writes rows of a list: what stands between the values is spelt once, then values are put between it in place, so that a
// page of a thousand rows costs little more than its bytes.
class RowWriter {
 public:
  // `fields` empty: all. `order` and `sequence` are always there.
  explicit RowWriter(const std::vector<query::OrderField>& fields);
  // Appends {"order":...}.
  void append(std::string& out, const query::OrderRow& row) const;

 private:
  struct Piece {
    query::OrderField field;
    query::FieldType type;
    std::string before;  // `,"due":`
  };
  char* put(char* to, const Piece& piece, const query::OrderRow& row) const;

  std::vector<Piece> pieces_;
  std::size_t room_ = 0;  // of everything but texts
};

// `fields` empty: all. `order` and `sequence` are always there.
void write_row(JsonWriter& json, const query::OrderRow& row, const std::vector<query::OrderField>& fields);
// All columns of an order, without `money` those that are no amounts, and what follows them in the same object: `more` writes fields and leaves the brace to us.
void write_row_and_more(JsonWriter& json, const query::OrderRow& row, bool money, const std::function<void(JsonWriter&)>& more);
// Without `money` only the counts.
void write_sums(JsonWriter& json, std::string_view name, const std::vector<query::CurrencySum>& sums, bool money = true);
void write_document(JsonWriter& json, const feed::OrderDocument& document, const feed::OrderDocument& counting,
                    Currency currency, bool counts, bool money);
// The fields of one difference; the braces are the caller's.
void write_difference(JsonWriter& json, const feed::Difference& difference, const std::vector<feed::OrderDocument>& documents);
// "differences" and "origins" of an order, both empty where one source speaks of it.
// "overlay": what people wrote on the order, with what its sources say beneath.
void write_overlay(JsonWriter& json, const feed::OrderPut& put);
void write_overlay_value(JsonWriter& json, const OverlayValue& written, std::string_view beneath);
void write_joined(JsonWriter& json, const feed::OrderPut& put);
void write_change(JsonWriter& json, const query::WordedChange& change);
void write_rejection(JsonWriter& json, const feed::Rejection& rejection);
// `service` is null for folders.
void write_source(JsonWriter& json, const ingest::SourceStatus& source, Instant now);
// What waits for a person; money as everywhere.
void write_held(JsonWriter& json, std::string_view source, const ingest::HeldSync& held);
// good, fair or poor: what a person should think of it.
std::string_view judgement(const ingest::SourceStatus& source);

}  // namespace millrace::server
