#include "erp/mapping.h"

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "base/text.h"
#include "erp/mapping_read.h"
#include "erp/page.h"
#include "ingest/json_parser.h"

namespace millrace::erp {
namespace {

constexpr std::string_view open_word = "open", closed_word = "closed", cancelled_word = "cancelled", yes = "Y";

Cell* find_cell(FieldRow& row, std::span<const FieldRule> rules, std::string_view ours) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].ours == ours) return &row.cells[i];
  }
  return nullptr;
}

bool says(FieldRow& row, std::span<const FieldRule> rules, std::string_view ours, std::string_view word) {
  const Cell* cell = find_cell(row, rules, ours);
  return cell != nullptr && *cell && **cell == word;
}

void clear(FieldRow& row, std::span<const FieldRule> rules, std::string_view ours) {
  if (Cell* cell = find_cell(row, rules, ours)) cell->reset();
}

bool has_amount(const Cell& cell) { return cell && *cell != "0"; }

bool has_foreign_amount(const FieldRow& row) { return std::any_of(row.foreign.begin(), row.foreign.end(), has_amount); }

// SAP keeps every amount twice, in the company's currency and, of a foreign document, in the document's own (0 otherwise).
bool is_foreign(const ReadDocument& document) {
  return has_foreign_amount(document.header) || std::any_of(document.lines.begin(), document.lines.end(), has_foreign_amount) ||
         std::any_of(document.more_lines.begin(), document.more_lines.end(), has_foreign_amount);
}

void use_foreign_amounts(FieldRow& row, std::span<const FieldRule> rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].foreign.empty()) row.cells[i] = row.foreign[i];
  }
}

void settle_currency(const FieldTable& table, ReadDocument& document) {
  if (!is_foreign(document)) {
    clear(document.header, table.fields, "DocRate");
    return;
  }
  use_foreign_amounts(document.header, table.fields);
  for (FieldRow& line : document.lines) use_foreign_amounts(line, table.lines.fields);
  for (FieldRow& line : document.more_lines) use_foreign_amounts(line, table.more_lines.fields);
}

// `Price` is after the line's discount, `UnitPrice` before it: one of them, and the discount only with the latter.
void settle_price(FieldRow& line, std::span<const FieldRule> rules) {
  const Cell* before_discount = find_cell(line, rules, "UnitPrice");
  const Cell* after_discount = find_cell(line, rules, "Price");
  if (before_discount == nullptr || after_discount == nullptr) return;
  if (!has_amount(*before_discount) && has_amount(*after_discount)) {
    clear(line, rules, "UnitPrice");
    clear(line, rules, "DiscountPercent");
  } else {
    clear(line, rules, "Price");
  }
}

// "Manual" is what SAP writes for an item without a group of units; the unit is the line's own text then.
void settle_unit(FieldRow& line, std::span<const FieldRule> rules) {
  const Cell* unit = find_cell(line, rules, "MeasureUnit");
  if ((unit != nullptr && *unit) || says(line, rules, "UoMCode", "Manual")) clear(line, rules, "UoMCode");
}

std::string status_of_order(Dialect dialect, const FieldTable& table, FieldRow& header) {
  if (says(header, table.fields, "Cancelled", yes) || says(header, table.fields, "CancelStatus", yes)) return std::string(cancelled_word);
  if (dialect == Dialect::odata_v4) return std::string(says(header, table.fields, "FullyShipped", yes) ? closed_word : open_word);
  const Cell* cell = find_cell(header, table.fields, "DocumentStatus");
  return cell != nullptr && *cell ? **cell : std::string();
}

// What SAP lets stand on the lines of a document that is no longer open does not count.
void settle_order(Dialect dialect, const FieldTable& table, ReadDocument& document, const std::string& status) {
  for (FieldRow& line : document.lines) {
    settle_price(line, table.lines.fields);
    settle_unit(line, table.lines.fields);
    Cell* line_status = find_cell(line, table.lines.fields, "LineStatus");
    if (status != open_word && line_status != nullptr) *line_status = std::string(closed_word);
  }
  if (dialect == Dialect::odata_v4) clear(document.header, table.fields, "FullyShipped");
  clear(document.header, table.fields, "CancelStatus");
  Cell* cancelled = find_cell(document.header, table.fields, "Cancelled");
  if (status == cancelled_word && cancelled != nullptr) *cancelled = std::string(yes);
}

