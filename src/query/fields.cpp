#include "query/fields.h"

#include <algorithm>
#include <array>

namespace millrace::query {
namespace {

using enum FieldType;
using F = OrderField;

constexpr std::array rows{
    FieldRow{F::order, "order", text, "Order", true, true, "Order number, without the source's prefix; digits sort as numbers"},
    FieldRow{F::status, "status", text, "Status", true, true, "Folder status in the company's words; late also matches late orders"},
    FieldRow{F::document_status, "document_status", text, "Document status", true, true, "What the document says: open, closed, unknown"},
    FieldRow{F::customer, "customer", text, "Customer", true, true, "Customer code"},
    FieldRow{F::customer_name, "customer_name", text, "Customer name", true, true, "Customer name as the order gives it"},
    FieldRow{F::customer_reference, "customer_reference", text, "Reference", true, true, "The customer's own order number"},
    FieldRow{F::salesman, "salesman", text, "Salesperson", true, true, "Name or code of the salesperson"},
    FieldRow{F::currency, "currency", text, "Currency", true, true, "ISO 4217 code"},
    FieldRow{F::order_date, "order_date", day, "Ordered", true, true, "Date of the order"},
    FieldRow{F::due, "due", day, "Due", true, true, "Promise if any, else wish; without both the earliest of its open lines"},
    FieldRow{F::requested, "requested", day, "Requested", true, true, "The customer's wish"},
    FieldRow{F::promise, "promise", day, "Promise", true, true, "Our last answer"},
    FieldRow{F::lines, "lines", number, "Lines", true, true, "Number of lines"},
    FieldRow{F::quantity, "quantity", FieldType::quantity, "Quantity", true, true, "Sum of the quantities of lines not cancelled"},
    FieldRow{F::open_quantity, "open_quantity", FieldType::quantity, "Open quantity", true, true, "Sum of the open quantities"},
    FieldRow{F::net, "net", money, "Net", true, true, "Sum of the totals of lines not cancelled, minor units"},
    FieldRow{F::tax, "tax", money, "Tax", true, true, "Tax of the document, minor units"},
    FieldRow{F::freight, "freight", money, "Freight", true, true, "Freight of the document, minor units"},
    FieldRow{F::total, "total", money, "Total", true, true, "Net + tax + freight, minor units"},
    FieldRow{F::open_amount, "open_amount", money, "Open amount", true, true, "Sum of the open amounts of the lines, minor units"},
    FieldRow{F::lateness_days, "lateness_days", number, "Days late", true, true, "Days past the due date while something is open; negative is early"},
    FieldRow{F::late, "late", flag, "Late", true, true, "Something is open and the due date has passed"},
    FieldRow{F::updated, "updated", instant, "Updated", true, true, "The document's own stamp, UTC"},
    FieldRow{F::changed_at, "changed_at", instant, "Changed", true, true, "When we recorded the last change, UTC"},
    FieldRow{F::revision, "revision", text, "Revision", true, true, "Revision of the document"},
    FieldRow{F::format, "format", text, "Format", true, true, "Format of the document: json, csv, xlsx, pdf"},
    FieldRow{F::path, "path", text, "File", true, true, "File of the document, relative to its source"},
    FieldRow{F::source, "source", text, "Source", true, true, "Source the document came from"},
    FieldRow{F::flagged, "flagged", flag, "Flagged", true, true, "Somebody should look: see the order's flags"},
};

constexpr std::array line_rows{
    FilterRow{"item", "Orders with a line of this item: its code or its name"},
    FilterRow{"manufacturer", "Orders with a line of this manufacturer"},
    FilterRow{"differences", "1: orders whose sources say different things; undecided: those that no person decided yet; 0: all others"},
    FilterRow{"q", "Text anywhere in order number, customer, reference or item; ignores case and accents"},
};

}  // namespace

std::span<const FieldRow> order_fields() { return rows; }
std::span<const FilterRow> line_filters() { return line_rows; }

const FieldRow* find_field(std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const FieldRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace millrace::query
