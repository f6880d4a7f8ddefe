#include "ingest/layout_profile.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <toml++/toml.h>

#include "base/text.h"
#include "domain/money.h"
#include "ingest/internal/values.h"

namespace millrace::ingest {
namespace {

using Words = std::vector<std::string>;

// SAP Business One (Service Layer and table names) first, then the usual English and German words of exports,
// sheets and printed confirmations. The earlier word counts when a document has two.
LayoutProfile make_built_in() {
  LayoutProfile p;
  p.name = "built-in";
  p.order_number_prefixes = {"SO"};
  auto& w = p.words;
  w["order_number"] = Words{"DocNum", "OrderNo", "Order No", "Order number", "Sales Order", "SO number", "Order", "OrderId",
                            "Sales order no", "Sales order number", "Order #", "Auftragsnummer", "Auftrag", "Auftragsnr", "Auftrags-Nr", "Auftrag Nr"};
  w["source_key"] = Words{"DocEntry", "Source key", "Internal id"};
  w["document_status"] = Words{"DocumentStatus", "DocStatus", "Order status", "Auftragsstatus", "Document status"};
  w["cancelled"] = Words{"Cancelled", "Canceled", "Storniert", "CANCELED"};
  w["revision"] = Words{"Revision", "U_Revision", "Rev", "Version"};
  w["customer_code"] = Words{"CardCode", "CustomerCode", "Customer no", "Customer number", "Customer id", "Customer", "Kundennummer",
                             "Kundennr", "Kunden-Nr", "Kunde", "Debitor"};
  w["customer_name"] = Words{"CardName", "CustomerName", "Kundenname", "Name des Kunden", "Bill to name"};
  w["customer_reference"] = Words{"NumAtCard", "CustomerPO", "Customer PO", "PO number", "PO", "Purchase order", "Customer reference", "Your reference",
                                  "Bestellnummer", "Kundenreferenz", "Ihre Bestellung", "Bestellnr", "Kundenbestellung"};
  w["salesperson"] = Words{"SalesPersonName", "SlpName", "Salesperson", "Sales person", "Salesman", "Salesman name", "SalesPersonCode",
                           "SlpCode", "Verkäufer", "Vertreter", "Sachbearbeiter"};
  w["payment_terms"] = Words{"PaymentTerms", "PaymentGroupCode", "GroupNum", "Terms", "Zahlungsbedingung", "Zahlungsbedingungen"};
  w["comment"] = Words{"Comments", "Comment", "Remark", "Remarks", "Note", "Bemerkung", "Bemerkungen", "Kommentar"};
  w["currency"] = Words{"DocCurrency", "DocCur", "Currency", "Order currency", "Währung", "Waehrung", "Curr"};
  w["order_date"] = Words{"DocDate", "OrderDate", "Order date", "Date", "Auftragsdatum", "Belegdatum", "Posting date", "Bestelldatum"};
  w["requested_date"] = Words{"DocDueDate", "DueDate", "Due date", "Requested date", "Delivery date", "Requested delivery date", "Liefertermin",
                              "Lieferdatum", "Wunschtermin", "Fällig", "Fälligkeitsdatum"};
  w["promise_date"] = Words{"Promise date", "Promised date", "Confirmed date", "U_PromiseDate", "Zusagetermin", "Bestätigter Termin"};
  w["document_date"] = Words{"TaxDate", "Document date"};
  w["document_type"] = Words{"DocType"};
  w["document_kind"] = Words{"DocObjectCode", "ObjType", "Object type"};
  w["tax"] = Words{"VatSum", "Tax", "VAT", "Tax amount", "MwSt", "Mehrwertsteuer", "Steuer", "USt", "Umsatzsteuer"};
  w["freight"] = Words{"TotalExpns", "Freight", "Shipping", "Shipping cost", "Fracht", "Versand", "Versandkosten", "Frachtkosten"};
  w["net_total"] = Words{"Net total", "Net", "Subtotal", "Net amount", "Sum of lines", "Nettosumme", "Netto", "Zwischensumme", "Nettobetrag"};
  w["document_total"] = Words{"DocTotalFc", "DocTotal", "OrderTotal", "Order total", "Total", "Grand total", "Total amount", "Gesamt",
                              "Gesamtbetrag", "Gesamtsumme", "Bruttosumme", "Bruttobetrag"};
  w["open_total"] = Words{"Open total", "Open amount", "Open amount total", "Open order amount", "Offener Gesamtbetrag"};
  w["updated"] = Words{"Updated", "Last change", "Last changed", "Updated at", "Last update", "Modified", "Geändert", "Geändert am",
                       "Letzte Änderung"};
  w["updated_date"] = Words{"UpdateDate"};
  w["updated_time"] = Words{"UpdateTime", "UpdateTS"};
  w["lines"] = Words{"DocumentLines", "Lines", "OrderLines", "Items", "Positions", "Positionen", "RDR1"};
  w["expenses"] = Words{"DocumentAdditionalExpenses", "Additional expenses", "Expenses"};
  w["line_number"] = Words{"LineNum", "LineNo", "Line", "Line number", "Line no", "Pos", "Position", "Pos-Nr", "Positionsnummer", "#"};
  w["item_code"] = Words{"ItemCode", "Item", "Item no", "Item number", "Article", "Article no", "SKU", "Part no", "Part number", "Product",
                         "Product number", "Material", "Artikel", "Artikelnummer", "Artikelnr", "Art-Nr", "Materialnummer"};
  w["item_name"] = Words{"ItemDescription", "Dscription", "Description", "Item name", "Item description", "Product name", "Text",
                         "Bezeichnung", "Beschreibung", "Artikelbezeichnung"};
  w["manufacturer"] = Words{"FirmName", "Manufacturer", "Item firm", "Maker", "Brand", "Hersteller", "Marke"};
  w["warehouse_code"] = Words{"WarehouseCode", "WhsCode", "Warehouse", "Lager", "Lagerort"};
  w["unit"] = Words{"MeasureUnit", "unitMsr", "UoMCode", "Unit", "UoM", "Unit of measure", "Einheit", "ME", "Mengeneinheit"};
  w["quantity_ordered"] = Words{"Quantity", "Qty", "Quantity ordered", "Ordered", "Ordered qty", "Order qty", "Menge", "Bestellmenge", "Anzahl", "Stück"};
  w["quantity_open"] = Words{"RemainingOpenQuantity", "OpenQuantity", "Open qty", "OpenQty", "OpenCreQty", "Quantity open", "Open", "Remaining",
                             "Remaining qty", "Offene Menge", "Offen", "Restmenge"};
  w["quantity_delivered"] = Words{"DelivrdQty", "DeliveredQuantity", "Delivered qty", "Delivered", "Shipped qty", "Gelieferte Menge", "Geliefert"};
  w["unit_price"] = Words{"UnitPrice", "Unit price", "Price", "Price each", "Einzelpreis", "Preis", "Stückpreis", "E-Preis"};
  w["discount"] = Words{"DiscountPercent", "DiscPrcnt", "Disc %", "Discount %", "Discount", "Disc", "Rabatt", "Rabatt %"};
  w["line_total"] = Words{"RowTotalFC", "LineTotal", "Line total", "Amount", "Line amount", "Total price", "Extended price", "Betrag", "Positionswert",
                          "Gesamtpreis", "Summe", "G-Preis", "Zeilensumme"};
  w["open_amount"] = Words{"OpenAmountFC", "OpenAmount", "Open amount", "OpenSum", "Pending amount", "Pending Amt.", "Offener Betrag"};
  w["line_status"] = Words{"LineStatus", "Line status", "Row status", "Positionsstatus", "Status"};
  w["line_cancelled"] = Words{"U_Cancelled", "Line cancelled", "Cancelled line", "Position storniert"};
  w["line_requested_date"] = Words{"ShipDate", "Ship date", "Line due date", "Line requested date", "Versanddatum", "Positionstermin"};
  w["line_promise_date"] = Words{"U_LinePromiseDate", "Line promise date", "Line confirmed date"};
  w["line_currency"] = Words{"Currency", "Line currency"};
  w["expense_amount"] = Words{"LineTotalFC", "Expense amount"};
  return p;
}

constexpr std::array<std::string_view, 8> top_keys{"name",           "extends_built_in", "order_number_prefixes", "default_currency",
                                                   "csv_date_order", "csv_decimal_mark", "words",                 "status_words"};

std::string at_line(const toml::node& node) { return "line " + std::to_string(node.source().begin.line); }

Failure refuse(const toml::node& node, std::string_view key, std::string_view what) {
  return fail(ErrorCode::invalid_input,
              "layout profile, " + at_line(node) + ", key '" + printable(key) + "': " + std::string(what));
}

std::string hint(std::string_view key, std::span<const std::string_view> known) {
  const std::string_view near = closest(key, known);
  std::string text = "is not known";
  if (!near.empty()) text += "; did you mean '" + std::string(near) + "'?";
  return text;
}

Result<std::vector<std::string>> text_list(const toml::node& node, std::string_view key) {
  std::vector<std::string> list;
  if (const auto* one = node.as_string()) {
    list.push_back(one->get());
  } else if (const auto* many = node.as_array()) {
    for (const toml::node& entry : *many) {
      const auto* text = entry.as_string();
      if (text == nullptr) return refuse(entry, key, "must hold texts only, write them in quotes");
      list.push_back(text->get());
    }
  } else {
    return refuse(node, key, "must be a text or a list of texts");
  }
  for (const std::string& text : list) {
    if (trim(text).empty() || text.size() > 120) return refuse(node, key, "holds a word that is empty or longer than 120 bytes");
  }
  if (list.size() > 200) return refuse(node, key, "holds more than 200 words");
  return list;
}

Result<std::string> one_text(const toml::node& node, std::string_view key, std::span<const std::string_view> allowed = {}) {
  const auto* text = node.as_string();
  if (text == nullptr) return refuse(node, key, "must be a text in quotes");
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), text->get()) == allowed.end()) {
    std::string choices;
    for (const std::string_view word : allowed) choices += (choices.empty() ? "'" : ", '") + std::string(word) + "'";
    return refuse(node, key, "must be one of " + choices);
  }
  return text->get();
}

