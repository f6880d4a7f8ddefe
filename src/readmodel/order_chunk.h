// Up to 512 orders as columns: what is filtered, sorted and summed, and all that an order and its documents say.
//
//   order columns   row i                              codes, days, amounts ...
//   line columns    line_begin[i] .. + lines[i]        one value per line, the lines of an order side by side
//   file columns    file[i]                            the document that counts; orders of one file share its entry
//   texts           text_begin[i]                      number, zero byte, customer reference
//   records         record_begin[i]                    what has no column (`order_record.h`); empty for most orders
//
// What follows from other columns is not kept, only how far it is from what would follow: see `put_line`.
//
// Invariants
//   * Columns and record together give back the order and its documents exactly (`order_record.h`).
//   * A chunk in a Snapshot never changes. A row that is not `live` answers nothing; its other columns are stale.
//   * Lines and heaps may hold what replaced rows left; copying a chunk drops it once it is an eighth.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feed/change.h"
#include "readmodel/no_day.h"
#include "readmodel/narrow_column.h"
#include "readmodel/vocabulary.h"

namespace millrace::readmodel {

inline constexpr std::size_t chunk_rows = 512;
using RowId = std::uint32_t;  // chunk * chunk_rows + row
inline constexpr std::int64_t no_instant = std::numeric_limits<std::int64_t>::min();

enum OrderBits : std::uint8_t {
  order_cancelled = 1,
  order_has_total = 2,
  order_has_document = 4,
  order_has_differences = 8,  // its sources say different things
  order_undecided = 16,       // a rule decided at least one of them, and no person
  order_has_overlay = 32,     // people wrote on it: the values stand first in its record (`order_record.h`)
};
enum LineBits : std::uint8_t { line_status_mask = 3, line_total_in_record = 4, line_price_in_record = 8 };

struct OrderChunk {
  template <class T>
  using Column = NarrowColumn<T>;
  using Days = NarrowColumn<std::int32_t, true>;      // day numbers or no_day
  using Instants = NarrowColumn<std::int64_t, true>;  // milliseconds or no_instant

  OrderChunk();

  std::uint64_t epoch = 0;
  std::uint32_t used = 0;  // rows below this were in use at some time

  // One value per row.
  Column<std::uint8_t> live, flagged, document_status, bits;
  Column<Code> status, customer, customer_name, salesman, payment_terms, format, source, revision;
  Column<std::uint32_t> currency, lines;
  Days order_date, due, requested, promise;
  Column<std::int64_t> quantity, open_quantity;                // micros
  Column<std::int64_t> net, tax, freight, total, open_amount;  // minor units
  Instants updated, changed_at;
  Column<std::uint64_t> sequence;
  Column<std::uint64_t> number_key;  // natural_key of the order number
  NarrowColumn<std::int64_t, true> source_number;  // the source's key where it is a plain number
  Column<std::uint32_t> place_first, place_step;   // where the lines stand: first, first + step, first + 2 step ...
  Column<std::uint32_t> file, line_begin, text_begin, text_size, number_size, record_begin, record_size;

  // One value per line.
  Column<std::uint8_t> line_bits;
  Column<Code> line_article, line_warehouse, line_unit;
  Column<std::int64_t> line_quantity, line_short;  // ordered; ordered minus open, for lines not open what is open
  Column<std::int64_t> line_net;                   // minor units, 0 for cancelled lines
  Column<std::int64_t> line_open_off, line_price_off, line_discount;
  Column<std::int64_t> line_number_off;
  NarrowColumn<std::int64_t, true> line_requested_off, line_promise_off;
  Column<std::uint8_t> line_place_kind;
  Column<std::int64_t> line_place_off;
  Column<std::uint32_t> line_place_column;

  // One value per document that counts: 16 bytes of hash, then the path, from file_begin in `files`.
  Column<std::uint32_t> file_begin;
  Instants file_modified;

  std::vector<char> texts, records, files;
  std::size_t line_waste = 0, text_waste = 0, record_waste = 0;  // elements that no row owns any more
  std::shared_ptr<const Articles> articles;                      // what line_article means

  Code line_item(std::size_t line) const { return (*articles)[line_article[line]].item; }
  Code line_item_name(std::size_t line) const { return (*articles)[line_article[line]].item_name; }
  Code line_manufacturer(std::size_t line) const { return (*articles)[line_article[line]].manufacturer; }
  std::int64_t line_open(std::size_t line) const;  // minor units

