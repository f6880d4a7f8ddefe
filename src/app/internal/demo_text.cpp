// JSON in the shape of the SAP Business One Service Layer, and CSV with one row per line.
#include <array>
#include <charconv>

#include "app/internal/demo_formats.h"
#include "base/json_writer.h"
#include "domain/order_rules.h"

namespace millrace::app::internal {
namespace {

// Pretty JSON as exports write it: two blanks per level, one field per line.
class PrettyJson {
 public:
  void begin(std::string_view name, char bracket) {
    if (depth_ > 0) start(name);
    text_ += bracket;
    ++depth_;
    first_ = true;
  }
  void end(char bracket) {
    --depth_;
    if (!first_) new_line();
    text_ += bracket;
    first_ = false;
  }
  void text(std::string_view name, std::string_view value) {
    start(name);
    append_json_text(text_, value);
  }
  void number(std::string_view name, std::string_view value) {
    start(name);
    text_ += value;
  }
  std::string take() { return std::move(text_) + "\n"; }

 private:
  void new_line() {
    text_ += '\n';
    text_.append(2 * depth_, ' ');
  }
  void start(std::string_view name) {
    if (!first_) text_ += ',';
    first_ = false;
    new_line();
    if (name.empty()) return;
    append_json_text(text_, name);
    text_ += ": ";
  }

  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

std::string amount(std::int64_t minor, Currency currency) { return decimal_text(Money{minor, currency}); }
std::string day_text(const std::optional<Day>& day) { return day ? iso(*day) : ""; }

void add_line(PrettyJson& json, const OrderLine& line, const SalesOrder& order) {
  json.begin("", '{');
  json.number("LineNum", std::to_string(line.line_number - 1));
  json.text("ItemCode", line.item_code);
  json.text("ItemDescription", line.item_name);
  json.text("FirmName", line.manufacturer);
  json.number("Quantity", decimal_text(line.quantity_ordered));
  json.text("MeasureUnit", line.unit);
  json.text("ShipDate", day_text(line.requested_date));
  json.number("UnitPrice", decimal_text(line.unit_price));
  json.text("Currency", order.currency.code());
  json.number("DiscountPercent", decimal_text(line.discount));
  json.number("LineTotal", amount(line.line_total, order.currency));
  json.number("RemainingOpenQuantity", decimal_text(line.quantity_open));
  json.number("OpenAmount", amount(line.open_amount, order.currency));
  json.text("LineStatus", line.status == LineStatus::open ? "bost_Open" : "bost_Close");
  json.text("U_Cancelled", line.status == LineStatus::cancelled ? "Y" : "N");
  json.text("WarehouseCode", line.warehouse_code);
  json.end('}');
}

std::string with_comma(std::string text, bool german) {
  if (german) {
    if (const auto point = text.find('.'); point != std::string::npos) text[point] = ',';
  }
  return text;
}

std::string csv_day(const std::optional<Day>& day, bool german) {
  const std::string text = day_text(day);
  if (!german || text.size() != 10) return text;
  return text.substr(8, 2) + "." + text.substr(5, 2) + "." + text.substr(0, 4);
}

std::string csv_field(std::string_view text, char separator) {
  if (text.find_first_of(std::string("\"\r\n") + separator) == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

constexpr std::array<std::string_view, 27> english_heads = {
    "OrderNo",  "Revision",     "CustomerCode", "CustomerName",    "CustomerPO",  "OrderDate",    "DueDate",
    "Currency", "SalesPerson",  "LineNo",       "ItemCode",        "Description", "Manufacturer", "Quantity",
    "Unit",     "OpenQuantity", "UnitPrice",    "DiscountPercent", "LineTotal",   "OpenAmount",   "LineStatus",
    "ShipDate", "Warehouse",    "Tax",          "Freight",         "OrderTotal",  "Updated"};
constexpr std::array<std::string_view, 27> german_heads = {
    "Auftragsnummer", "Revision",       "Kundennummer",    "Kundenname",   "Kundenreferenz", "Auftragsdatum",
    "Liefertermin",   "Währung",        "Verkäufer",       "Pos",          "Artikelnummer",  "Bezeichnung",
    "Hersteller",     "Menge",          "Einheit",         "Offene Menge", "Einzelpreis",    "Rabatt %",
    "Gesamtpreis",    "Offener Betrag", "Positionsstatus", "Versanddatum", "Lager",          "MwSt",
    "Fracht",         "Gesamtbetrag",   "Geändert am"};

}  // namespace

std::string_view line_status_word(const OrderLine& line) {
  switch (line.status) {
    case LineStatus::open:
      return "Open";
    case LineStatus::closed:
      return "Closed";
    case LineStatus::cancelled:
      return "Cancelled";
  }
  return "";
}

std::string demo_json(const SalesOrder& order) {
  PrettyJson json;
  const std::string updated = order.updated ? utc_seconds(*order.updated) : "";
  json.begin("", '{');
  json.number("DocEntry", order.source_key);
  json.number("DocNum", order.number.text);
  json.text("DocType", "dDocument_Items");
  json.text("DocDate", day_text(order.order_date));
  json.text("DocDueDate", day_text(order.requested_date));
  json.text("TaxDate", day_text(order.order_date));
  json.text("CardCode", order.customer_code);
  json.text("CardName", order.customer_name);
  if (order.customer_reference.empty())
    json.number("NumAtCard", "null");
  else
    json.text("NumAtCard", order.customer_reference);
  json.text("DocCurrency", order.currency.code());
  json.number("DocTotal", amount(amounts(order).total, order.currency));
  json.number("VatSum", amount(order.tax, order.currency));
  json.text("DocumentStatus", order.document_status == DocumentStatus::open ? "bost_Open" : "bost_Close");
  json.text("Cancelled", order.cancelled ? "tYES" : "tNO");
  json.text("U_Revision", order.revision);
  json.text("SalesPersonName", order.salesperson);
  json.text("UpdateDate", updated.substr(0, 10));
  json.text("UpdateTime", updated.size() > 11 ? updated.substr(11) : "");
  json.begin("DocumentAdditionalExpenses", '[');
  if (order.freight != 0) {
    json.begin("", '{');
    json.number("ExpenseCode", "1");
    json.text("Remarks", "Freight");
    json.number("LineTotal", amount(order.freight, order.currency));
    json.end('}');
  }
  json.end(']');
  json.begin("DocumentLines", '[');
  for (const OrderLine& line : order.lines) add_line(json, line, order);
  json.end(']');
  json.end('}');
  return json.take();
}

std::string demo_csv(const SalesOrder& order, bool german) {
  const char separator = german ? ';' : ',';
  std::string text;
  const auto row = [&](const auto& fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) text += separator;
      text += csv_field(fields[i], separator);
    }
    text += "\r\n";
  };
  row(german ? german_heads : english_heads);
  const std::string updated =
      order.updated ? csv_day(utc_day(*order.updated), german) + utc_seconds(*order.updated).substr(10) : "";
  const auto number = [&](std::string value) { return with_comma(std::move(value), german); };
  const auto money = [&](std::int64_t minor) { return number(amount(minor, order.currency)); };
  for (const OrderLine& line : order.lines) {
    row(std::array<std::string, 27>{"SO" + order.number.text,
                                    order.revision,
                                    order.customer_code,
                                    order.customer_name,
                                    order.customer_reference,
                                    csv_day(order.order_date, german),
                                    csv_day(order.requested_date, german),
                                    order.currency.code(),
                                    order.salesperson,
                                    std::to_string(line.line_number),
                                    line.item_code,
                                    line.item_name,
                                    line.manufacturer,
                                    number(decimal_text(line.quantity_ordered)),
                                    line.unit,
                                    number(decimal_text(line.quantity_open)),
                                    number(scaled_text(line.unit_price.micros / 100, 4)),
                                    number(scaled_text(line.discount.micros / 10000, 2)),
                                    money(line.line_total),
                                    money(line.open_amount),
                                    std::string(line_status_word(line)),
                                    csv_day(line.requested_date, german),
                                    line.warehouse_code,
                                    money(order.tax),
                                    money(order.freight),
                                    money(amounts(order).total),
                                    updated});
  }
  return text;
}

}  // namespace millrace::app::internal