Result<void> read_words(const toml::node& node, LayoutProfile& profile) {
  const auto* table = node.as_table();
  if (table == nullptr) return refuse(node, "words", "must be a table: [words]");
  const auto known = layout_field_names();
  for (const auto& [key, value] : *table) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) == known.end()) return refuse(value, name, hint(name, known));
    auto list = text_list(value, name);
    if (!list) return pass_on(list);
    auto& words = profile.words[std::string(name)];
    for (std::string& old : words) {
      if (std::find(list->begin(), list->end(), old) == list->end()) list->push_back(std::move(old));
    }
    words = std::move(*list);
  }
  return {};
}

Result<void> read_status_words(const toml::node& node, LayoutProfile& profile) {
  const auto* table = node.as_table();
  if (table == nullptr) return refuse(node, "status_words", "must be a table: [status_words]");
  for (const auto& [key, value] : *table) {
    auto text = one_text(value, key.str());
    if (!text) return pass_on(text);
    profile.status_words[std::string(key.str())] = std::move(*text);
  }
  return {};
}

Result<void> read_key(std::string_view key, const toml::node& node, LayoutProfile& profile) {
  static constexpr std::array<std::string_view, 4> date_orders{"", "dmy", "mdy", "ymd"};
  static constexpr std::array<std::string_view, 3> marks{"", ".", ","};
  if (key == "words") return read_words(node, profile);
  if (key == "status_words") return read_status_words(node, profile);
  if (key == "order_number_prefixes") {
    auto list = text_list(node, key);
    if (!list) return pass_on(list);
    for (std::string& prefix : *list) {
      auto& all = profile.order_number_prefixes;
      if (std::find(all.begin(), all.end(), prefix) == all.end()) all.push_back(std::move(prefix));
    }
    return {};
  }
  if (std::find(top_keys.begin(), top_keys.end(), key) == top_keys.end()) return refuse(node, key, hint(key, top_keys));
  auto text = key == "csv_date_order"     ? one_text(node, key, date_orders)
              : key == "csv_decimal_mark" ? one_text(node, key, marks)
                                          : one_text(node, key);
  if (!text) return pass_on(text);
  if (key == "default_currency" && !text->empty() && !Currency::parse(*text)) {
    return refuse(node, key, "must be a three-letter currency code such as \"EUR\"");
  }
  (key == "name"               ? profile.name
   : key == "default_currency" ? profile.default_currency
   : key == "csv_date_order"   ? profile.csv_date_order
                               : profile.csv_decimal_mark) = std::move(*text);
  return {};
}