bool is_number(FieldKind kind) { return kind == FieldKind::amount || kind == FieldKind::rate; }

void write_fields(JsonWriter& json, const FieldRow& row, std::span<const FieldRule> rules, bool exact) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!row.cells[i]) continue;
    json.key(rules[i].ours);
    if (exact && is_number(rules[i].kind)) {
      json.raw(*row.cells[i]);
    } else {
      json.text(*row.cells[i]);
    }
  }
}

// Each line on a text line of its own, so that what a parser says about one can be told in the ERP's words.
template <class Extra>
void write_lines(std::string& out, JsonWriter& json, const LineTable& table, const std::vector<FieldRow>& lines, bool exact, Extra extra) {
  if (table.source.empty()) return;
  json.key(table.ours).begin_array();
  for (const FieldRow& line : lines) {
    out += '\n';
    json.begin_object();
    write_fields(json, line, table.fields, exact);
    extra(json, line);
    json.end_object();
  }
  json.end_array();
}

// `exact` is false for a document with something unreadable: its raw text is kept, for the hash alone.
std::string canonical_text(const FieldTable& table, const ReadDocument& document, bool exact, const Names* names) {
  std::string out;
  JsonWriter json(out);
  const auto add_names = [&](JsonWriter& writer, const FieldRow& line) {
    if (names == nullptr) return;
    for (std::size_t i = 0; i < table.lines.fields.size(); ++i) {
      if (table.lines.fields[i].ours != "ItemCode" || !line.cells[i]) continue;
      const std::string manufacturer = names->manufacturer_of_item(*line.cells[i]);
      if (!manufacturer.empty()) writer.field("Manufacturer", manufacturer);
    }
  };
  json.begin_object();
  write_fields(json, document.header, table.fields, exact);
  if (names != nullptr) {
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      if (table.fields[i].ours != "SalesPersonCode" || !document.header.cells[i]) continue;
      const std::string name = names->salesperson(*document.header.cells[i]);
      if (!name.empty()) json.field("SalesPersonName", name);
    }
  }
  write_lines(out, json, table.lines, document.lines, exact, add_names);
  write_lines(out, json, table.more_lines, document.more_lines, exact, [](JsonWriter&, const FieldRow&) {});
  json.end_object();
  return out;
}

// The same with the stamps of the row: they belong to the order, but a document that was only touched is the same.
std::string with_stamps(std::string text, const StreamDescriptor& stream, const ReadDocument& document, const TimeZone& zone) {
  const auto stamp = stamp_of(stream, document.stamp_day.value_or(""), document.stamp_time.value_or(""));
  if (!stamp) return text;
  text.pop_back();
  std::string stamps;
  JsonWriter json(stamps);
  json.begin_object();
  if (stream.stamp == StampKind::instant) {
    json.field("Updated", *document.stamp_day);
  } else {
    json.field("Updated", utc_seconds(instant_of(stream, *stamp, zone)));
  }
  return text + "," + stamps.substr(1) + "}";
}

std::string line_key(const FieldTable& table, const FieldRow& line) {
  for (std::size_t i = 0; i < table.lines.fields.size(); ++i) {
    if (table.lines.fields[i].ours == table.lines.key && line.cells[i]) return std::string(table.lines.fields[i].source) + " " + *line.cells[i];
  }
  return {};
}

// "line 3 column 14" of the canonical text is a line of the document: the first stands on text line 2.
std::string place_of(const FieldTable& table, const ReadDocument& document, const std::string& row, std::string_view place) {
  constexpr std::string_view prefix = "line ";
  std::size_t number = 0;
  if (place.starts_with(prefix)) std::from_chars(place.data() + prefix.size(), place.data() + place.size(), number);
  if (number < 2 || number - 2 >= document.lines.size()) return row;
  return row + ", " + line_key(table, document.lines[number - 2]);
}

ingest::Finding unreadable_finding(const FieldTable& table, const Unreadable& what, const std::string& row, const std::string& order_number) {
  std::string place = row;
  if (!what.line.empty()) {
    for (const FieldRule& rule : table.lines.fields) {
      if (rule.ours == table.lines.key) place += ", " + std::string(rule.source) + " " + what.line;
    }
  }
  const std::string reason = what.field.empty() ? what.why : "the field '" + printable(what.field) + "': " + what.why;
  return {feed::Outcome::reject, place, reason + "; correct it in the ERP, the rest goes on without it", what.value, order_number};
}

