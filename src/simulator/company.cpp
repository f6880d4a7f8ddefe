#include "simulator/company.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace millrace::simulator {
namespace {

__extension__ typedef __int128 Wide;

Micros divide_half_away(Wide numerator, Wide denominator) {
  const Wide half = denominator / 2;
  return static_cast<Micros>(numerator < 0 ? (numerator - half) / denominator : (numerator + half) / denominator);
}

// Whole micros of the smallest coin.
Micros coin(std::string_view currency) { return currency == "JPY" ? one : one / 100; }

// amount / divisor, rounded to whole grains.
Micros rounded(Wide amount, Wide divisor, Micros grain) { return divide_half_away(amount, divisor * grain) * grain; }

bool all_delivered(const Document& order) {
  return std::ranges::all_of(order.lines, [](const Line& line) { return line.closed || line.open <= 0; });
}

// A closed order has no open line, also none that had nothing left to deliver.
void finish(Document& order) {
  order.open = false;
  for (Line& line : order.lines) line.closed = true;
}

}  // namespace

Micros line_total(const Line& line) {
  // Quantity times price is in micros squared, a percentage in 100 times micros.
  return rounded(Wide{line.quantity} * line.price * (Wide{100} * one - line.discount), Wide{100} * one * one,
                 coin(line.currency));
}

Micros open_amount(const Line& line) {
  if (line.closed || line.quantity <= 0 || line.open <= 0) return 0;
  return rounded(Wide{line_total(line)} * line.open, line.quantity, coin(line.currency));
}

Micros price_after_discount(const Line& line) {
  return divide_half_away(Wide{line.price} * (Wide{100} * one - line.discount), Wide{100} * one);
}

Micros to_local(Micros amount, Micros rate) { return rounded(Wide{amount} * rate, one, one / 100); }

Micros document_total(const Document& document) {
  Micros total = document.tax;
  for (const Expense& expense : document.expenses) total += expense.amount;
  for (const Line& line : document.lines) total += line_total(line);
  return total;
}

std::int32_t Company::enter(Document order, Stamp now) {
  // A key is never given twice, not even when its order was removed.
  if (order.entry == 0) order.entry = entry_last_ + 1;
  entry_last_ = std::max(entry_last_, order.entry);
  if (order.number == 0) order.number = order.entry + 50'000;
  order.stamp = now;
  for (const Line& line : order.lines) order.line_last = std::max(order.line_last, line.number);
  const std::int32_t entry = order.entry;
  check(orders.emplace(entry, std::move(order)).second, "an order of the simulated ERP was entered twice");
  note("Orders", std::to_string(entry), "Created");
  return entry;
}

void Company::change_quantity(Document& order, std::size_t line, Micros quantity, Stamp now, Trace trace) {
  Line& changed = order.lines.at(line);
  const Micros delivered = changed.quantity - changed.open;
  changed.quantity = quantity;
  if (!changed.closed) changed.open = std::max<Micros>(0, quantity - delivered);
  leave_trace(order, now, trace, "Updated");
}

void Company::change_price(Document& order, std::size_t line, Micros price, Stamp now, Trace trace) {
  order.lines.at(line).price = price;
  leave_trace(order, now, trace, "Updated");
}

void Company::change_due_day(Document& order, std::int32_t day, Stamp now, Trace trace) {
  const std::int32_t shift = day - order.due_day;
  order.due_day = day;
  for (Line& line : order.lines) line.ship_day += shift;
  leave_trace(order, now, trace, "Updated");
}

void Company::change_reference(Document& order, std::string reference, Stamp now, Trace trace) {
  order.reference = std::move(reference);
  leave_trace(order, now, trace, "Updated");
}

void Company::deliver(Document& order, std::size_t line, Micros quantity, Stamp now, Trace trace) {
  Line& delivered = order.lines.at(line);
  delivered.open = std::max<Micros>(0, delivered.open - quantity);
  if (delivered.open == 0) delivered.closed = true;
  const bool done = all_delivered(order);
  if (done) finish(order);
  leave_trace(order, now, trace, done ? "Closed" : "Updated");
}