// What toml++ 3.3 answers with undefined behaviour instead of a refusal, found before it reads the text:
//   * a character outside ASCII anywhere but in quotes and comments,
//   * a quote or bracket that touches a bare value (`1."`), since the library walks on through the quotes,
//   * brackets that do not match,
//   * a table name that starts with anything but a letter, a digit or a quote,
// none of which is TOML, and texts over several lines, which no word needs.
class Precheck {
 public:
  explicit Precheck(std::string_view text) : rest_(text) {}

  // The sentence for a person, "" when the text may be parsed.
  std::string complaint() {
    while (!rest_.empty() && complaint_.empty()) step();
    if (complaint_.empty() && !open_.empty()) complaint_ = std::string("the text ends before a '") + open_.back() + "'";
    return complaint_.empty() ? complaint_ : "line " + std::to_string(line_) + ": " + complaint_;
  }

 private:
  void step() {
    const char c = rest_.front();
    const bool opens = c == '[' || c == '{';
    const bool quotes = c == '"' || c == '\'';
    if (c == '#') {
      before_ = ' ';
      take(std::min(rest_.find('\n'), rest_.size()));
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      complaint_ = "letters such as '" + printable(shortened(rest_.substr(0, rest_.find_first_of(" =]\r\n")))) + "' are written in quotes";
    } else if ((opens || quotes) && !may_begin_here(quotes)) {
      complaint_ = std::string("a '") + c + "' stands directly behind a value; a comma or a line end is missing";
    } else if (quotes) {
      before_ = c;
      text_in_quotes(c);
    } else {
      const bool table = c == '[' && open_.empty() && line_begins_;
      track(c);
      take(1);
      if (table) table_name();
    }
    if (c != ' ' && c != '\t') line_begins_ = c == '\n';
  }