std::string status_word(std::string_view status) {
  if (status == cancelled_word) return "Cancelled";
  if (status == closed_word) return "Closed";
  if (status == "planned") return "Planned";
  if (status == "released") return "Released";
  if (status == "draft") return "Draft";
  return status.empty() ? std::string() : "Open";
}

std::string status_of_other(const FieldTable& table, FieldRow& header) {
  if (says(header, table.fields, "cancelled", yes)) return std::string(cancelled_word);
  if (find_cell(header, table.fields, "fully_received") != nullptr) {
    return std::string(says(header, table.fields, "fully_received", yes) ? closed_word : open_word);
  }
  const Cell* status = find_cell(header, table.fields, "status");
  return status != nullptr && *status ? **status : std::string();
}

bool is_open(std::string_view status) { return status == open_word || status == "planned" || status == "released"; }

void finish_order(const FieldTable& table, const StreamDescriptor& stream, const ReadDocument& document, const std::string& canonical,
                  const std::string& row, const TimeZone& zone, Mapped& mapped) {
  const ingest::Format format = mapped.document.format;
  mapped.document = ingest::parse_json(with_stamps(canonical, stream, document, zone));
  mapped.document.format = format;
  for (ingest::Finding& finding : mapped.document.findings) finding.place = place_of(table, document, row, finding.place);
  for (SalesOrder& order : mapped.document.orders) {
    for (OrderLine& line : order.lines) line.place = {};  // a record of a service has no lines of text
  }
  if (mapped.document.orders.size() == 1 || !mapped.document.findings.empty()) return;
  mapped.document.findings.push_back({feed::Outcome::reject, row, "the record is no sales order; it has neither a customer nor lines", "", ""});
}

}  // namespace

Instant instant_of(const StreamDescriptor& stream, const RemoteStamp& stamp, const TimeZone& zone) {
  const std::chrono::local_seconds local = std::chrono::local_days(std::chrono::days(stamp.day)) + std::chrono::seconds(stamp.seconds);
  if (stream.stamp == StampKind::instant) return Instant(local.time_since_epoch());
  return zone.utc(local);
}

Mapped map_document(Dialect dialect, const StreamDescriptor& stream, std::string_view json, const Names& names, const TimeZone& zone) {
  const FieldTable& table = field_table(dialect, stream.name);
  ReadDocument document = read_fields(table, stream, json);
  const bool is_order = stream.name == StreamName::orders;
  Mapped mapped;
  const std::string status = is_order ? status_of_order(dialect, table, document.header) : status_of_other(table, document.header);
  if (is_order && status.empty() && !document.unreadable) {
    document.unreadable = Unreadable{"DocumentStatus", "the document came without it, so nobody can tell whether it is open", "", ""};
  }
  const Cell key = table.fields.empty() ? Cell() : document.header.cells.front();
  if (!key && !document.unreadable) document.unreadable = Unreadable{std::string(stream.key), "the document came without its key", "", ""};
  const std::string row = std::string(stream.key) + " " + printable(key.value_or("?"));
  mapped.document.format = dialect == Dialect::odata_v4 ? ingest::Format::odata : ingest::Format::sap_b1;
  mapped.document.is_order_document = is_order;
  mapped.status = status_word(status);
  mapped.open = is_open(status);
  if (document.unreadable) {
    const Cell* number = find_cell(document.header, table.fields, is_order ? "DocNum" : "number");
    mapped.document.findings.push_back(unreadable_finding(table, *document.unreadable, row, number != nullptr ? number->value_or("") : ""));
    mapped.hash = content_hash(canonical_text(table, document, false, nullptr) + document.unreadable->why + document.unreadable->value);
    return mapped;
  }
  settle_currency(table, document);
  if (is_order) settle_order(dialect, table, document, status);
  std::string canonical = canonical_text(table, document, true, is_order ? &names : nullptr);
  mapped.hash = content_hash(canonical);
  if (is_order) {
    finish_order(table, stream, document, canonical, row, zone, mapped);
  } else {
    std::erase(canonical, '\n');
    mapped.kept = std::move(canonical);
  }
  return mapped;
}

std::string kept_field(std::string_view kept, std::string_view name) { return json_text(kept, name); }

}  // namespace millrace::erp
