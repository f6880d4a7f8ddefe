#include "query/internal/rows.h"

#include <algorithm>

#include "query/internal/order_filter.h"

namespace millrace::query::internal {

using readmodel::chunk_rows;
using readmodel::KeptGroup;
using readmodel::OrderChunk;
using readmodel::Vocabulary;

namespace {

std::optional<Day> day_of(std::int32_t number) {
  return number == readmodel::no_day ? std::optional<Day>() : std::optional<Day>(day_from_number(number));
}
Instant instant_of(std::int64_t value) { return Instant(std::chrono::milliseconds(value)); }

void fill_words(OrderRow& row, const readmodel::Snapshot& snapshot, const OrderChunk& chunk, std::size_t i, FieldSet wanted) {
  const auto word = [&](OrderField field, std::string_view& to, Vocabulary vocabulary, readmodel::Code code) {
    if (wanted.has(field)) to = snapshot.words(vocabulary).text(code);
  };
  word(OrderField::status, row.status, Vocabulary::status, chunk.status[i]);
  word(OrderField::customer, row.customer, Vocabulary::customer, chunk.customer[i]);
  word(OrderField::customer_name, row.customer_name, Vocabulary::customer_name, chunk.customer_name[i]);
  word(OrderField::salesman, row.salesman, Vocabulary::salesman, chunk.salesman[i]);
  word(OrderField::revision, row.revision, Vocabulary::revision, chunk.revision[i]);
  word(OrderField::format, row.format, Vocabulary::format, chunk.format[i]);
  word(OrderField::source, row.source, Vocabulary::source, chunk.source[i]);
  if (wanted.has(OrderField::document_status)) row.document_status = millrace::word(static_cast<DocumentStatus>(chunk.document_status[i]));
}

// What people wrote stands in the record of the few orders that have it.
void fill_overlay(OrderRow& row, const OrderChunk& chunk, std::size_t i, FieldSet wanted) {
  if ((chunk.bits[i] & readmodel::order_has_overlay) == 0) return;
  const auto text = [&](OrderField field, std::string_view& to) {
    if (wanted.has(field)) to = overlay_text(chunk, i, field);
  };
  text(OrderField::hold, row.hold), text(OrderField::note, row.note), text(OrderField::colour, row.colour);
  for (std::size_t own = 0; own < own_columns_max; ++own) text(own_field(own), row.own[own]);
  if (wanted.has(OrderField::priority)) row.priority = overlay_priority(chunk, i);
}

}  // namespace

std::string_view overlay_text(const OrderChunk& chunk, std::size_t row, OrderField field) {
  const std::span<const FieldRow> fields = order_fields();
  const auto place = static_cast<std::size_t>(field);
  return place < fields.size() ? readmodel::overlay_text(chunk, row, fields[place].name) : std::string_view();
}

std::optional<int> overlay_priority(const OrderChunk& chunk, std::size_t row) {
  const std::string_view text = readmodel::overlay_text(chunk, row, overlay_field::priority);
  return text.empty() ? std::nullopt : std::optional(text.front() - '0');
}

OrderRow make_row(const readmodel::Snapshot& snapshot, readmodel::RowId id, std::int32_t today, FieldSet wanted) {
  const OrderChunk& chunk = snapshot.chunk_of(id);
  const std::size_t i = id % chunk_rows;
  OrderRow row;
  row.order = chunk.number(i);
  if (wanted.has(OrderField::customer_reference)) row.customer_reference = chunk.reference(i);
  if (wanted.has(OrderField::path)) row.path = chunk.path(i);
  fill_words(row, snapshot, chunk, i, wanted);
  row.currency = Currency::from_packed(chunk.currency[i]);
  row.sequence = feed::Sequence{chunk.sequence[i]};
  if (wanted.has(OrderField::order_date)) row.order_date = day_of(chunk.order_date[i]);
  if (wanted.has(OrderField::due)) row.due = day_of(chunk.due[i]);
  if (wanted.has(OrderField::requested)) row.requested = day_of(chunk.requested[i]);
  if (wanted.has(OrderField::promise)) row.promise = day_of(chunk.promise[i]);
  if (wanted.has(OrderField::lines)) row.lines = chunk.lines[i];
  if (wanted.has(OrderField::quantity)) row.quantity = chunk.quantity[i];
  if (wanted.has(OrderField::open_quantity)) row.open_quantity = chunk.open_quantity[i];
  if (wanted.has(OrderField::net)) row.net = chunk.net[i];
  if (wanted.has(OrderField::tax)) row.tax = chunk.tax[i];
  if (wanted.has(OrderField::freight)) row.freight = chunk.freight[i];
  if (wanted.has(OrderField::total)) row.total = chunk.total[i];
  if (wanted.has(OrderField::open_amount)) row.open_amount = chunk.open_amount[i];
  const bool can_be_late = chunk.open_amount[i] > 0 && chunk.due[i] != readmodel::no_day;
  if (wanted.has(OrderField::lateness_days) && can_be_late) row.lateness_days = today - chunk.due[i];
  if (wanted.has(OrderField::late)) row.late = is_late(chunk, i, today);
  if (wanted.has(OrderField::flagged)) row.flagged = chunk.flagged[i] != 0;
  fill_overlay(row, chunk, i, wanted);
  if (wanted.has(OrderField::updated) && chunk.updated[i] != readmodel::no_instant) row.updated = instant_of(chunk.updated[i]);
  if (wanted.has(OrderField::changed_at)) row.changed_at = instant_of(chunk.changed_at[i]);
  return row;
}

namespace {
void add_to(std::int64_t& sum, std::int64_t amount) {
  sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(amount));
}
}  // namespace

