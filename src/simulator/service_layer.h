// A SAP Business One Service Layer of our own, v1 and v2, with its manners and its bad days: for tests and the demo
// company. What it knows of the real one, and from where, is in docs/erp.md.
//
//   Call ──> request line, Expect ──> fault of the day? ──> session ──> route ──> query over Company ──> Reply
//
// Invariants
//   * Reads no clock, file or random device: same seed, clock and calls, same answers.
//   * Any thread may call; calls are answered one at a time.
//   * Never part of a real company's data.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "outbound/http.h"
#include "simulator/company.h"
#include "simulator/query.h"
#include "simulator/webhooks.h"

namespace millrace::simulator {

struct ServiceLayerOptions {
  std::string company = "NORDWERK", user = "manager", password = "manager";
  std::string version = "1000110";
  std::chrono::minutes session_timeout{30};  // without a call
  std::chrono::minutes utc_offset{60};       // of the server's local time
  std::size_t page_cap = 0;                  // no page is larger, whatever is asked for; 0 no cap
  bool etags_in_collections = true;
  bool refuses_mixed_filters = false;  // a filter by status and by stamp at once is 400
  bool minute_stamps = false;  // older servers keep no seconds of UpdateTime
  bool days_with_time = false;  // v1 writes days as "2026-01-15T00:00:00Z"
  bool absolute_next_links = false;
  std::uint64_t seed = 1;  // of faults
};

enum class Fault : std::uint8_t {
  bad_gateway,      // 502 with the balancer's HTML
  server_error,     // 500
  busy_seconds,     // 429, Retry-After in seconds
  busy_date,        // 429, Retry-After as a date
  reset,            // the connection breaks
  timeout,          // no answer in time
  cut_page,         // 200, and the JSON ends in the middle
  page_twice,       // 200, and the page before once more
  empty_list,       // 200, and a page without rows
  sign_in_page,     // 200, and HTML
  session_dropped,  // 401 code 301
  node_moved,       // the balancer sends the session to another node: a new ROUTEID
  slow,             // the answer takes `FaultPlan::slow`
};
inline constexpr std::size_t fault_count = 13;
std::string_view word(Fault fault);

// How the days are: chances per call, and what lasts.
struct FaultPlan {
  std::array<unsigned, fault_count> per_mille{};
  // Rows in a hundred that the user may not see; the same rows as long as this stays.
  unsigned hidden_percent = 0;
  std::size_t rows_in_time = 0;  // a page with more whole documents times out; 0: none does
  std::chrono::milliseconds slow{20'000};
  std::chrono::seconds retry_after{2};
  unsigned& chance(Fault fault) { return per_mille[static_cast<std::size_t>(fault)]; }
};

struct Stats {
  std::uint64_t calls = 0, logins = 0, logouts = 0, pings = 0;
  std::uint64_t pages = 0;  // collections answered
  std::uint64_t rows = 0;   // in them
  std::uint64_t bytes = 0;
  std::uint64_t faults = 0;   // of FaultPlan
  std::uint64_t refused = 0;  // answers of 400 and more that were not faults
  std::map<std::string, std::uint64_t, std::less<>> by_set;
};

// What everybody who is in step with the ERP has to say.
struct Truth {
  std::map<std::int32_t, Document> orders;
  std::map<std::string, std::string, std::less<>> manufacturer_of_item;  // names
};

class ServiceLayer {
 public:
  // `clock` outlives it.
  ServiceLayer(ServiceLayerOptions options, Company company, const Clock& clock);

  outbound::Reply answer(const outbound::Call& call);

  // Runs `work` on the company, alone.
  template <class Work>
  auto with_company(Work work) {
    const std::lock_guard lock(mutex_);
    return work(company_);
  }
  // Called after every page that was answered: what others do while somebody reads.
  void after_each_page(std::function<void(Company&)> hook);
  Stamp local_time() const;  // the server's own clock

  void plan_faults(FaultPlan plan);
  void fail_next(Fault fault, unsigned calls);  // the next calls, whatever the plan says
  void drop_sessions();                         // a restart of the server
  std::size_t session_count() const;

  // Sends what subscribers have not heard yet; answers how many calls that took. `wire` is used on this thread.
  std::size_t push_events(outbound::Transport& wire);

  Stats stats() const;
  Truth truth() const;

 private:
  struct Session {
    Instant last_call;
    std::string node;
  };
  struct Request;
  using Reply = outbound::Reply;

  std::optional<Fault> choose_fault();
  Reply broken(Fault fault, const Request& request) const;
  Reply route(const Request& request);
  Reply log_in(const Request& request);
  Reply log_out(const Request& request);
  Session* session_of(const Request& request);
  Reply administer(const Request& request);
  Reply read(const Request& request);
  Reply read_page(const Request& request, const EntitySet& set, const Query& query);
  Reply read_one(const Request& request, const EntitySet& set, std::string_view key, const Query& query);
  void spoil(Reply& reply, Fault fault, const Request& request);
  bool may_see(const void* row, const EntitySet& set) const;
  std::string next_link(const Request& request, const EntitySet& set, const Query& query, std::size_t skip,
                        std::size_t taken) const;

  // fixed after construction
  const ServiceLayerOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  Company company_;
  std::map<std::string, Session, std::less<>> sessions_;
  std::uint64_t session_last_ = 0;
  std::function<void(Company&)> hook_;
  Webhooks webhooks_;
  FaultPlan plan_;
  std::optional<Fault> forced_;
  unsigned forced_calls_ = 0;
  std::mt19937_64 dice_;
  std::map<std::string, std::string, std::less<>> page_before_;  // by set and kind of question
  Stats stats_;
};

}  // namespace millrace::simulator
