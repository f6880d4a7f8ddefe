// Scenarios and forecasts in the record, with their heads in memory.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "ingest/cash.h"
#include "store/record.h"

namespace millrace::ingest {

inline constexpr std::size_t scenarios_max = 200;

class CashDesk final : public CashDoor {
 public:
  // Errors   corrupt  a kept row cannot be read
  static Result<std::unique_ptr<CashDesk>> open(store::Record& record);

  std::uint64_t revision() const override { return revision_.load(); }
  std::vector<Scenario> scenarios() const override;
  Result<Scenario> scenario(const std::string& id) const override;
  Result<Scenario> put_scenario(const std::string& id, std::optional<std::uint64_t> version, std::string name, std::vector<ScenarioChange> changes,
                                const CashAsker& asker) override;
  Result<void> remove_scenario(const std::string& id, std::optional<std::uint64_t> version) override;
  std::vector<ForecastHead> forecasts() const override;
  Result<ForecastHead> keep_forecast(ForecastHead forecast, std::string items) override;
  Result<std::string> forecast_items(const std::string& id) const override;

 private:
  explicit CashDesk(store::Record& record) : record_(record) {}
  Result<void> load();
  Result<void> commit(store::Batch batch);
  Result<std::uint64_t> number_of_scenario(const std::string& id, std::optional<std::uint64_t> version) const;  // with mutex_ held

  store::Record& record_;
  std::mutex writing_;  // one writer at a time: held from reading what stands to its row being in the record
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::uint64_t, Scenario> scenarios_;
  std::map<std::uint64_t, ForecastHead> forecasts_;
  std::uint64_t scenario_last_ = 0;

  std::atomic<std::uint64_t> revision_{1};
};

}  // namespace millrace::ingest