void Company::close(Document& order, Stamp now, Trace trace) {
  order.open = false;
  // Closed by hand: the open quantity of a line may stay above zero, and means nothing then.
  for (Line& line : order.lines) line.closed = true;
  leave_trace(order, now, trace, "Closed");
}

void Company::cancel(Document& order, Stamp now, Trace trace) {
  order.cancelled = true;
  order.open = false;
  for (Line& line : order.lines) line.closed = true;
  leave_trace(order, now, trace, "Canceled");
}

void Company::remove_line(Document& order, std::size_t line, Stamp now, Trace trace) {
  check(order.lines.size() > 1, "an order keeps at least one line");
  order.lines.erase(order.lines.begin() + static_cast<std::ptrdiff_t>(line));
  if (order.open && all_delivered(order)) finish(order);
  leave_trace(order, now, trace, "Updated");
}

void Company::add_line(Document& order, Line line, Stamp now, Trace trace) {
  line.number = ++order.line_last;
  order.lines.push_back(std::move(line));
  leave_trace(order, now, trace, "Updated");
}

bool Company::reopen(Document& order, Stamp now, Trace trace) {
  const auto undelivered = [](const Line& line) { return line.open > 0; };
  if (order.open || order.cancelled || std::ranges::none_of(order.lines, undelivered)) return false;
  order.open = true;
  for (Line& line : order.lines) line.closed = !undelivered(line);
  leave_trace(order, now, trace, "Reopened");
  return true;
}

std::int32_t Company::enter_again(std::int32_t entry, Stamp now) {
  Document order = orders.at(entry);
  remove(entry);
  order.entry = 0;  // a key is never given twice
  return enter(std::move(order), now);
}

void Company::touch(Document& order, Stamp now) { leave_trace(order, now, Trace::stamped, "Updated"); }

void Company::remove(std::int32_t entry) {
  check(orders.erase(entry) == 1, "an order of the simulated ERP was removed twice");
  note("Orders", std::to_string(entry), "Deleted");
}

void Company::rename_item(std::string_view code, std::string name, Stamp now) {
  Item& item = items.find(code)->second;
  item.name = std::move(name);
  item.stamp = now;
  ++item.version;
  note("Items", item.code, "Updated");
}

void Company::move_item(std::string_view code, std::int32_t manufacturer, Stamp now) {
  Item& item = items.find(code)->second;
  item.manufacturer = manufacturer;
  item.stamp = now;
  ++item.version;
  note("Items", item.code, "Updated");
}

void Company::rename_manufacturer(std::int32_t code, std::string name) {
  manufacturers.at(code).name = std::move(name);
}

void Company::rename_partner(std::string_view code, std::string name, Stamp now) {
  Partner& partner = partners.find(code)->second;
  partner.name = std::move(name);
  partner.stamp = now;
  ++partner.version;
  note("BusinessPartners", partner.code, "Updated");
}

std::string Company::manufacturer_of(std::string_view item_code) const {
  const auto item = items.find(item_code);
  if (item == items.end()) return "";
  const auto manufacturer = manufacturers.find(item->second.manufacturer);
  return manufacturer == manufacturers.end() ? "" : manufacturer->second.name;
}

std::deque<Event> Company::take_events() { return std::exchange(events_, {}); }

void Company::leave_trace(Document& order, Stamp now, Trace trace, std::string_view transaction_type) {
  if (trace == Trace::stamped) order.stamp = now;
  if (trace != Trace::silent) ++order.version;
  if (trace == Trace::stamped) note("Orders", std::to_string(order.entry), transaction_type);
}

void Company::note(std::string_view set, std::string key, std::string_view transaction_type) {
  events_.push_back({++event_last_, std::string(set), std::move(key), std::string(transaction_type)});
  if (events_.size() > events_max) events_.pop_front();
}

}  // namespace millrace::simulator
