#include "query/fields.h"

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/text.h"

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
    FieldRow{F::priority, "priority", number, "Priority", true, true, "Written by people: 0 to 9, 9 first"},
    FieldRow{F::hold, "hold", text, "Hold", true, true, "Written by people: why the order is held; yes and no ask for any reason and for none"},
    FieldRow{F::note, "note", text, "Note", true, true, "Written by people"},
    FieldRow{F::colour, "colour", text, "Colour", true, true, "Written by people: red, orange, yellow, green, blue, purple or grey"},
};
static_assert(rows.size() == static_cast<std::size_t>(F::own_first), "rows stand in the order of the fields");

constexpr std::array line_rows{
    FilterRow{"item", "Orders with a line of this item: its code or its name"},
    FilterRow{"manufacturer", "Orders with a line of this manufacturer"},
    FilterRow{"differences", "1: orders whose sources say different things; undecided: those that no person decided yet; 0: all others"},
    FilterRow{"q", "Text anywhere in order number, customer, reference or item; ignores case and accents"},
};

// The rows above and the own columns, with the texts these point into.
struct Catalogue {
  std::vector<FieldRow> all{rows.begin(), rows.end()};
  std::deque<std::string> texts;
};
Catalogue& catalogue() {
  static Catalogue made;
  return made;
}

bool is_name(std::string_view name) {
  constexpr std::array<std::string_view, 5> parameters{"sort", "limit", "cursor", "fields", "sequence"};
  const auto named = [&](const auto& row) { return row.name == name; };
  return std::ranges::any_of(rows, named) || std::ranges::any_of(line_rows, named) || std::ranges::find(parameters, name) != parameters.end();
}

}  // namespace

std::span<const FieldRow> order_fields() { return catalogue().all; }

Result<void> set_own_columns(const std::vector<OwnColumn>& columns) {
  for (const OwnColumn& column : columns)
    if (is_name(column.name))
      return fail(ErrorCode::invalid_input, "the own column \"" + printable(column.title) + "\" would be called " + column.name + ", which the order list has already; give it another name");
  Catalogue& known = catalogue();
  known.all.resize(rows.size());
  for (const OwnColumn& column : columns) {
    const std::string_view name = known.texts.emplace_back(column.name), title = known.texts.emplace_back(column.title);
    known.all.push_back({own_field(known.all.size() - rows.size()), name, text, title, true, true, "Written by people: a column of our own"});
  }
  return {};
}

std::span<const FilterRow> line_filters() { return line_rows; }

const FieldRow* find_field(std::string_view name) {
  const std::span<const FieldRow> all = order_fields();
  const auto found = std::ranges::find(all, name, &FieldRow::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace millrace::query
