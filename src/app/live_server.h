// The road with its screens: HTTP answers and live clients follow what the applier publishes; beside it the jobs.
//
// Invariants
//   * Starting reads top to bottom; stopping is starting in reverse.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/forecast_keeper.h"
#include "app/outside_sign_in.h"
#include "app/people_desk.h"
#include "app/road.h"
#include "app/settings.h"
#include "cache/cache.h"
#include "ingest/cash_desk.h"
#include "jobs/service.h"
#include "query/cash_keeper.h"
#include "server/server.h"

namespace millrace::app {

class LiveServer {
 public:
  // Opens the road, then HTTP. `settings_report`: what administrators are shown, JSON.
  // Errors   those of Road::open and Server::start
  static Result<std::unique_ptr<LiveServer>> start(const Settings& settings, const Clock& clock, const Road::Progress& progress,
                                                   std::string settings_report = "{}");
  ~LiveServer();
  // Finishes what runs within `patience`.
  void stop(std::chrono::milliseconds patience);

  std::string address() const { return server_->address(); }
  std::chrono::milliseconds network_silence() const { return server_->silence(); }
  bool asks_sign_in() const { return asks_sign_in_; }
  // With sign-in and nobody who could: the link that makes the first administrator. Else "".
  Result<std::string> first_link() { return asks_sign_in_ ? people_->first_link() : std::string(); }
  // What people type into a browser: a server that listens on every address is called by a name of its certificate.
  std::string url() const;
  // Takes new certificate files when there are some, or reads them in any case; what is wrong with them is in the log.
  void renew_tls(bool anyway) { (void)server_->renew_tls(anyway); }
  Road::Loaded loaded() const { return road_->loaded(); }
  std::vector<ingest::SourceStatus> sources() const { return road_->sources(); }
  void refresh_all();
  readmodel::SnapshotPtr snapshot() const { return road_->snapshot(); }
  ingest::FinanceWriter& finance_writer() { return road_->finance_writer(); }

 private:
  LiveServer() = default;
  Result<void> open_jobs(const Settings& settings, const Clock& clock);
  Result<void> start_server(const Settings& settings, const Clock& clock, std::string settings_report);
  bool ready(std::string& why_not) const;

  std::unique_ptr<Road> road_;
  std::unique_ptr<cache::MemoryCache> results_;  // counts in the road's registry
  std::unique_ptr<ingest::CashDesk> cash_;
  std::shared_ptr<query::CashKeeper> cash_keeper_ = std::make_shared<query::CashKeeper>();
  std::unique_ptr<PeopleDesk> people_;
  std::unique_ptr<OutsideSignIn> outside_;  // none without a provider
  std::unique_ptr<jobs::Service> jobs_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<ForecastKeeper> forecasts_;
  std::atomic<server::Server*> hears_of_people_{nullptr};
  bool asks_sign_in_ = false;
  mutable std::atomic<bool> first_load_told_{false};  // what the first look found has reached the answers
  std::atomic<bool> stopped_{false};
};

}  // namespace millrace::app
