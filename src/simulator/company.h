// The company inside the simulated ERP: its documents and master data, and the deeds that change them.
//
// Invariants
//   * Amounts, prices and quantities are whole millionths (`Micros`), as an ERP keeps six decimals; money is rounded to
//     the decimals of its currency, half away from zero, once per line.
//   * `version` of a row moves with every change that is not silent; `stamp` only with stamped ones.
//   * Not thread-safe; `ServiceLayer` serialises its callers.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::simulator {

using Micros = std::int64_t;
inline constexpr Micros one = 1'000'000;

// The ERP server's own clock: local time without a zone.
struct Stamp {
  std::int32_t day = 0;      // days since 1970-01-01
  std::int32_t seconds = 0;  // of the day
  auto operator<=>(const Stamp&) const = default;
};

struct Line {
  std::int32_t number = 0;  // LineNum: stable, gaps after removal
  std::string item_code, description, warehouse, unit;
  std::string currency;  // as its document's
  Micros rate = one;     // local currency for one of the document's
  Micros quantity = 0, open = 0, price = 0, discount = 0;
  std::int32_t ship_day = 0;
  bool closed = false;
  // DocEntry and LineNum of the line it follows from, and of what (17 an order, 13 an invoice); 0: none
  std::int32_t base_entry = 0, base_line = 0, base_type = 17;
  bool operator==(const Line&) const = default;
};
Micros line_total(const Line& line);   // in the document's currency
Micros open_amount(const Line& line);  // its open share
Micros price_after_discount(const Line& line);
// To the decimals of `currency`; local amounts are euros.
Micros to_local(Micros amount, Micros rate);

struct Expense {  // freight and the like
  std::string currency;
  Micros rate = one;
  Micros amount = 0;
};

struct Document {
  std::int32_t entry = 0, number = 0, series = 9;
  std::string card_code, card_name, comment, revision;
  std::optional<std::string> reference;
  std::string currency = "EUR";
  Micros rate = one;
  std::int32_t posted_day = 0, due_day = 0;
  bool open = true, cancelled = false;
  std::int32_t salesperson = -1;
  Micros tax = 0;
  Micros paid = 0;  // of an invoice, while it is open; a closed one is paid
  std::vector<Expense> expenses;
  std::vector<Line> lines;
  std::int32_t line_last = -1;  // greatest LineNum ever given
  std::optional<Stamp> stamp;
  std::uint64_t version = 1;
};
Micros document_total(const Document& document);

struct Item {
  std::string code, name, unit;
  std::int32_t manufacturer = -1;
  Micros on_hand = 0;
  std::int32_t created_day = 0;
  std::optional<Stamp> stamp;  // nothing until its first edit
  std::uint64_t version = 1;
};
struct Manufacturer {
  std::int32_t code = 0;
  std::string name;
};
struct Partner {
  std::string code, name, currency = "EUR";
  bool supplier = false;
  std::optional<Stamp> stamp;
  std::uint64_t version = 1;
};
struct PaidInvoice {
  std::int32_t document = 0;
  Micros amount = 0;
  std::string_view type = "it_Invoice";
};
struct Payment {
  std::int32_t entry = 0, number = 0, day = 0;
  std::string card_code, currency = "EUR";
  bool cancelled = false;
  std::vector<PaidInvoice> invoices;
};
struct Component {
  std::int32_t number = 0;
  std::string item_code, warehouse;
  Micros quantity = 0;
};
struct ProductionOrder {
  enum class Status : std::uint8_t { planned, released, closed, cancelled };
  std::int32_t entry = 0, number = 0;
  std::string item_code, warehouse;
  Micros planned = 0, completed = 0;
  std::int32_t start_day = 0, due_day = 0;
  Status status = Status::planned;
  std::vector<Component> components;
};
struct ProductTree {
  std::string code;
  Micros quantity = one;
  std::vector<Component> components;
};

// What a change leaves behind for those who ask what changed.
enum class Trace : std::uint8_t {
  stamped,       // stamp and version move
  version_only,  // a delivery, a batch job: only the version moves
  silent,        // written past the application: nothing moves
};

// What happened, for webhooks.
struct Event {
  std::uint64_t id = 0;
  std::string set, key;          // "Orders", "4711"
  std::string transaction_type;  // "Created", "Updated", "Deleted", "Canceled", "Closed"
};

class Company {
 public:
  std::map<std::int32_t, Document> orders, invoices, purchase_orders, credit_notes, bills;
  std::map<std::string, Item, std::less<>> items;
  std::map<std::int32_t, Manufacturer> manufacturers;
  std::map<std::string, Partner, std::less<>> partners;
  std::map<std::int32_t, Payment> payments, supplier_payments;
  std::map<std::int32_t, ProductionOrder> production_orders;
  std::map<std::string, ProductTree, std::less<>> product_trees;

  // ---- deeds on orders; the order is known
  std::int32_t enter(Document order, Stamp now);  // gives entry and number unless they are set
  void change_quantity(Document& order, std::size_t line, Micros quantity, Stamp now, Trace trace);
  void change_price(Document& order, std::size_t line, Micros price, Stamp now, Trace trace);
  void change_due_day(Document& order, std::int32_t day, Stamp now, Trace trace);
  void change_reference(Document& order, std::string reference, Stamp now, Trace trace);
  void deliver(Document& order, std::size_t line, Micros quantity, Stamp now,
               Trace trace);  // closes what is all delivered
  void close(Document& order, Stamp now, Trace trace);
  void cancel(Document& order, Stamp now, Trace trace);
  void remove_line(Document& order, std::size_t line, Stamp now, Trace trace);
  void add_line(Document& order, Line line, Stamp now, Trace trace);  // gets the next number, never that of a removed one
  // Closed by mistake: what is still to deliver is open again. False when there is nothing, or it is cancelled.
  bool reopen(Document& order, Stamp now, Trace trace);
  void touch(Document& order, Stamp now);  // saved without a change
  void remove(std::int32_t entry);
  std::int32_t enter_again(std::int32_t entry, Stamp now);  // removed, and entered anew under its number: a new key

  // ---- deeds on master data
  void rename_item(std::string_view code, std::string name, Stamp now);
  void move_item(std::string_view code, std::int32_t manufacturer, Stamp now);
  void rename_manufacturer(std::int32_t code, std::string name);
  void rename_partner(std::string_view code, std::string name, Stamp now);

  std::string manufacturer_of(std::string_view item_code) const;  // "" when nobody knows

  // Oldest first; the oldest are forgotten beyond `events_max`, as a subscription loses what nobody took.
  static constexpr std::size_t events_max = 4096;
  std::deque<Event> take_events();

 private:
  void leave_trace(Document& order, Stamp now, Trace trace, std::string_view transaction_type);
  void note(std::string_view set, std::string key, std::string_view transaction_type);

  std::int32_t entry_last_ = 0;
  std::deque<Event> events_;
  std::uint64_t event_last_ = 0;
};

}  // namespace millrace::simulator
