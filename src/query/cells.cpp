#include "query/cells.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::query {

namespace {

Cell cell_of(FieldType type, std::string text, std::int64_t number = 0) {
  Cell cell;
  cell.type = type;
  cell.text = std::move(text);
  cell.number = number;
  return cell;
}

}  // namespace

Cell text_cell(std::string_view text) { return cell_of(FieldType::text, std::string(text)); }

Cell number_cell(std::optional<std::int64_t> number) {
  return cell_of(FieldType::number, number ? std::to_string(*number) : std::string(), number.value_or(0));
}

Cell quantity_cell(std::int64_t micros) {
  return cell_of(FieldType::quantity, decimal_text(Quantity{micros}), micros);
}

Cell money_cell(const Money& money) {
  Cell cell = cell_of(FieldType::money, decimal_text(money), money.minor);
  cell.currency = money.currency;
  return cell;
}

Cell day_cell(const std::optional<Day>& day) {
  Cell cell = cell_of(FieldType::day, day ? iso(*day) : std::string());
  cell.day = day;
  return cell;
}

Cell instant_cell(const std::optional<Instant>& instant) {
  Cell cell = cell_of(FieldType::instant, instant ? rfc3339(*instant) : std::string());
  cell.instant = instant;
  return cell;
}

Cell flag_cell(bool flag) { return cell_of(FieldType::flag, flag ? "true" : "false", flag ? 1 : 0); }

Cell order_cell(const OrderRow& row, OrderField field) {
  const auto money = [&](std::int64_t minor) { return money_cell(Money{minor, row.currency}); };
  switch (field) {
    case OrderField::order: return text_cell(row.order);
    case OrderField::status: return text_cell(row.status);
    case OrderField::document_status: return text_cell(row.document_status);
    case OrderField::customer: return text_cell(row.customer);
    case OrderField::customer_name: return text_cell(row.customer_name);
    case OrderField::customer_reference: return text_cell(row.customer_reference);
    case OrderField::salesman: return text_cell(row.salesman);
    case OrderField::currency: return text_cell(row.currency.code());
    case OrderField::order_date: return day_cell(row.order_date);
    case OrderField::due: return day_cell(row.due);
    case OrderField::requested: return day_cell(row.requested);
    case OrderField::promise: return day_cell(row.promise);
    case OrderField::lines: return number_cell(row.lines);
    case OrderField::quantity: return quantity_cell(row.quantity);
    case OrderField::open_quantity: return quantity_cell(row.open_quantity);
    case OrderField::net: return money(row.net);
    case OrderField::tax: return money(row.tax);
    case OrderField::freight: return money(row.freight);
    case OrderField::total: return money(row.total);
    case OrderField::open_amount: return money(row.open_amount);
    case OrderField::lateness_days: return number_cell(row.lateness_days);
    case OrderField::late: return flag_cell(row.late);
    case OrderField::updated: return instant_cell(row.updated);
    case OrderField::changed_at: return instant_cell(row.changed_at);
    case OrderField::revision: return text_cell(row.revision);
    case OrderField::format: return text_cell(row.format);
    case OrderField::path: return text_cell(printable(row.path));
    case OrderField::source: return text_cell(row.source);
    case OrderField::flagged: return flag_cell(row.flagged);
    case OrderField::priority: return number_cell(row.priority);
    case OrderField::hold: return text_cell(row.hold);
    case OrderField::note: return text_cell(row.note);
    case OrderField::colour: return text_cell(row.colour);
    default: break;
  }
  const auto own = own_number(field);
  return own && *own < row.own.size() ? text_cell(row.own[*own]) : Cell();
}

std::vector<const FieldRow*> list_columns(const OrderQuery& query) {
  std::vector<const FieldRow*> columns;
  for (const FieldRow& field : order_fields()) {
    const bool wanted = query.fields.empty() || field.field == OrderField::order ||
                        std::find(query.fields.begin(), query.fields.end(), field.field) != query.fields.end();
    if (wanted) columns.push_back(&field);
  }
  return columns;
}

void append_csv_text(std::string& out, std::string_view text, const CsvStyle& style) {
  const bool formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
  const bool doubtful = formula || text.find_first_of("\t;,") != std::string_view::npos || text.starts_with(' ') ||
                        text.ends_with(' ') || text.starts_with('#');
  const bool quote = text.find_first_of("\"\r\n") != std::string_view::npos ||
                     text.find(style.separator) != std::string_view::npos || (doubtful && style.quote_doubtful);
  if (quote) out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';  // a quote always asks for quotes around it
    out += c;
  }
  if (quote) out += '"';
}

void append_csv_cell(std::string& out, const Cell& cell, const CsvStyle& style) {
  switch (cell.type) {
    case FieldType::text:
      append_csv_text(out, cell.text, style);
      return;
    case FieldType::money:
    case FieldType::quantity: {
      std::string text = cell.text;
      if (style.decimal != '.') std::replace(text.begin(), text.end(), '.', style.decimal);
      const bool quote = text.find(style.separator) != std::string::npos;
      if (quote) out += '"';
      out += text;
      if (quote) out += '"';
      return;
    }
    case FieldType::number:
    case FieldType::day:
    case FieldType::instant:
    case FieldType::flag:
      out += cell.text;
      return;
  }
}

}  // namespace millrace::query
