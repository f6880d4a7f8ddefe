// A sales order and its lines, as one document states them.
//
// Invariants
//   * Absent is `optional`, never 0, "" or 1900-01-01. A text that a document does not carry is "".
//   * All amounts of one order share `currency`.
//   * `line_total` and `open_amount` follow `domain/order_rules.h`; parsers call `settle_amounts` before
//     an order leaves `ingest`.
//   * Folder status and document status are two facts and both are kept (M080).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "domain/money.h"
#include "domain/quantity.h"

namespace millrace {

// The number people say and write, without the source's prefix: "43659".
struct OrderNumber {
  std::string text;
  bool operator==(const OrderNumber&) const = default;
};
struct OrderNumberHash {
  std::size_t operator()(const OrderNumber& number) const;
};
bool operator<(const OrderNumber& left, const OrderNumber& right);  // digits compare as numbers

enum class DocumentStatus : std::uint8_t { unknown, open, closed };
enum class LineStatus : std::uint8_t { open, closed, cancelled };
std::string_view word(DocumentStatus status);
std::string_view word(LineStatus status);

// Where in its document a line stands, for "where does this come from": a JSON line, a CSV row, a sheet cell
// range or a PDF page. 1-based; 0 means not known.
struct Place {
  enum class Kind : std::uint8_t { none, line, row, cell, page };
  Kind kind = Kind::none;
  std::uint32_t number = 0;  // line, row or page
  std::uint32_t column = 0;  // of a cell or field, when known
  bool operator==(const Place&) const = default;
};
std::string place_text(const Place& place);  // "line 14", "row 3", "cell E11", "page 2"

struct OrderLine {
  std::int32_t line_number = 0;  // counted from 1, also where the source counts from 0 (SAP LineNum)
  std::string item_code;         // text, never a number: "00123" and "1E5" stay what they are
  std::string item_name;
  std::string manufacturer;      // "" when the document does not say
  std::string warehouse_code;
  std::string unit;              // unit of measure, "" when not given
  Quantity quantity_ordered;
  Quantity quantity_open;        // never below zero
  UnitPrice unit_price;
  Percent discount;
  std::int64_t line_total = 0;   // minor units of the order's currency
  std::int64_t open_amount = 0;  // minor units
  LineStatus status = LineStatus::open;
  std::optional<Day> requested_date;  // wins over the order's
  std::optional<Day> promise_date;
  Place place;
  bool operator==(const OrderLine&) const = default;
};

struct SalesOrder {
  OrderNumber number;
  std::string source_key;  // the key of the source system (DocEntry), "" when none
  std::string status;      // folder state: "Open", "In Production", ...; the company's own words
  DocumentStatus document_status = DocumentStatus::unknown;
  bool cancelled = false;  // by the document
  std::string revision;
  std::string customer_code;
  std::string customer_name;
  std::string customer_reference;
  std::string salesperson;  // name or code, "" when none
  std::string payment_terms;
  std::string comment;
  Currency currency;
  std::optional<Day> order_date;
  std::optional<Day> requested_date;
  std::optional<Day> promise_date;
  std::int64_t tax = 0;      // minor units
  std::int64_t freight = 0;  // minor units
  std::optional<std::int64_t> document_total;  // as the document states it; may differ from ours
  std::optional<Instant> updated;              // the document's own stamp
  std::vector<std::pair<std::string, std::string>> extra;  // unknown header fields, kept as text
  std::vector<OrderLine> lines;
  bool operator==(const SalesOrder&) const = default;
};
// The same order, maybe filed under another status.
bool equal_but_status(const SalesOrder& left, const SalesOrder& right);

}  // namespace millrace
