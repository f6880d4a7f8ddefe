#include "query/internal/ranking.h"

#include "base/text.h"
#include "query/internal/order_filter.h"
#include "query/internal/rows.h"

namespace millrace::query::internal {
namespace {

using readmodel::chunk_rows;
using readmodel::OrderChunk;
using readmodel::RowId;
using readmodel::Vocabulary;

bool is_text(OrderField field) { return order_fields()[static_cast<std::size_t>(field)].type == FieldType::text; }

std::uint64_t number_key(bool absent, std::int64_t number, bool descending) {
  if (absent) return ~std::uint64_t{0};
  const std::uint64_t key = static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63);
  return descending ? ~key : key;
}
std::uint64_t text_key(std::uint64_t natural, bool descending) { return descending ? ~natural : natural; }

int compare_text(std::string_view left, std::string_view right) {
  if (left == right) return 0;
  return natural_less(left, right) ? -1 : 1;
}

}  // namespace

Ranking::Ranking(const readmodel::Snapshot& snapshot, std::span<const SortKey> sort, Day today)
    : snapshot_(snapshot), sort_(sort.begin(), sort.end()), today_(day_number(today)) {
  if (sort_.empty()) sort_.push_back(SortKey{});
}

Ranking::View Ranking::view(OrderField field, const OrderChunk& chunk, std::size_t row, std::string& scratch) const {
  const auto word = [&](Vocabulary vocabulary, readmodel::Code code) {
    return View{.text = snapshot_.words(vocabulary).folded(code)};
  };
  const auto day = [](std::int32_t number) { return View{.absent = number == readmodel::no_day, .number = number, .text = {}}; };
  const auto number = [](std::int64_t value) { return View{.number = value, .text = {}}; };
  const auto folded = [&](std::string_view text) { return View{.text = scratch = search_fold(text)}; };
  switch (field) {
    case OrderField::order: return View{.text = chunk.number(row)};
    case OrderField::status: return word(Vocabulary::status, chunk.status[row]);
    case OrderField::document_status: return folded(millrace::word(static_cast<DocumentStatus>(chunk.document_status[row])));
    case OrderField::customer: return word(Vocabulary::customer, chunk.customer[row]);
    case OrderField::customer_name: return word(Vocabulary::customer_name, chunk.customer_name[row]);
    case OrderField::customer_reference: return folded(chunk.reference(row));
    case OrderField::salesman: return word(Vocabulary::salesman, chunk.salesman[row]);
    case OrderField::currency: return folded(Currency::from_packed(chunk.currency[row]).code());
    case OrderField::order_date: return day(chunk.order_date[row]);
    case OrderField::due: return day(chunk.due[row]);
    case OrderField::requested: return day(chunk.requested[row]);
    case OrderField::promise: return day(chunk.promise[row]);
    case OrderField::lines: return number(chunk.lines[row]);
    case OrderField::quantity: return number(chunk.quantity[row]);
    case OrderField::open_quantity: return number(chunk.open_quantity[row]);
    case OrderField::net: return number(chunk.net[row]);
    case OrderField::tax: return number(chunk.tax[row]);
    case OrderField::freight: return number(chunk.freight[row]);
    case OrderField::total: return number(chunk.total[row]);
    case OrderField::open_amount: return number(chunk.open_amount[row]);
    case OrderField::lateness_days: {
      const bool none = chunk.open_amount[row] <= 0 || chunk.due[row] == readmodel::no_day;
      return View{.absent = none, .number = none ? 0 : std::int64_t{today_} - chunk.due[row], .text = {}};
    }
    case OrderField::late: return number(is_late(chunk, row, today_) ? 1 : 0);
    case OrderField::updated:
      return View{.absent = chunk.updated[row] == readmodel::no_instant, .number = chunk.updated[row], .text = {}};
    case OrderField::changed_at: return number(chunk.changed_at[row]);
    case OrderField::revision: return word(Vocabulary::revision, chunk.revision[row]);
    case OrderField::format: return word(Vocabulary::format, chunk.format[row]);
    case OrderField::path: return folded(chunk.path(row));
    case OrderField::source: return word(Vocabulary::source, chunk.source[row]);
    case OrderField::flagged: return number(chunk.flagged[row]);
    case OrderField::priority: {
      const auto priority = overlay_priority(chunk, row);
      return View{.absent = !priority, .number = priority.value_or(0), .text = {}};
    }
    default: break;
  }
  return folded(overlay_text(chunk, row, field));
}

