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
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "feed/change.h"
#include "readmodel/vocabulary.h"

namespace millrace::readmodel {

inline constexpr std::size_t chunk_rows = 512;
using RowId = std::uint32_t;  // chunk * chunk_rows + row
inline constexpr std::int32_t no_day = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t no_instant = std::numeric_limits<std::int64_t>::min();

struct OrderChunk {
  template <class T>
  using Column = std::array<T, chunk_rows>;

  std::uint64_t epoch = 0;
  std::uint32_t used = 0;  // rows below this were in use at some time

  Column<std::uint8_t> live{}, flagged{}, document_status{};
  Column<Code> status{}, customer{}, customer_name{}, salesman{}, format{}, source{}, revision{};
  Column<std::uint32_t> currency{}, lines{};
  Column<std::int32_t> order_date{}, due{}, requested{}, promise{};             // day numbers or no_day
  Column<std::int64_t> quantity{}, open_quantity{};                              // micros
  Column<std::int64_t> net{}, tax{}, freight{}, total{}, open_amount{};          // minor units
  Column<std::int64_t> updated{}, changed_at{};                                  // milliseconds or no_instant
  Column<std::uint64_t> sequence{};
  Column<std::uint64_t> number_key{};  // natural_key of the order number

  Column<std::uint32_t> line_begin{}, search_begin{}, search_size{}, record_begin{}, record_size{};
  std::vector<Code> line_item, line_item_name, line_manufacturer;
  std::vector<std::int64_t> line_net, line_open;  // net is 0 for cancelled lines
  std::vector<char> searches, records;
  std::size_t line_waste = 0, search_waste = 0, record_waste = 0;

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
  // Gives memory back; called when the last free row is taken.
  void shrink();
};

// Without the bytes of replaced rows when they have become many.
std::shared_ptr<OrderChunk> copy_block(const OrderChunk& chunk);

// The due date the order list shows, filters and groups by: the order's promise, else its wish; when the order
// has neither, the earliest due date of its open lines, else of all its lines.
std::optional<Day> list_due_date(const SalesOrder& order);

}  // namespace millrace::readmodel
