// Keeps the forecast of cash once a day, so that the next one can be explained and all can be held against what came.
//
// Invariants
//   * One a day, made when the day is `hour` old (UTC) or the server starts later; none while nothing is known of money.
//   * What goes wrong is in the log and is tried again at the next look.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "ingest/cash.h"
#include "query/cash_keeper.h"

namespace millrace::app {

class ForecastKeeper {
 public:
  // All references outlive it. `ready`: the answers are whole.
  struct Parts {
    std::function<readmodel::SnapshotPtr()> snapshot;
    std::function<bool()> ready;
    query::CashKeeper& keeper;
    ingest::CashDoor& desk;
    const Clock& clock;
  };
  explicit ForecastKeeper(Parts parts) : parts_(std::move(parts)) {}
  ~ForecastKeeper() { stop(); }
  void start();
  void stop();

  // One look at the clock: whether a forecast was kept.
  bool step();

  static constexpr std::chrono::hours hour{5};
  static constexpr std::chrono::minutes look_pause{1};

 private:
  const Parts parts_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace millrace::app
