#include "app/demo_erp.h"

#include <algorithm>
#include <doctest/doctest.h>

#include <algorithm>

#include "app/demo_ticker.h"
#include "app/source_wiring.h"
#include "domain/order_rules.h"
#include "erp/mapping.h"
#include "simulator/query.h"
#include "testing/temporary_folder.h"

namespace millrace::app {
namespace {

constexpr Day today = std::chrono::year(2026) / 11 / 20;

class NoonClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::sys_days(today)) + std::chrono::hours(12); }
};

class Makers final : public erp::Names {
 public:
  explicit Makers(const DemoCompany& company) : company_(company) {}
  std::string manufacturer_of_item(std::string_view code) const override {
    const auto item = std::ranges::find(company_.items(), code, &DemoItem::code);
    return item == company_.items().end() ? "" : item->manufacturer;
  }
  std::string salesperson(std::string_view) const override { return ""; }

 private:
  const DemoCompany& company_;
};

struct Plant {
  explicit Plant(std::uint64_t files_written = 1) : company({42, 300, today}) {
    auto started =
        DemoErp::start(company, {.root = "", .company_day = today, .next_index = 300, .files_written = files_written},
                       folder.path(), clock);
    REQUIRE(started.has_value());
    erp = std::move(*started);
  }
  // The order as a source reads it from the ERP.
  SalesOrder read(const simulator::Document& document) const {
    std::string json;
    simulator::append_row(json, &document, *simulator::find_entity_set("Orders"), {}, {});
    const auto mapped = erp::map_document(erp::Dialect::sap_b1_v2, *erp::find_stream(erp::Dialect::sap_b1_v2, "orders"),
                                          json, Makers(company));
    REQUIRE(mapped.document.orders.size() == 1);
    return mapped.document.orders[0];
  }
  NoonClock clock;
  testing::TemporaryFolder folder;
  const DemoCompany company;
  std::unique_ptr<DemoErp> erp;
};

TEST_CASE("the demo company keeps its own books, so its ERP makes no finance documents and no money counts twice") {
  const Plant plant;
  CHECK_FALSE(plant.erp->source().finance);
  const auto options = service_options(plant.erp->source(), {});
  REQUIRE(options);
  CHECK_FALSE(options->finance);
}

TEST_CASE("most orders of the folder are in the ERP to the cent, some are not, some differ, some are only there") {
  Plant plant;
  const simulator::Truth truth = plant.erp->server().truth();
  std::map<std::string, const simulator::Document*> by_number;
  for (const auto& [entry, order] : truth.orders) by_number[std::to_string(order.number)] = &order;
  std::size_t equal = 0, different = 0, missing = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    const SalesOrder filed = plant.company.document(i).order;
    const auto found = by_number.find(filed.number.text);
    if (found == by_number.end()) {
      ++missing;
      continue;
    }
    const SalesOrder booked = plant.read(*found->second);
    bool same = booked.currency == filed.currency && booked.requested_date == filed.requested_date &&
                booked.tax == filed.tax && booked.freight == filed.freight &&
                amounts(booked).total == amounts(filed).total && amounts(booked).open == amounts(filed).open &&
                booked.lines.size() == filed.lines.size();
    for (std::size_t line = 0; same && line < filed.lines.size(); ++line) {
      same = booked.lines[line].quantity_ordered == filed.lines[line].quantity_ordered &&
             booked.lines[line].unit_price == filed.lines[line].unit_price &&
             booked.lines[line].line_total == filed.lines[line].line_total &&
             booked.lines[line].manufacturer == filed.lines[line].manufacturer;
    }
    ++(same ? equal : different);
  }
  CHECK(equal > 250);
  CHECK(missing > 5);
  CHECK(missing < 40);
  CHECK(different <= 6);
  CHECK(plant.erp->only_here() == 3);
  CHECK(truth.orders.size() == equal + different + 3);
}

TEST_CASE("what is filed is booked, and the ERP has changes of its own, but never too many") {
  Plant plant;
  SalesOrder order = plant.company.document(300).order;
  REQUIRE(plant.erp->follow(order).has_value());
  const auto booked = [&] {
    for (const auto& [entry, document] : plant.erp->server().truth().orders) {
      if (std::to_string(document.number) == order.number.text) return plant.read(document);
    }
    return SalesOrder{};
  };
  CHECK(amounts(booked()).total == amounts(order).total);
  order.lines.front().quantity_ordered.micros += 1'000'000;
  reprice(order, 0);
  REQUIRE(plant.erp->follow(order).has_value());
  CHECK(amounts(booked()).total == amounts(order).total);
  std::size_t resolved = 0;
  for (int i = 0; i < 60; ++i) {
    const auto words = plant.erp->tick();
    REQUIRE(words.has_value());
    resolved += words->ends_with("booked as filed") ? 1 : 0;
  }
  CHECK(resolved > 5);
}

TEST_CASE("after a restart the ERP stands where it stood, with the same keys") {
  Plant plant;
  for (int i = 0; i < 20; ++i) REQUIRE(plant.erp->tick().has_value());
  REQUIRE(plant.erp->follow(plant.company.document(300).order).has_value());
  const simulator::Truth before = plant.erp->server().truth();
  plant.erp.reset();
  auto again = DemoErp::start(plant.company, {.root = "", .company_day = today, .next_index = 301, .files_written = 0},
                              plant.folder.path(), plant.clock);
  REQUIRE(again.has_value());
  const simulator::Truth after = (*again)->server().truth();
  REQUIRE(after.orders.size() == before.orders.size());
  for (const auto& [entry, order] : before.orders) {
    CHECK(after.orders.at(entry).number == order.number);
    CHECK(after.orders.at(entry).lines == order.lines);
    CHECK(after.orders.at(entry).version == order.version);
  }
}

}  // namespace
}  // namespace millrace::app
