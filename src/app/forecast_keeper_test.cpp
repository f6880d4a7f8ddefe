#include "app/forecast_keeper.h"

#include <doctest/doctest.h>

#include "ingest/cash_desk.h"
#include "testing/temporary_folder.h"
#include "testing/world.h"

namespace millrace::app {
namespace {

class HandClock final : public Clock {
 public:
  Instant now() const override { return at; }
  Instant at = testing::instant("2026-03-10T04:59:00Z");
};

}  // namespace

TEST_CASE("a forecast is kept once a day, from five in the morning, as soon as money is known") {
  HandClock clock;
  testing::TemporaryFolder folder;
  const auto record = *store::open_sqlite_record({.path = folder / "a.db", .clock = &clock});
  const auto desk = *ingest::CashDesk::open(*record);
  query::CashKeeper keeper;
  testing::World world;
  bool ready = false;
  ForecastKeeper forecasts({.snapshot = [&] { return world.snapshot(); }, .ready = [&] { return ready; }, .keeper = keeper, .desk = *desk, .clock = clock});
  world.invoice("9001").party("C1", "ACME").amount("EUR 100.00").posted("2026-03-01").due("2026-03-31");
  CHECK_FALSE(forecasts.step());
  clock.at = testing::instant("2026-03-10T05:00:00Z");
  CHECK_FALSE(forecasts.step());
  ready = true;
  CHECK(forecasts.step());
  CHECK_FALSE(forecasts.step());
  REQUIRE(desk->forecasts().size() == 1);
  CHECK(desk->forecasts()[0].closing == 10'000);
  clock.at = testing::instant("2026-03-11T11:00:00Z");
  CHECK(forecasts.step());
  CHECK(desk->forecasts().size() == 2);
}

}  // namespace millrace::app