  // `a."b"` is a key with dots; behind '=' a dot belongs to a number.
  bool may_begin_here(bool quotes) const {
    return std::string_view(" \t\n=,[{").find(before_) != std::string_view::npos || (quotes && before_ == '.' && !in_value_);
  }

  void track(char c) {
    if (c == '[' || c == '{') open_ += c == '[' ? ']' : '}';
    if (c == ']' || c == '}') {
      if (open_.empty() || open_.back() != c) {
        complaint_ = std::string("a '") + c + "' closes nothing";
        return;
      }
      open_.pop_back();
    }
    if (c == '=') in_value_ = true;
    if (c == '\n' && open_.empty()) in_value_ = false;
    before_ = c;
  }

  void table_name() {
    std::string_view name = rest_.substr(0, rest_.find('\n'));
    if (name.starts_with('[')) name.remove_prefix(1);
    const std::size_t begin = name.find_first_not_of(" \t");
    const char first = begin == std::string_view::npos ? '\0' : name[begin];
    const bool fine = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || (first >= '0' && first <= '9') || first == '_' ||
                      first == '-' || first == '"' || first == '\'';
    if (!fine) complaint_ = "a table name starts with a letter, a digit or a quote";
  }

  void text_in_quotes(char quote) {
    if (rest_.starts_with(std::string(3, quote))) {
      complaint_ = "texts over several lines are not used in a layout profile";
      return;
    }
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote && rest_[end] != '\n') end += quote == '"' && rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size() || rest_[end] != quote) {
      complaint_ = "a text in quotes is not closed";
      return;
    }
    take(end + 1);
  }

  void take(std::size_t count) {
    line_ += static_cast<std::size_t>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
    rest_.remove_prefix(count);
  }

  std::string_view rest_;
  std::string complaint_;
  std::size_t line_ = 1;
  std::string open_;  // what closes the brackets that are open, the innermost last
  char before_ = '\n';
  bool in_value_ = false;
  bool line_begins_ = true;
};

