// The columns of the order list, said once: name, type, title, what may be filtered and sorted. Filters, JSON,
// exports, OpenAPI and the command line follow from these rows.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "domain/overlay.h"

namespace millrace::query {

enum class FieldType { text, number, quantity, money, day, instant, flag };

enum class OrderField {
  order, status, document_status, customer, customer_name, customer_reference, salesman, currency, order_date,
  due, requested, promise, lines, quantity, open_quantity, net, tax, freight, total, open_amount, lateness_days,
  late, updated, changed_at, revision, format, path, source, flagged,
  priority, hold, note, colour, own_first,  // the company's own columns follow one after the other
};
constexpr OrderField own_field(std::size_t number) { return static_cast<OrderField>(static_cast<std::size_t>(OrderField::own_first) + number); }
// Which of the own columns it is, from 0; nothing for all other fields.
constexpr std::optional<std::size_t> own_number(OrderField field) {
  if (field < OrderField::own_first) return std::nullopt;
  return static_cast<std::size_t>(field) - static_cast<std::size_t>(OrderField::own_first);
}

struct FieldRow {
  OrderField field;
  std::string_view name;   // in JSON, filters, sort and exports
  FieldType type;
  std::string_view title;  // for a person: "Open amount"
  bool filter;
  bool sort;
  std::string_view help;
};
std::span<const FieldRow> order_fields();
// The own columns join the catalogue once, before the first question: settings are fixed while a program runs.
// Errors   invalid_input  one of them is named like another field or filter; the text names it
Result<void> set_own_columns(const std::vector<OwnColumn>& columns);

// Filters that look at the lines or the sources of an order rather than at a column of the list.
struct FilterRow {
  std::string_view name;  // item, manufacturer, differences, q
  std::string_view help;
};
std::span<const FilterRow> line_filters();

const FieldRow* find_field(std::string_view name);

}  // namespace millrace::query
