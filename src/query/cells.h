// What one cell of an exported list says: text for CSV, a number or a day for a sheet.
//
// Invariants
//   * One home: every export writes a value of the order list through `order_cell`, so that no two files differ.
//   * Money and quantities are exact decimal text with a point; style turns the point, never the digits.
//   * A text that a spreadsheet would run as a formula gets an apostrophe in front, in every style.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "domain/money.h"
#include "domain/quantity.h"
#include "query/fields.h"
#include "query/orders.h"

namespace millrace::query {

struct Cell {
  FieldType type = FieldType::text;
  std::string text;               // "" is absent
  std::int64_t number = 0;        // of a number; micros of a quantity, minor units of money, 0 or 1 of a flag
  Currency currency;              // of money
  std::optional<Day> day;         // of a day
  std::optional<Instant> instant;
};
Cell text_cell(std::string_view text);
Cell number_cell(std::optional<std::int64_t> number);
Cell quantity_cell(std::int64_t micros);  // of a quantity, a unit price or a percentage
Cell money_cell(const Money& money);
Cell day_cell(const std::optional<Day>& day);
Cell instant_cell(const std::optional<Instant>& instant);
Cell flag_cell(bool flag);

// One column of one order.
Cell order_cell(const OrderRow& row, OrderField field);

// The columns of a list in the order of the catalogue: those asked for (none asked: all), and always the order.
std::vector<const FieldRow*> list_columns(const OrderQuery& query);

struct CsvStyle {
  char separator = ',';
  char decimal = '.';
  bool bom = false;
  // A download is opened by a double click: what any dialect could misread is quoted. A pipe gets RFC 4180 only.
  bool quote_doubtful = true;
  std::string_view line_end = "\r\n";
};
void append_csv_text(std::string& out, std::string_view text, const CsvStyle& style);
void append_csv_cell(std::string& out, const Cell& cell, const CsvStyle& style);

}  // namespace millrace::query
