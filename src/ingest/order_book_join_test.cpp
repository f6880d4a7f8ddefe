// Orders that files and an ERP both speak of, in the order book.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "domain/order_rules.h"
#include "ingest/order_book.h"
#include "testing/world.h"

namespace millrace::ingest {
namespace {

struct Said {
  std::string number, reference = "", customer = "C1", updated = "2026-03-01T08:00:00Z";
  int quantity = 1;
};

SalesOrder order(const Said& said) {
  SalesOrder made;
  made.number.text = said.number;
  made.customer_reference = said.reference;
  made.customer_code = said.customer;
  made.currency = *Currency::parse("EUR");
  made.document_status = DocumentStatus::open;
  made.updated = testing::instant(said.updated);
  OrderLine line;
  line.line_number = 1;
  line.item_code = "P-1";
  line.quantity_ordered = line.quantity_open = Quantity{said.quantity * micros_per_one};
  line.unit_price.micros = micros_per_one;
  line.line_total = *line_total(line.quantity_ordered, line.unit_price, line.discount, made.currency);
  made.lines.push_back(line);
  settle_amounts(made);
  return made;
}

// An order book with an ERP "sap" and a folder "orders", and what a record keeps of both.
class Plant {
 public:
  explicit Plant(JoinRules rules = {}) : rules_(with_erp(std::move(rules))), book_(make()) { book_.restore_rules(std::nullopt); }

  Plant& file(const std::string& path, const Said& said) { return put("orders", path, said, Format::json); }
  Plant& erp(const std::string& path, const Said& said) { return put("sap", path, said, Format::sap_b1); }
  Plant& gone(const std::string& source, const std::string& path) {
    book_.file_removed(source, path);
    return *this;
  }

  Plant& commit(const std::string& source) {
    const auto batch = book_.finish(source);
    REQUIRE(batch);
    keep(source, *batch);
    return *this;
  }

  std::string decide(const std::string& source = "orders") {
    const auto batch = book_.finish(source);
    REQUIRE(batch);
    keep(source, *batch);
    const auto rest = book_.finish(source == "orders" ? "sap" : "orders");
    REQUIRE(rest);
    keep(source == "orders" ? "sap" : "orders", *rest);
    std::string text;
    for (const feed::Change& change : batch->changes) text += told(change) + "\n";
    REQUIRE(rest->changes.empty());
    return text;
  }

  void restart(JoinRules rules = {}) {
    rules_ = with_erp(std::move(rules));
    book_ = make();
    for (const auto& [key, file] : files_) book_.restore_file(key.first, file);
    for (const auto& [key, candidate] : contents_) book_.restore_candidate(std::get<0>(key), candidate);
    for (const auto& [key, row] : kept_)
      if (key.first == OrderBook::decisions_space) REQUIRE(book_.restore_decision(row));
    book_.finish_restore();
    const auto before = kept_.find({std::string(OrderBook::rules_space), std::string(OrderBook::rules_key)});
    book_.restore_rules(before == kept_.end() ? std::nullopt : std::optional(before->second.content));
  }

  // What the read model would say: every order, with its documents, quantity and differences.
  std::string state() const {
    std::string text;
    for (const auto& [number, change] : state_) text += told(change) + "\n";
    return text;
  }
  std::uint64_t order_count() const { return book_.counts("orders").orders; }
  OrderBook& book() { return book_; }
  std::size_t decisions_kept() const {
    return static_cast<std::size_t>(std::ranges::count_if(kept_, [](const auto& row) { return row.first.first == OrderBook::decisions_space; }));
  }

 private:
  static JoinRules with_erp(JoinRules rules) {
    rules.services = {"sap"};
    return rules;
  }
  OrderBook make() {
    return OrderBook(built_in_profile(), [this](const std::string& source, const std::string& path, std::uint32_t ordinal) -> Result<std::shared_ptr<const SalesOrder>> {
      const auto found = contents_.find({source, path, ordinal});
      if (found == contents_.end()) return fail(ErrorCode::not_found, "no content of " + path);
      return found->second.order;
    }, rules_);
  }

