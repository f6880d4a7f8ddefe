#include "app/forecast_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "server/keep_forecast.h"

namespace millrace::app {

void ForecastKeeper::start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      step();
      lock.lock();
      wake_.wait_for(lock, look_pause, [this] { return stopping_; });
    }
  });
}

void ForecastKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool ForecastKeeper::step() {
  const Instant now = parts_.clock.now();
  if (now - std::chrono::floor<std::chrono::days>(now) < hour || !parts_.ready()) return false;
  const std::int32_t today = day_number(utc_day(now));
  const auto heads = parts_.desk.forecasts();
  if (std::ranges::any_of(heads, [&](const ingest::ForecastHead& head) { return head.by == "time" && head.first_day == today; })) return false;
  const readmodel::SnapshotPtr snapshot = parts_.snapshot();
  if (snapshot->finance().version() == 0) return false;
  const auto kept = server::keep_forecast(snapshot, parts_.keeper, parts_.desk, now, "time");
  if (!kept) log_warning("forecast_not_kept", {{"reason", kept.error().text()}});
  else log_info("forecast_kept", {{"forecast", kept->id}, {"as_of", std::to_string(kept->as_of.value)}});
  return kept.has_value();
}

}  // namespace millrace::app