toml::array array_of(const std::vector<std::string>& list) {
  toml::array array;
  for (const std::string& text : list) array.push_back(text);
  return array;
}

}  // namespace

const LayoutProfile& built_in_profile() {
  static const LayoutProfile profile = make_built_in();
  return profile;
}

Result<LayoutProfile> parse_layout_profile(std::string_view text) {
  if (text.size() > (1u << 20)) return fail(ErrorCode::limit_reached, "layout profile: larger than 1 MB");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  bool controls = false;
  // A carriage return alone ends no line in TOML; toml++ takes it for a blank in some places and not in others.
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    controls = controls || (is_control(text[i]) && !text.substr(i).starts_with("\r\n"));
  }
  if (!is_valid_utf8(text) || controls) {
    return fail(ErrorCode::invalid_input, "layout profile: it holds control characters or is not UTF-8; save it as plain UTF-8 text");
  }
  if (const std::string complaint = Precheck(text).complaint(); !complaint.empty()) {
    return fail(ErrorCode::invalid_input, "layout profile, " + complaint);
  }
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input, "layout profile, line " + std::to_string(error.source().begin.line) + ": " +
                                              std::string(error.description()));
  }
  bool extends = true;
  if (const auto* node = table.get("extends_built_in")) {
    const auto* flag = node->as_boolean();
    if (flag == nullptr) return refuse(*node, "extends_built_in", "must be true or false");
    extends = flag->get();
  }
  LayoutProfile profile = extends ? built_in_profile() : LayoutProfile{};
  for (const auto& [key, node] : table) {
    if (key.str() == "extends_built_in") continue;
    if (auto done = read_key(key.str(), node, profile); !done) return pass_on(done);
  }
  return profile;
}

std::string to_toml(const LayoutProfile& profile) {
  toml::table words;
  for (const auto& [name, list] : profile.words) words.insert_or_assign(name, array_of(list));
  toml::table status_words;
  for (const auto& [folder, word] : profile.status_words) status_words.insert_or_assign(folder, word);
  const toml::table table{{"name", profile.name},
                          {"extends_built_in", false},
                          {"order_number_prefixes", array_of(profile.order_number_prefixes)},
                          {"default_currency", profile.default_currency},
                          {"csv_date_order", profile.csv_date_order},
                          {"csv_decimal_mark", profile.csv_decimal_mark},
                          {"words", words},
                          {"status_words", status_words}};
  std::ostringstream out;
  // Texts on one line each, as they are read back; toml++ 3.3 would put a line break into single quotes.
  const auto flags = toml::toml_formatter::default_flags &
                     ~(toml::format_flags::allow_multi_line_strings | toml::format_flags::allow_literal_strings);
  out << toml::toml_formatter{table, flags} << '\n';
  return out.str();
}

}  // namespace millrace::ingest
