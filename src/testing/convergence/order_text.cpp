#include "testing/convergence/order_text.h"

#include "base/time.h"
#include "domain/decimal.h"

namespace millrace::testing {
namespace {

// "7 | A00001 Item 1 (Maker 2) | 4 of 10 open at 12.5 - 5 % = 1200 EUR | due 2026-03-02 | open"
struct LineWords {
  std::int64_t number = 0;
  std::string item, name, manufacturer, unit;
  std::int64_t open = 0, ordered = 0, price = 0, discount = 0, total = 0;
  std::string due;
  bool is_open = false;
};

std::string text_of(const LineWords& line) {
  const auto micros = [](std::int64_t value) { return shortest_text(Decimal{value, 6}); };
  return "\n    " + std::to_string(line.number) + " | " + line.item + " " + line.name + " (" + line.manufacturer +
         ") | " + micros(line.open) + " of " + micros(line.ordered) + " " + line.unit + " open at " +
         micros(line.price) + " - " + micros(line.discount) + " % = " + std::to_string(line.total) + " | due " +
         line.due + " | " + (line.is_open ? "open" : "closed");
}

std::string day_text(std::int32_t day) { return day == 0 ? "" : iso(day_from_number(day)); }
std::string day_text(const std::optional<Day>& day) { return day ? iso(*day) : ""; }

}  // namespace

std::string order_text(const simulator::Document& order, const simulator::Truth& truth) {
  const std::string status = order.cancelled ? "Cancelled" : order.open ? "Open" : "Closed";
  std::string text = std::to_string(order.number) + " key " + std::to_string(order.entry) + " | " + status + " | " +
                     order.card_code + " " + order.card_name + " | " + order.reference.value_or("") + " | " +
                     order.currency + " | " + day_text(order.posted_day) + " to " + day_text(order.due_day);
  const std::int64_t minor = order.currency == "JPY" ? 1'000'000 : 10'000;
  for (const simulator::Line& line : order.lines) {
    const auto maker = truth.manufacturer_of_item.find(line.item_code);
    text += text_of({.number = line.number + 1,
                     .item = line.item_code,
                     .name = line.description,
                     .manufacturer = order.open && maker != truth.manufacturer_of_item.end() ? maker->second : "",
                     .unit = line.unit,
                     .open = order.open && !line.closed ? line.open : 0,
                     .ordered = line.quantity,
                     .price = line.price,
                     .discount = line.discount,
                     .total = line_total(line) / minor,
                     .due = day_text(line.ship_day),
                     .is_open = order.open && !line.closed});
  }
  return text;
}

std::string order_text(const SalesOrder& order) {
  std::string text = order.number.text + " key " + order.source_key + " | " + order.status + " | " +
                     order.customer_code + " " + order.customer_name + " | " + order.customer_reference + " | " +
                     order.currency.code() + " | " + day_text(order.order_date) + " to " +
                     day_text(order.requested_date);
  for (const OrderLine& line : order.lines) {
    text += text_of({.number = line.line_number,
                     .item = line.item_code,
                     .name = line.item_name,
                     .manufacturer = order.status == "Open" ? line.manufacturer : "",
                     .unit = line.unit,
                     .open = line.quantity_open.micros,
                     .ordered = line.quantity_ordered.micros,
                     .price = line.unit_price.micros,
                     .discount = line.discount.micros,
                     .total = line.line_total,
                     .due = day_text(line.requested_date),
                     .is_open = line.status == LineStatus::open});
  }
  return text;
}

}  // namespace millrace::testing
