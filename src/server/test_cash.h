// Scenarios and forecasts in memory, for tests.
#pragma once
#include <algorithm>
#include <map>
#include <mutex>

#include "ingest/cash.h"
#include "planning/cash_bridge.h"

namespace millrace::server {

class TestCash final : public ingest::CashDoor {
 public:
  TestCash() {
    ScenarioChange later;
    later.kind = ScenarioChange::Kind::customer_later;
    later.party = "C1";
    later.days = 30;
    scenarios_["s1"] = {"s1", "ACME pays 30 days later", 1, "Ann", Instant{}, {later}};
    // Nothing was expected when it was made.
    planning::KeptForecast empty;
    empty.currency = *Currency::parse("EUR");
    empty.first_day = day_number(*parse_iso_day("2026-03-02"));
    empty.end_day = empty.first_day + 13 * 7;
    ingest::ForecastHead head;
    head.id = "f1";
    head.by = "time";
    head.currency = empty.currency;
    head.first_day = head.lowest_day = empty.first_day;
    heads_.push_back(head);
    items_["f1"] = planning::encode(empty);
  }
  std::uint64_t revision() const override {
    const std::lock_guard lock(mutex_);
    return revision_;
  }
  std::vector<Scenario> scenarios() const override {
    const std::lock_guard lock(mutex_);
    std::vector<Scenario> all;
    for (const auto& [id, scenario] : scenarios_) all.push_back(scenario);
    return all;
  }
  Result<Scenario> scenario(const std::string& id) const override {
    const std::lock_guard lock(mutex_);
    const auto found = scenarios_.find(id);
    if (found == scenarios_.end()) return fail(ErrorCode::not_found, "there is no scenario \"" + id + "\"");
    return found->second;
  }
  Result<Scenario> put_scenario(const std::string& id, std::optional<std::uint64_t> version, std::string name, std::vector<ScenarioChange> changes,
                                const ingest::CashAsker& asker) override {
    if (!id.empty()) {
      const auto known = scenario(id);
      if (!known) return known;
      if (version && *version != known->version) return fail(ErrorCode::conflict, "the scenario was changed meanwhile");
      version = known->version;
    }
    const std::lock_guard lock(mutex_);
    Scenario made{id.empty() ? "s" + std::to_string(++last_) : id, std::move(name), id.empty() ? 1 : *version + 1, asker.author, asker.at, std::move(changes)};
    ++revision_;
    return scenarios_[made.id] = made;
  }
  // Stays, so that the matrix of permissions may ask for it again and again.
  Result<void> remove_scenario(const std::string& id, std::optional<std::uint64_t>) override {
    const auto known = scenario(id);
    if (!known) return pass_on(known);
    return {};
  }
  std::vector<ingest::ForecastHead> forecasts() const override {
    const std::lock_guard lock(mutex_);
    return heads_;
  }
  Result<ingest::ForecastHead> keep_forecast(ingest::ForecastHead forecast, std::string items) override {
    const std::lock_guard lock(mutex_);
    forecast.id = "f" + std::to_string(heads_.size() + 1);
    items_[forecast.id] = std::move(items);
    heads_.push_back(forecast);
    ++revision_;
    return forecast;
  }
  Result<std::string> forecast_items(const std::string& id) const override {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(id);
    if (found == items_.end()) return fail(ErrorCode::not_found, "there is no kept forecast \"" + id + "\"");
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t revision_ = 1, last_ = 1;
  std::map<std::string, Scenario> scenarios_;
  std::vector<ingest::ForecastHead> heads_;
  std::map<std::string, std::string> items_;
};

}  // namespace millrace::server
