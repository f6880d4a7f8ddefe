#include "ingest/cash_desk.h"

#include <doctest/doctest.h>

#include "testing/temporary_folder.h"

namespace millrace::ingest {
namespace {

const SystemClock system_clock;

class Desk {
 public:
  Desk() { restart(); }
  void restart() {
    desk.reset();
    record_.reset();
    record_ = *store::open_sqlite_record({.path = folder_ / "a.db", .clock = &system_clock});
    desk = *CashDesk::open(*record_);
  }
  std::unique_ptr<CashDesk> desk;

 private:
  testing::TemporaryFolder folder_;
  std::unique_ptr<store::Record> record_;
};

std::vector<ScenarioChange> later() { return {*scenario_change({.kind = "pay_later", .party = "", .order = "", .from = "", .to = "", .days = 10, .percent = ""})}; }
const CashAsker anna{"Anna", Instant(std::chrono::milliseconds(1'763'000'000'000))};

}  // namespace

TEST_CASE("a scenario survives a restart, its number is given once, and who read an older one is told") {
  Desk plant;
  const auto first = plant.desk->put_scenario("", {}, " Pay later ", later(), anna);
  REQUIRE(first);
  CHECK(first->id == "s1");
  CHECK(first->name == "Pay later");
  const auto second = plant.desk->put_scenario("s1", 1, "Pay much later", later(), anna);
  REQUIRE(second);
  CHECK(second->version == 2);
  CHECK(plant.desk->put_scenario("s1", 1, "Pay at once", later(), anna).error().code() == ErrorCode::conflict);
  plant.restart();
  REQUIRE(plant.desk->scenarios().size() == 1);
  CHECK(plant.desk->scenarios()[0] == *second);
  CHECK(plant.desk->remove_scenario("s1", 1).error().code() == ErrorCode::conflict);
  REQUIRE(plant.desk->remove_scenario("s1", 2));
  CHECK(plant.desk->scenario("s1").error().code() == ErrorCode::not_found);
  plant.restart();
  CHECK(plant.desk->put_scenario("", {}, "Another", later(), anna)->id == "s2");
  CHECK(plant.desk->put_scenario("", {}, "", later(), anna).error().code() == ErrorCode::invalid_input);
  CHECK(plant.desk->put_scenario("", {}, "Nothing", {}, anna).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("a forecast is kept with its movements, once a day by time and as often as people ask") {
  Desk plant;
  ForecastHead head;
  head.by = "time";
  head.currency = *Currency::parse("EUR");
  head.first_day = 20'000;
  head.closing = -5;
  head.weeks.push_back({20'000, 1, -2, 3, -4, 5});
  REQUIRE(plant.desk->keep_forecast(head, "movements"));
  CHECK(plant.desk->keep_forecast(head, "others")->id == "f1");
  head.by = "Anna";
  CHECK(plant.desk->keep_forecast(head, "hers")->id == "f2");
  plant.restart();
  REQUIRE(plant.desk->forecasts().size() == 2);
  CHECK(plant.desk->forecasts()[0].weeks == head.weeks);
  CHECK(*plant.desk->forecast_items("f1") == "movements");
  CHECK(*plant.desk->forecast_items("f2") == "hers");
  CHECK(plant.desk->forecast_items("f3").error().code() == ErrorCode::not_found);
  const std::string bytes = encode(plant.desk->forecasts()[0]);
  for (std::size_t length = 0; length < bytes.size(); ++length) CHECK_FALSE(decode_forecast_head(std::string_view(bytes).substr(0, length)));
}

}  // namespace millrace::ingest