// Once per matching row of every filtered answer: plain additions in place.
void CurrencyTotal::add_order(const OrderChunk& chunk, std::size_t row, std::int32_t today) {
  const std::int64_t open = chunk.open_amount[row];
  sum.orders += 1;
  sum.lines += chunk.lines[row];
  sum.open_orders += open > 0 ? 1 : 0;
  add_to(sum.net, chunk.net[row]);
  add_to(sum.total, chunk.total[row]);
  add_to(sum.open_amount, open);
  if (is_late(chunk, row, today)) add_late(1, open);
}

void CurrencyTotal::add_late(std::uint64_t orders, std::int64_t amount) {
  late_orders += orders;
  add_to(late_amount, amount);
}

// Asked for every row: currencies are few, so each mostly has a slot of its own.
CurrencyTotal& CurrencySums::of(std::uint32_t currency) {
  std::uint32_t& slot = slots_[(currency * 0x9E3779B1u) >> 27];
  if (slot < totals_.size() && totals_[slot].first == currency) return totals_[slot].second;
  for (slot = 0; slot < totals_.size(); ++slot)
    if (totals_[slot].first == currency) return totals_[slot].second;
  return totals_.emplace_back(currency, CurrencyTotal()).second;
}

void CurrencySums::add(std::uint32_t currency, const CurrencyTotal& total) {
  CurrencyTotal& to = of(currency);
  to.add(total.sum);
  to.add_late(total.late_orders, total.late_amount);
}

std::vector<CurrencySum> CurrencySums::sorted() const {
  std::vector<CurrencySum> out;
  out.reserve(totals_.size());
  for (const auto& [currency, total] : totals_) {
    out.push_back({.currency = Currency::from_packed(currency),
                   .orders = total.sum.orders,
                   .lines = total.sum.lines,
                   .net = total.sum.net,
                   .total = total.sum.total,
                   .open_amount = total.sum.open_amount,
                   .open_orders = total.sum.open_orders,
                   .late_orders = total.late_orders,
                   .late_amount = total.late_amount});
  }
  std::sort(out.begin(), out.end(),
            [](const CurrencySum& left, const CurrencySum& right) { return left.currency.code() < right.currency.code(); });
  return out;
}

CurrencySums all_sums(const readmodel::Snapshot& snapshot, std::int32_t today) {
  CurrencySums sums;
  for (const auto& block : snapshot.kept(KeptGroup::status)) {
    if (block == nullptr) continue;
    for (const auto& entry : block->entries) sums.add(entry.currency, entry.sum);
  }
  for (const auto& block : snapshot.kept(KeptGroup::due_day)) {
    if (block == nullptr) continue;
    for (const auto& entry : block->entries) {
      const auto due = static_cast<std::int32_t>(entry.key);
      if (due != readmodel::no_day && due < today) sums.add_late(entry.currency, entry.sum.open_orders, entry.sum.open_orders_amount);
    }
  }
  return sums;
}

}  // namespace millrace::query::internal