  Plant& put(const std::string& source, const std::string& path, const Said& said, Format format) {
    ReadFile read{path, FileStamp{100, 1'000'000'000, 7}, content_hash(path + said.number + std::to_string(++reads_)), {}};
    read.document.format = format;
    read.document.is_order_document = true;
    read.document.orders.push_back(order(said));
    book_.file_read(source, std::move(read), testing::instant("2026-03-01T08:00:00Z"));
    return *this;
  }

  void keep(const std::string& source, const store::Batch& batch) {
    const auto forget = [&](const std::string& path) { contents_.erase({source, path, 0}); };
    for (const std::string& path : batch.files_removed) files_.erase({source, path}), forget(path);
    for (const store::FileRecord& file : batch.files_put) files_[{source, file.path}] = file;
    for (const store::Candidate& candidate : batch.candidates_put) contents_[{source, candidate.path, candidate.ordinal}] = candidate;
    for (const store::KeptRow& row : batch.kept_put) kept_[{row.space, row.key}] = row;
    for (const store::KeptKey& row : batch.kept_removed) kept_.erase({row.space, row.key});
    for (const feed::Change& change : batch.changes) {
      if (change.kind == feed::ChangeKind::order_put) state_[feed::subject(change)] = change;
      if (change.kind == feed::ChangeKind::order_removed) REQUIRE(state_.erase(feed::subject(change)) == 1);
    }
  }

  static std::string told(const feed::Change& change) {
    if (change.kind == feed::ChangeKind::order_removed) return change.removed.number.text + " gone: " + change.removed.reason;
    const feed::OrderPut& put = change.put;
    std::string text = put.order->number.text + " x " + decimal_text(put.order->lines[0].quantity_ordered) + " " + put.order->status + " from";
    for (const feed::OrderDocument& document : put.documents) text += " " + document.source + ":" + document.path;
    for (const feed::Difference& each : put.differences) {
      text += " ! " + each.field;
      for (const auto& value : each.values) text += " " + put.documents[value.document].source + "=" + value.text;
      text += " (" + each.rule + ")";
    }
    return text;
  }

  JoinRules rules_;
  std::uint64_t reads_ = 0;
  std::map<std::pair<std::string, std::string>, store::FileRecord> files_;
  std::map<std::tuple<std::string, std::string, std::uint32_t>, store::Candidate> contents_;
  std::map<std::pair<std::string, std::string>, store::KeptRow> kept_;
  std::map<std::string, feed::Change> state_;
  OrderBook book_;
};

}  // namespace

TEST_CASE("A source that commits first leaves what the other brought for its own turn") {
  Plant plant;
  plant.erp("Open/Orders(1)", {.number = "7", .quantity = 2}).commit("orders");
  plant.file("Open/SO7.json", {.number = "7"}).commit("orders");
  plant.file("Open/SO7.json", {.number = "7", .updated = "2026-03-02T08:00:00Z"}).commit("orders").commit("sap");
  CHECK(plant.decide() == "");
}

TEST_CASE("An order in a folder and in the ERP is one order with both documents and their difference") {
  Plant plant;
  plant.file("Open/SO7.json", {.number = "7", .quantity = 450});
  CHECK(plant.decide() == "7 x 450 Open from orders:Open/SO7.json\n");
  plant.erp("Open/Orders(4711)", {.number = "7", .quantity = 400});
  CHECK(plant.decide("sap") == "7 x 400 Open from sap:Open/Orders(4711) orders:Open/SO7.json ! quantity sap=400 orders=450 (erp-wins)\n");
  plant.restart();
  CHECK(plant.decide() == "");
  plant.gone("sap", "Open/Orders(4711)");
  CHECK(plant.decide("sap") == "7 x 450 Open from orders:Open/SO7.json\n");
}

TEST_CASE("Of several files the best speaks for the folders, and older ones are no sources of their own") {
  Plant plant;
  plant.file("Open/a.json", {.number = "7", .quantity = 1}).file("Open/b.json", {.number = "7", .updated = "2026-03-02T08:00:00Z", .quantity = 2});
  plant.erp("Open/Orders(1)", {.number = "7", .quantity = 3});
  CHECK(plant.decide() == "7 x 3 Open from sap:Open/Orders(1) orders:Open/b.json orders:Open/a.json ! quantity sap=3 orders=2 (erp-wins)\n");
}

TEST_CASE("A file that carries the customer's reference as its number is the ERP's order, until that goes away") {
  Plant plant;
  plant.file("Open/PO-77.json", {.number = "PO-77", .quantity = 5}).decide();
  CHECK(plant.order_count() == 1);
  plant.erp("Open/Orders(1)", {.number = "7", .reference = "PO-77", .quantity = 4});
  CHECK(plant.decide("sap") ==
        "7 x 4 Open from sap:Open/Orders(1) orders:Open/PO-77.json ! quantity sap=4 orders=5 (erp-wins)\n"
        "PO-77 gone: it is order 7, which has it as customer reference\n");
  CHECK(plant.order_count() == 1);
  plant.restart();
  CHECK(plant.decide() == "");
  CHECK(plant.order_count() == 1);
  plant.gone("sap", "Open/Orders(1)");
  CHECK(plant.decide("sap") == "7 gone: no longer in sap: Open/Orders(1)\nPO-77 x 5 Open from orders:Open/PO-77.json\n");
}

TEST_CASE("A reference of another customer, or of two orders, joins nothing") {
  Plant plant;
  plant.file("Open/PO-77.json", {.number = "PO-77", .customer = "C2"});
  plant.erp("Open/Orders(1)", {.number = "7", .reference = "PO-77", .customer = "C1"}).decide();
  CHECK(plant.order_count() == 2);
  plant.file("Open/PO-77.json", {.number = "PO-77", .customer = ""});
  CHECK(plant.decide() == "7 x 1 Open from sap:Open/Orders(1) orders:Open/PO-77.json\nPO-77 gone: it is order 7, which has it as customer reference\n");
  plant.erp("Open/Orders(2)", {.number = "8", .reference = "PO-77"});
  CHECK(plant.decide("sap") == "7 x 1 Open from sap:Open/Orders(1)\n8 x 1 Open from sap:Open/Orders(2)\nPO-77 x 1 Open from orders:Open/PO-77.json\n");
}

TEST_CASE("An order of the ERP with the number itself comes before one that has it as reference") {
  Plant plant;
  plant.file("Open/7.json", {.number = "7"}).erp("Open/Orders(1)", {.number = "8", .reference = "7"}).decide();
  CHECK(plant.state() == "8 x 1 Open from sap:Open/Orders(1) orders:Open/7.json\n");
  plant.erp("Open/Orders(2)", {.number = "7"});
  plant.decide("sap");
  CHECK(plant.state() == "7 x 1 Open from sap:Open/Orders(2) orders:Open/7.json\n8 x 1 Open from sap:Open/Orders(1)\n");
}

TEST_CASE("A person's decision counts, survives a restart and ends when a side says something else") {
  Plant plant;
  plant.file("Open/SO7.json", {.number = "7", .quantity = 450}).erp("Open/Orders(1)", {.number = "7", .quantity = 400}).decide();
  const auto chosen = plant.book().decide({"7", "quantity", 1}, "orders", "Ann", testing::instant("2026-03-05T08:00:00Z"));
  REQUIRE(chosen);
  CHECK(plant.decide(*chosen) == "7 x 450 Open from sap:Open/Orders(1) orders:Open/SO7.json ! quantity sap=400 orders=450 (decided)\n");
  CHECK(plant.decisions_kept() == 1);
  plant.restart();
  CHECK(plant.decide() == "");
  plant.erp("Open/Orders(1)", {.number = "7", .customer = "C1", .quantity = 400});
  CHECK(plant.decide("sap") == "");
  plant.erp("Open/Orders(1)", {.number = "7", .quantity = 410});
  CHECK(plant.decide("sap") == "7 x 410 Open from sap:Open/Orders(1) orders:Open/SO7.json ! quantity sap=410 orders=450 (erp-wins)\n");
}

TEST_CASE("A decision can be taken back, and then the rule counts again") {
  Plant plant;
  plant.file("Open/SO7.json", {.number = "7", .quantity = 450}).erp("Open/Orders(1)", {.number = "7", .quantity = 400}).decide();
  REQUIRE(plant.book().decide({"7", "quantity", 1}, "orders", "Ann", testing::instant("2026-03-05T08:00:00Z")));
  plant.decide();
  REQUIRE(plant.book().undecide({"7", "quantity", 1}));
  CHECK(plant.decide() == "7 x 400 Open from sap:Open/Orders(1) orders:Open/SO7.json ! quantity sap=400 orders=450 (erp-wins)\n");
  CHECK(plant.decisions_kept() == 0);
  CHECK_FALSE(plant.book().undecide({"7", "quantity", 1}));
}

TEST_CASE("A decision on what does not differ, or for a source that says nothing, is refused with what there is") {
  Plant plant;
  plant.file("Open/SO7.json", {.number = "7", .quantity = 450}).erp("Open/Orders(1)", {.number = "7", .quantity = 400}).decide();
  const auto now = testing::instant("2026-03-05T08:00:00Z");
  CHECK(plant.book().decide({"8", "quantity", 1}, "orders", "Ann", now).error().code() == ErrorCode::not_found);
  CHECK(plant.book().decide({"7", "unit_price", 1}, "orders", "Ann", now).error().code() == ErrorCode::not_found);
  const auto nobody = plant.book().decide({"7", "quantity", 1}, "mail", "Ann", now);
  CHECK(nobody.error().code() == ErrorCode::invalid_input);
  CHECK(nobody.error().text() == "\"mail\" says nothing of quantity of line 1 of order 7; choose one of sap, orders");
}

TEST_CASE("With other rules than before the joined orders, and only they, are decided anew at the start") {
  Plant plant;
  plant.file("Open/SO7.json", {.number = "7", .quantity = 450}).erp("Open/Orders(1)", {.number = "7", .quantity = 400});
  plant.file("Open/SO8.json", {.number = "8"}).erp("Open/Orders(2)", {.number = "9"}).decide();
  JoinRules rules;
  REQUIRE(set_rule(rules, "quantity", "orders"));
  plant.restart(rules);
  CHECK(plant.decide() == "7 x 450 Open from sap:Open/Orders(1) orders:Open/SO7.json ! quantity sap=400 orders=450 (orders-wins)\n");
  plant.restart(rules);
  CHECK(plant.decide() == "");
}

TEST_CASE("Whether references join is a setting, and changing it takes orders apart") {
  Plant plant;
  plant.file("Open/PO-77.json", {.number = "PO-77"}).erp("Open/Orders(1)", {.number = "7", .reference = "PO-77"}).decide();
  JoinRules apart;
  apart.join_by_reference = false;
  plant.restart(apart);
  plant.decide();
  CHECK(plant.state() == "7 x 1 Open from sap:Open/Orders(1)\nPO-77 x 1 Open from orders:Open/PO-77.json\n");
  plant.restart();
  plant.decide();
  CHECK(plant.state() == "7 x 1 Open from sap:Open/Orders(1) orders:Open/PO-77.json\n");
}

TEST_CASE("However documents come, go and restart, the joined orders are the same") {
  CHECK(rc::check("any order of arrival", [] {
    struct Step {
      bool erp, removed;
      int path;
      Said said;
    };
    const auto steps = *rc::gen::container<std::vector<Step>>(rc::gen::exec([] {
      Step step;
      step.erp = *rc::gen::arbitrary<bool>();
      step.removed = *rc::gen::inRange(0, 4) == 0;
      step.path = *rc::gen::inRange(0, 4);
      step.said.number = *rc::gen::element<std::string>("1", "2", "3", "P");
      step.said.reference = *rc::gen::element<std::string>("", "1", "2", "P");
      step.said.customer = *rc::gen::element<std::string>("", "C1", "C2");
      step.said.quantity = *rc::gen::inRange(1, 4);
      step.said.updated = *rc::gen::element<std::string>("2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z");
      return step;
    }));
    const auto path = [](const Step& step) { return (step.erp ? "Open/Orders(" : "Open/file(") + std::to_string(step.path) + ")"; };
    Plant lived;
    std::map<std::pair<bool, int>, Step> last;
    for (const Step& step : steps) {
      const std::string source = step.erp ? "sap" : "orders";
      if (step.removed) lived.gone(source, path(step)), last.erase({step.erp, step.path});
      else if (step.erp) lived.erp(path(step), step.said), last[{true, step.path}] = step;
      else lived.file(path(step), step.said), last[{false, step.path}] = step;
      const int then = *rc::gen::inRange(0, 4);
      if (then > 0) lived.decide(source);
      if (then == 1) lived.restart();
    }
    lived.decide();
    std::vector<Step> left;
    for (const auto& [key, step] : last) left.push_back(step);
    std::reverse(left.begin(), left.end());
    Plant fresh;
    for (const Step& step : left) step.erp ? fresh.erp(path(step), step.said) : fresh.file(path(step), step.said);
    fresh.decide();
    RC_ASSERT(lived.state() == fresh.state());
    RC_ASSERT(lived.order_count() == fresh.order_count());
    lived.restart();
    RC_ASSERT(lived.decide() == "");
    RC_ASSERT(lived.order_count() == fresh.order_count());
  }));
}

}  // namespace millrace::ingest
