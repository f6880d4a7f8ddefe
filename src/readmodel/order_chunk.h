// Up to 512 orders as columns, with their lines and the rest of each order as a compact record.
//
//   row i      live, codes, days, amounts ...          one array per column, for filters, sorting and sums
//   lines      line_begin[i] .. + lines[i]             item, item name, manufacturer, net, open of each line
//   searches   search_begin[i]                         folded "number\0customer reference", for text search
//   records    record_begin[i]                         number, reference, path, then what no column holds
//
// Invariants
//   * Columns and record together give back the order and its documents exactly (`order_record.h`).
//   * A chunk in a Snapshot never changes. A row that is not `live` answers nothing; its other columns are stale.
//   * Heaps may hold bytes of replaced rows; copying a chunk drops them once they are an eighth.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "feed/change.h"
#include "readmodel/narrow_column.h"
#include "readmodel/vocabulary.h"

namespace millrace::readmodel {

inline constexpr std::size_t chunk_rows = 512;
using RowId = std::uint32_t;  // chunk * chunk_rows + row
inline constexpr std::int32_t no_day = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t no_instant = std::numeric_limits<std::int64_t>::min();

struct OrderChunk {
  template <class T>
  using Column = NarrowColumn<T>;
  using Days = NarrowColumn<std::int32_t, true>;      // day numbers or no_day
  using Instants = NarrowColumn<std::int64_t, true>;  // milliseconds or no_instant

  OrderChunk();

  std::uint64_t epoch = 0;
  std::uint32_t used = 0;  // rows below this were in use at some time

  // One value per row.
  Column<std::uint8_t> live, flagged, document_status;
  Column<Code> status, customer, customer_name, salesman, format, source, revision;
  Column<std::uint32_t> currency, lines;
  Days order_date, due, requested, promise;
  Column<std::int64_t> quantity, open_quantity;                // micros
  Column<std::int64_t> net, tax, freight, total, open_amount;  // minor units
  Instants updated, changed_at;
  Column<std::uint64_t> sequence;
  Column<std::uint64_t> number_key;  // natural_key of the order number
  Column<std::uint32_t> line_begin, search_begin, search_size, record_begin, record_size;

  // One value per line.
  Column<Code> line_item, line_item_name, line_manufacturer;
  Column<std::int64_t> line_net, line_open;  // net is 0 for cancelled lines

  std::vector<char> searches, records;
  std::size_t line_waste = 0, search_waste = 0, record_waste = 0;  // elements that no row owns any more

  std::string_view record(std::size_t row) const { return {records.data() + record_begin[row], record_size[row]}; }
  std::string_view search(std::size_t row) const { return {searches.data() + search_begin[row], search_size[row]}; }
  std::string_view number(std::size_t row) const;
  std::string_view reference(std::size_t row) const;
  std::string_view path(std::size_t row) const;
  std::string_view folded_number(std::size_t row) const;
  std::string_view folded_reference(std::size_t row) const;

  // Writer only. `put` replaces what the row held.
  void put(std::size_t row, const feed::OrderPut& put, feed::Sequence sequence, Instant at, Dictionaries& words);
  void remove(std::size_t row);
  // Fits all columns to what they hold; called when the last free row is taken.
  void pack();
};

// Every column and every heap once, in a fixed order: copies, files and reports are loops over these, and what is
// missing here is lost. `visit(name, column)` for one value per row, then for one value per line; `visit(name, bytes)`.
template <class Chunk, class Visit>
void for_each_order_column(Chunk& chunk, Visit&& visit) {
  visit("live", chunk.live), visit("flagged", chunk.flagged), visit("document_status", chunk.document_status);
  visit("status", chunk.status), visit("customer", chunk.customer), visit("customer_name", chunk.customer_name);
  visit("salesman", chunk.salesman), visit("format", chunk.format), visit("source", chunk.source);
  visit("revision", chunk.revision), visit("currency", chunk.currency), visit("lines", chunk.lines);
  visit("order_date", chunk.order_date), visit("due", chunk.due), visit("requested", chunk.requested);
  visit("promise", chunk.promise), visit("quantity", chunk.quantity), visit("open_quantity", chunk.open_quantity);
  visit("net", chunk.net), visit("tax", chunk.tax), visit("freight", chunk.freight), visit("total", chunk.total);
  visit("open_amount", chunk.open_amount), visit("updated", chunk.updated), visit("changed_at", chunk.changed_at);
  visit("sequence", chunk.sequence), visit("number_key", chunk.number_key), visit("line_begin", chunk.line_begin);
  visit("search_begin", chunk.search_begin), visit("search_size", chunk.search_size);
  visit("record_begin", chunk.record_begin), visit("record_size", chunk.record_size);
}
template <class Chunk, class Visit>
void for_each_line_column(Chunk& chunk, Visit&& visit) {
  visit("line_item", chunk.line_item), visit("line_item_name", chunk.line_item_name);
  visit("line_manufacturer", chunk.line_manufacturer), visit("line_net", chunk.line_net);
  visit("line_open", chunk.line_open);
}
template <class Chunk, class Visit>
void for_each_column(Chunk& chunk, Visit&& visit) {
  for_each_order_column(chunk, visit);
  for_each_line_column(chunk, visit);
}
template <class Chunk, class Visit>
void for_each_heap(Chunk& chunk, Visit&& visit) {
  visit("searches", chunk.searches), visit("records", chunk.records);
}

// Without the bytes of replaced rows when they have become many.
std::shared_ptr<OrderChunk> copy_block(const OrderChunk& chunk);

// The due date the order list shows, filters and groups by: the order's promise, else its wish; when the order
// has neither, the earliest due date of its open lines, else of all its lines.
std::optional<Day> list_due_date(const SalesOrder& order);

}  // namespace millrace::readmodel
