#include "query/internal/rows.h"

#include <algorithm>

#include "query/internal/order_filter.h"

namespace millrace::query::internal {

using readmodel::chunk_rows;
using readmodel::KeptGroup;
using readmodel::OrderChunk;
using readmodel::Vocabulary;

OrderRow make_row(const readmodel::Snapshot& snapshot, readmodel::RowId id, std::int32_t today) {
  const OrderChunk& chunk = snapshot.chunk_of(id);
  const std::size_t i = id % chunk_rows;
  const auto text = [&](Vocabulary vocabulary, readmodel::Code code) { return snapshot.words(vocabulary).text(code); };
  const auto day = [](std::int32_t number) {
    return number == readmodel::no_day ? std::optional<Day>() : std::optional<Day>(day_from_number(number));
  };
  const auto instant = [](std::int64_t value) { return Instant(std::chrono::milliseconds(value)); };
  OrderRow row;
  row.order = chunk.number(i);
  row.customer_reference = chunk.reference(i);
  row.path = chunk.path(i);
  row.status = text(Vocabulary::status, chunk.status[i]);
  row.customer = text(Vocabulary::customer, chunk.customer[i]);
  row.customer_name = text(Vocabulary::customer_name, chunk.customer_name[i]);
  row.salesman = text(Vocabulary::salesman, chunk.salesman[i]);
  row.revision = text(Vocabulary::revision, chunk.revision[i]);
  row.format = text(Vocabulary::format, chunk.format[i]);
  row.source = text(Vocabulary::source, chunk.source[i]);
  row.document_status = millrace::word(static_cast<DocumentStatus>(chunk.document_status[i]));
  row.currency = Currency::from_packed(chunk.currency[i]);
  row.order_date = day(chunk.order_date[i]);
  row.due = day(chunk.due[i]);
  row.requested = day(chunk.requested[i]);
  row.promise = day(chunk.promise[i]);
  row.lines = chunk.lines[i];
  row.quantity = chunk.quantity[i];
  row.open_quantity = chunk.open_quantity[i];
  row.net = chunk.net[i];
  row.tax = chunk.tax[i];
  row.freight = chunk.freight[i];
  row.total = chunk.total[i];
  row.open_amount = chunk.open_amount[i];
  if (row.due && row.open_amount > 0) row.lateness_days = today - chunk.due[i];
  row.late = is_late(chunk, i, today);
  row.flagged = chunk.flagged[i] != 0;
  if (chunk.updated[i] != readmodel::no_instant) row.updated = instant(chunk.updated[i]);
  row.changed_at = instant(chunk.changed_at[i]);
  row.sequence = feed::Sequence{chunk.sequence[i]};
  return row;
}

CurrencySums::Entry& CurrencySums::of(std::uint32_t currency) {
  // Most neighbours share their currency.
  if (latest_ < sums_.size() && sums_[latest_].currency == currency) return sums_[latest_];
  for (latest_ = 0; latest_ < sums_.size(); ++latest_)
    if (sums_[latest_].currency == currency) return sums_[latest_];
  sums_.push_back({.currency = currency, .sum = {}});
  return sums_.back();
}

// Once per matching row of every filtered answer: plain additions in place. They wrap as the kept sums do.
void CurrencySums::add_order(const OrderChunk& chunk, std::size_t row, std::int32_t today) {
  const auto add_to = [](std::int64_t& sum, std::int64_t amount) {
    sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(amount));
  };
  const std::int64_t open = chunk.open_amount[row];
  Entry& entry = of(chunk.currency[row]);
  entry.sum.orders += 1;
  entry.sum.lines += chunk.lines[row];
  entry.sum.open_orders += open > 0 ? 1 : 0;
  add_to(entry.sum.net, chunk.net[row]);
  add_to(entry.sum.total, chunk.total[row]);
  add_to(entry.sum.open_amount, open);
  if (is_late(chunk, row, today)) {
    entry.late_orders += 1;
    add_to(entry.late_amount, open);
  }
}

void CurrencySums::add(std::uint32_t currency, const readmodel::Sum& sum) { of(currency).sum.add(sum); }

void CurrencySums::add_late(std::uint32_t currency, std::uint64_t orders, std::int64_t amount) {
  Entry& entry = of(currency);
  entry.late_orders += orders;
  entry.late_amount = static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.late_amount) + static_cast<std::uint64_t>(amount));
}

void CurrencySums::add(const CurrencySums& other) {
  for (const Entry& entry : other.sums_) {
    add(entry.currency, entry.sum);
    add_late(entry.currency, entry.late_orders, entry.late_amount);
  }
}

std::vector<CurrencySum> CurrencySums::sorted() const {
  std::vector<CurrencySum> out;
  for (const Entry& entry : sums_) {
    out.push_back({.currency = Currency::from_packed(entry.currency),
                   .orders = entry.sum.orders,
                   .lines = entry.sum.lines,
                   .net = entry.sum.net,
                   .total = entry.sum.total,
                   .open_amount = entry.sum.open_amount,
                   .open_orders = entry.sum.open_orders,
                   .late_orders = entry.late_orders,
                   .late_amount = entry.late_amount});
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