// The common sort columns take the short road; the others go over their value.
std::uint64_t Ranking::key(const OrderChunk& chunk, std::size_t row) const {
  const auto [field, descending] = sort_.front();
  const auto word = [&](Vocabulary vocabulary, readmodel::Code code) {
    return text_key(snapshot_.words(vocabulary).sort_key(code), descending);
  };
  switch (field) {
    case OrderField::order: return text_key(chunk.number_key[row], descending);
    case OrderField::status: return word(Vocabulary::status, chunk.status[row]);
    case OrderField::customer: return word(Vocabulary::customer, chunk.customer[row]);
    case OrderField::customer_name: return word(Vocabulary::customer_name, chunk.customer_name[row]);
    case OrderField::salesman: return word(Vocabulary::salesman, chunk.salesman[row]);
    case OrderField::due: return number_key(chunk.due[row] == readmodel::no_day, chunk.due[row], descending);
    case OrderField::open_amount: return number_key(false, chunk.open_amount[row], descending);
    case OrderField::total: return number_key(false, chunk.total[row], descending);
    case OrderField::updated:
      return number_key(chunk.updated[row] == readmodel::no_instant, chunk.updated[row], descending);
    default: break;
  }
  std::string scratch;
  const View value = view(field, chunk, row, scratch);
  if (is_text(field)) return text_key(readmodel::natural_key(value.text), descending);
  return number_key(value.absent, value.number, descending);
}

RankedRow Ranking::ranked(RowId row) const { return {key(snapshot_.chunk_of(row), row % chunk_rows), row}; }

int Ranking::compare(const SortKey& sort, const View& left, const View& right) const {
  if (is_text(sort.field)) {
    const int order = compare_text(left.text, right.text);
    return sort.descending ? -order : order;
  }
  if (left.absent || right.absent) return int{left.absent} - int{right.absent};
  const int order = (left.number > right.number) - (left.number < right.number);
  return sort.descending ? -order : order;
}

bool Ranking::less(const RankedRow& left, const RankedRow& right) const {
  if (left.key != right.key) return left.key < right.key;
  if (left.row == right.row) return false;
  const OrderChunk& a = snapshot_.chunk_of(left.row);
  const OrderChunk& b = snapshot_.chunk_of(right.row);
  const std::size_t i = left.row % chunk_rows, j = right.row % chunk_rows;
  std::string scratch_left, scratch_right;
  // Keys of numbers and days say everything; equal keys of texts may hide a difference further on.
  const std::size_t first = is_text(sort_.front().field) ? 0 : 1;
  for (const SortKey& sort : std::span(sort_).subspan(first)) {
    if (sort.field == OrderField::order && a.number_key[i] != b.number_key[j])
      return (a.number_key[i] < b.number_key[j]) != sort.descending;
    const int order = compare(sort, view(sort.field, a, i, scratch_left), view(sort.field, b, j, scratch_right));
    if (order != 0) return order < 0;
  }
  if (a.number_key[i] != b.number_key[j]) return a.number_key[i] < b.number_key[j];
  return natural_less(a.number(i), b.number(j));
}

Position Ranking::position(RowId row) const {
  const OrderChunk& chunk = snapshot_.chunk_of(row);
  Position position;
  std::string scratch;
  for (const SortKey& sort : sort_) {
    const View value = view(sort.field, chunk, row % chunk_rows, scratch);
    position.values.push_back({value.absent, value.absent ? 0 : value.number, std::string(value.text)});
  }
  position.number = chunk.number(row % chunk_rows);
  return position;
}

std::uint64_t Ranking::key(const Position& position) const {
  const SortValue& first = position.values.front();
  const auto [field, descending] = sort_.front();
  if (is_text(field)) return text_key(readmodel::natural_key(first.text), descending);
  return number_key(first.absent, first.number, descending);
}

int Ranking::compare(const RankedRow& row, const Position& position, std::uint64_t position_key) const {
  if (row.key != position_key) return row.key < position_key ? -1 : 1;
  const OrderChunk& chunk = snapshot_.chunk_of(row.row);
  std::string scratch;
  for (std::size_t i = 0; i < sort_.size(); ++i) {
    const SortValue& value = position.values[i];
    const int order = compare(sort_[i], view(sort_[i].field, chunk, row.row % chunk_rows, scratch),
                              View{value.absent, value.number, value.text});
    if (order != 0) return order;
  }
  return compare_text(chunk.number(row.row % chunk_rows), position.number);
}

}  // namespace millrace::query::internal
