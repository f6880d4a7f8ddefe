// The order list: typed filters, sort, pages by key, exact totals, from one Snapshot.
//
// Filter syntax (also the screen's URL): name=value (equal; text ignores case, `*` at an end is a wildcard) or
// name=op.value with op one of eq, ne, lt, lte, gt, gte, in.(a,b,c), has (text contains). Several filters must
// all hold. `status=late` is short for `late=true`. Money compares in minor units, days as YYYY-MM-DD or
// `today`, `today+7`, `none` (no usable date).
//
// Invariants
//   * Pure: "today" is a parameter. Any thread may call.
//   * A cursor carries sort key, order number and a hash of the filters; it stays valid when rows come and go.
//   * `matching` and `sums` are exact for the whole filter, not only for the page.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/money.h"
#include "feed/sequence.h"
#include "query/fields.h"
#include "readmodel/snapshot.h"

namespace millrace::query {

inline constexpr std::size_t page_limit_max = 1000;
inline constexpr std::size_t page_limit_default = 100;
inline constexpr std::size_t filter_count_max = 32;
inline constexpr std::size_t filter_text_max = 512;

using Parameters = std::vector<std::pair<std::string, std::string>>;  // decoded query string, in order

// `exactly` is for us, not for people: the whole text, every letter as it is, no wildcard.
enum class FilterOp : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, one_of, contains, exactly };

struct Filter {
  std::string name;  // a FieldRow or FilterRow name
  FilterOp op = FilterOp::equal;
  std::vector<std::string> values;  // one, or several for one_of
};

struct SortKey {
  OrderField field = OrderField::order;
  bool descending = false;
};

struct OrderQuery {
  std::vector<Filter> filters;
  std::vector<SortKey> sort;         // empty: by order number
  std::vector<OrderField> fields;    // empty: all; what is not asked for stays empty in the rows of a page
  std::size_t limit = page_limit_default;
  std::string cursor;                // "" first page
  std::uint64_t filter_hash = 0;     // of filters and sort, canonical
};

// A wrong parameter: which one, what is wrong, what would be right.
struct ParameterError {
  std::string parameter;
  std::string code;    // unknown-parameter, bad-value, cursor-mismatch, limit
  std::string detail;  // one sentence a person can act on, with "did you mean" where something is near
};

// Reads filters, sort, limit, cursor and fields. `today` resolves relative days. All errors are reported at once.
// Parameters named in `also_known` are left alone (format options and the like).
struct ParsedQuery {
  OrderQuery query;
  std::vector<ParameterError> errors;
};
ParsedQuery parse_order_query(const Parameters& parameters, Day today,
                              std::span<const std::string_view> also_known = {});
// Lets only orders of this salesperson pass, whatever else is asked.
void only_of(OrderQuery& query, std::string salesman);

// One row of the list; texts are views into the Snapshot and live as long as it does.
struct OrderRow {
  std::string_view order, status, customer, customer_name, customer_reference, salesman, revision, format, path, source;
  std::string_view document_status;
  // Written by people; "" nothing.
  std::string_view hold, note, colour;
  std::array<std::string_view, own_columns_max> own;
  std::optional<int> priority;
  Currency currency;
  std::optional<Day> order_date, due, requested, promise;
  std::uint32_t lines = 0;
  std::int64_t quantity = 0, open_quantity = 0;  // micros
  std::int64_t net = 0, tax = 0, freight = 0, total = 0, open_amount = 0;  // minor units of currency
  std::optional<int> lateness_days;  // only while something is open and a due date is known
  bool late = false;
  bool flagged = false;
  std::optional<Instant> updated;  // the document's own stamp
  Instant changed_at;              // when we committed it
  feed::Sequence sequence;         // of its last change
};

struct CurrencySum {
  Currency currency;
  std::uint64_t orders = 0;
  std::uint64_t lines = 0;
  std::int64_t net = 0;
  std::int64_t total = 0;
  std::int64_t open_amount = 0;
  std::uint64_t open_orders = 0;
  std::uint64_t late_orders = 0;
  std::int64_t late_amount = 0;
};

struct OrderPage {
  feed::Sequence as_of;
  Instant as_of_time;
  std::vector<OrderRow> rows;
  std::uint64_t matching = 0;
  std::vector<CurrencySum> sums;  // per currency, over all matching
  std::uint64_t examined = 0;     // rows that were looked at for it: what it cost
  std::string next_cursor;        // "" at the end
  std::string prev_cursor;        // "" at the start
};

// Errors   invalid_input  the cursor belongs to another filter or sort (`cursor-mismatch`) or is not one of ours
Result<OrderPage> orders(const readmodel::Snapshot& snapshot, const OrderQuery& query, Day today);

// Rows `offset` .. `offset + limit` of the same order, for scroll jumps.
Result<OrderPage> orders_window(const readmodel::Snapshot& snapshot, const OrderQuery& query, std::size_t offset,
                                Day today);

// All matching rows in sort order, in blocks, for exports that stream. Stops when `block` answers false.
// Holds the list of matching rows, not the rows.
class OrderCursor {
 public:
  OrderCursor(readmodel::SnapshotPtr snapshot, const OrderQuery& query, Day today);
  ~OrderCursor();
  OrderCursor(OrderCursor&&) noexcept;
  // Up to `limit` further rows; empty at the end.
  std::vector<OrderRow> next(std::size_t limit);
  std::uint64_t matching() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The list row of one order, nothing when the snapshot does not have it.
std::optional<OrderRow> order_row(const readmodel::Snapshot& snapshot, std::string_view number, Day today);
// Whether one order passes the filters: for live deltas.
bool matches(const readmodel::Snapshot& snapshot, std::string_view number, const OrderQuery& query, Day today);

}  // namespace millrace::query
