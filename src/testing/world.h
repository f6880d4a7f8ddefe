// A small order book for tests, written as a planner would tell it.
//
//   testing::World world;
//   world.sales_order("SO-7").customer("C1", "ACME").requested("2026-03-03").line("4 pcs", "EUR 25.00").open("2");
//   const auto snapshot = world.snapshot();
//
// Invariants
//   * Everything reaches the read model as changes with Sequences 1, 2, 3, ...; one second of the world's clock
//     passes per change, starting at 2026-01-01T00:00:00Z.
//   * Orders and then finance documents told since the last `snapshot`, `changes` or `remove` become one change each, in the
//     order told.
//   * A text that cannot be read ("EUR x") is the test's own mistake and ends it.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/finance.h"
#include "domain/order.h"
#include "feed/change.h"
#include "readmodel/read_model.h"

namespace millrace::testing {

Day day(std::string_view iso);               // "2026-03-03"
Instant instant(std::string_view text);      // "2026-03-03T08:00:00Z"
Money money(std::string_view text);          // "EUR 25.00"
Quantity quantity(std::string_view text);    // "4", "0.25"

// Changes the order that `sales_order` named. Line words speak of the line told last.
class OrderStory {
 public:
  OrderStory& status(std::string_view folder);
  OrderStory& document_status(DocumentStatus status);
  OrderStory& cancelled();
  OrderStory& customer(std::string_view code, std::string_view name = "");
  OrderStory& reference(std::string_view text);
  OrderStory& salesman(std::string_view name);
  OrderStory& currency(std::string_view code);
  OrderStory& ordered(std::string_view iso_day);
  OrderStory& requested(std::string_view iso_day);
  OrderStory& promised(std::string_view iso_day);
  OrderStory& updated(std::string_view instant);
  OrderStory& tax(std::string_view amount);
  OrderStory& freight(std::string_view amount);
  OrderStory& comment(std::string_view text);
  OrderStory& revision(std::string_view text);
  OrderStory& file(std::string_view path, std::string_view source = "orders");  // format from the ending
  OrderStory& also_file(std::string_view path, std::string_view source);  // of another source, behind the one that counts
  OrderStory& flag(std::string_view sentence);
  OrderStory& overlay(std::string_view field, std::string_view value, std::string_view beneath = "");  // written by Ann
  OrderStory& difference(feed::Difference difference);  // documents are those told, in that order

  // Adds a line: "4 pcs" at "EUR 25.00" each; all of it is open.
  OrderStory& line(std::string_view quantity, std::string_view unit_price);
  OrderStory& item(std::string_view code, std::string_view name = "");
  OrderStory& manufacturer(std::string_view name);
  OrderStory& open(std::string_view quantity);
  OrderStory& line_requested(std::string_view iso_day);
  OrderStory& line_promised(std::string_view iso_day);
  OrderStory& line_status(LineStatus status);
  OrderStory& no_lines();

  SalesOrder& order() { return order_; }
  std::vector<feed::OrderDocument>& documents() { return documents_; }

 private:
  friend class World;
  OrderLine& last_line();
  feed::OrderPut put() const;

  SalesOrder order_;
  std::vector<feed::OrderDocument> documents_;
  std::vector<std::string> flags_;
  std::vector<feed::Difference> differences_;
  std::vector<feed::Overlaid> overlay_;
  std::uint64_t overlay_version_ = 0;
  bool told_ = false;
};

// Changes the finance document that `World::finance` named.
class FinanceStory {
 public:
  FinanceStory& party(std::string_view code, std::string_view name = "");
  FinanceStory& amount(std::string_view money);  // "EUR 119.00"
  FinanceStory& tax(std::string_view money);
  FinanceStory& posted(std::string_view iso_day);
  FinanceStory& due(std::string_view iso_day);
  FinanceStory& until(std::string_view iso_day);
  FinanceStory& paid(std::string_view iso_day);
  FinanceStory& terms(std::string_view code);
  FinanceStory& terms_rule(TermsRule rule);
  FinanceStory& category(std::string_view name);
  FinanceStory& account(std::string_view name);
  FinanceStory& every(Every every);
  FinanceStory& instalment(std::string_view iso_day, std::string_view money);
  FinanceStory& line(std::string_view order, std::int32_t order_line, std::string_view quantity, std::string_view money = "EUR 0.00");
  FinanceStory& settles(std::string_view number, std::string_view money, std::int32_t instalment = 0);  // invoice or bill
  FinanceStory& rate(std::string_view from, std::string_view to, std::string_view rate);
  FinanceStory& cancelled(bool yes = true);
  FinanceStory& closed(bool yes = true);

  FinanceDocument& document() { return document_; }

 private:
  friend class World;
  FinanceDocument document_;
  bool told_ = false;
};

class World {
 public:
  World();

  // A new order, or the known one to be told on: what is not said again stays.
  OrderStory& sales_order(std::string_view number);
  void remove(std::string_view number, std::string_view reason = "file deleted");
  void reject(std::uint64_t id, std::string_view path, std::string_view reason);
  void solve_rejection(std::uint64_t id);

  // A new document of the source, posted on 2026-01-01, or the known one to be told on. Kinds most tests need have a word.
  FinanceStory& finance(FinanceKind kind, std::string_view number, std::string_view source = "erp");
  FinanceStory& invoice(std::string_view number) { return finance(FinanceKind::invoice, number); }
  FinanceStory& credit_note(std::string_view number) { return finance(FinanceKind::credit_note, number); }
  FinanceStory& payment(std::string_view number) { return finance(FinanceKind::payment, number); }
  FinanceStory& bill(std::string_view number) { return finance(FinanceKind::bill, number); }
  FinanceStory& supplier_payment(std::string_view number) { return finance(FinanceKind::supplier_payment, number); }
  FinanceStory& delivery(std::string_view number) { return finance(FinanceKind::delivery, number); }
  FinanceStory& cost(std::string_view number) { return finance(FinanceKind::cost, number); }
  void remove_finance(FinanceKind kind, std::string_view key, std::string_view source = "erp");

  // Applies what was told and answers the newest Snapshot.
  readmodel::SnapshotPtr snapshot();
  // All changes so far, Sequence 1 first.
  const std::vector<feed::Change>& changes();

 private:
  void tell(feed::Change change);
  void flush();

  std::deque<OrderStory> stories_;
  std::deque<FinanceStory> finance_;
  std::vector<feed::Change> changes_;
  std::size_t applied_ = 0;
  std::unique_ptr<readmodel::ReadModel> model_;
};

}  // namespace millrace::testing