  std::string_view record(std::size_t row) const { return {records.data() + record_begin[row], record_size[row]}; }
  std::string_view number(std::size_t row) const { return {texts.data() + text_begin[row], number_size[row]}; }
  std::string_view reference(std::size_t row) const;
  std::string_view path(std::size_t row) const;
  ContentHash file_hash(std::size_t file_index) const;

  // Writer only. `put` replaces what the row held.
  void put(std::size_t row, const feed::OrderPut& put, feed::Sequence sequence, Instant at, Dictionaries& words);
  void remove(std::size_t row);
  // Fits all columns to what they hold; called when the last free row is taken.
  void pack();
};

// Every column and every heap once, in a fixed order: copies, files and reports are loops over these, and what is
// missing here is lost. `visit(name, column)`; `visit(name, bytes)`.
template <class Chunk, class Visit>
void for_each_order_column(Chunk& chunk, Visit&& visit) {
  visit("live", chunk.live), visit("flagged", chunk.flagged), visit("document_status", chunk.document_status);
  visit("bits", chunk.bits), visit("status", chunk.status), visit("customer", chunk.customer);
  visit("customer_name", chunk.customer_name), visit("salesman", chunk.salesman);
  visit("payment_terms", chunk.payment_terms), visit("format", chunk.format), visit("source", chunk.source);
  visit("revision", chunk.revision), visit("currency", chunk.currency), visit("lines", chunk.lines);
  visit("order_date", chunk.order_date), visit("due", chunk.due), visit("requested", chunk.requested);
  visit("promise", chunk.promise), visit("quantity", chunk.quantity), visit("open_quantity", chunk.open_quantity);
  visit("net", chunk.net), visit("tax", chunk.tax), visit("freight", chunk.freight), visit("total", chunk.total);
  visit("open_amount", chunk.open_amount), visit("updated", chunk.updated), visit("changed_at", chunk.changed_at);
  visit("sequence", chunk.sequence), visit("number_key", chunk.number_key), visit("source_number", chunk.source_number);
  visit("place_first", chunk.place_first), visit("place_step", chunk.place_step), visit("file", chunk.file);
  visit("line_begin", chunk.line_begin), visit("text_begin", chunk.text_begin), visit("text_size", chunk.text_size);
  visit("number_size", chunk.number_size), visit("record_begin", chunk.record_begin);
  visit("record_size", chunk.record_size);
}
template <class Chunk, class Visit>
void for_each_line_column(Chunk& chunk, Visit&& visit) {
  visit("line_bits", chunk.line_bits), visit("line_article", chunk.line_article);
  visit("line_warehouse", chunk.line_warehouse), visit("line_unit", chunk.line_unit);
  visit("line_quantity", chunk.line_quantity), visit("line_short", chunk.line_short), visit("line_net", chunk.line_net);
  visit("line_open_off", chunk.line_open_off), visit("line_price_off", chunk.line_price_off);
  visit("line_discount", chunk.line_discount), visit("line_number_off", chunk.line_number_off);
  visit("line_requested_off", chunk.line_requested_off), visit("line_promise_off", chunk.line_promise_off);
  visit("line_place_kind", chunk.line_place_kind), visit("line_place_off", chunk.line_place_off);
  visit("line_place_column", chunk.line_place_column);
}
template <class Chunk, class Visit>
void for_each_file_column(Chunk& chunk, Visit&& visit) {
  visit("file_begin", chunk.file_begin), visit("file_modified", chunk.file_modified);
}
template <class Chunk, class Visit>
void for_each_column(Chunk& chunk, Visit&& visit) {
  for_each_order_column(chunk, visit);
  for_each_line_column(chunk, visit);
  for_each_file_column(chunk, visit);
}
template <class Chunk, class Visit>
void for_each_heap(Chunk& chunk, Visit&& visit) {
  visit("texts", chunk.texts), visit("records", chunk.records), visit("files", chunk.files);
}

// Without what replaced rows left when that has become much.
std::shared_ptr<OrderChunk> copy_block(const OrderChunk& chunk);

// The due date the order list shows, filters and groups by: the order's promise, else its wish; when the order
// has neither, the earliest due date of its open lines, else of all its lines.
std::optional<Day> list_due_date(const SalesOrder& order);

}  // namespace millrace::readmodel
