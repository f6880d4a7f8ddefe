// The demo company's ERP: a simulated Service Layer on loopback that knows most orders of the folder, some that nobody
// filed, and a few in another quantity, price or date.
//
//   DemoCompany ──> orders as the ERP knows them ──> simulator::ServiceLayer ──> Listener (127.0.0.1)
//   DemoTicker  ──> follow: what was filed is booked too          tick: what only the ERP knows
//
// Invariants
//   * Same seed, company and sequence of calls: the same ERP. What happened in an earlier run is in a file beside the
//     orders, so that the ERP does not forget what the record has seen.
//   * At most `orders_max` orders: the newest. When its notes reach `notes_max` bytes it stands still.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "app/demo_company.h"
#include "app/demo_files.h"
#include "app/source_settings.h"
#include "base/result.h"
#include "base/time.h"
#include "simulator/listener.h"
#include "simulator/service_layer.h"

namespace millrace::app {

// An order of the company as the ERP keeps it; nothing when the ERP cannot say it (a line that was cancelled alone).
std::optional<simulator::Document> erp_document(const SalesOrder& order);

class DemoErp {
 public:
  static constexpr std::size_t orders_max = 4000;
  static constexpr std::int64_t notes_max = 64 << 20;
  static constexpr std::size_t differences_max = 12;  // that it makes itself; then the oldest is booked as filed

  // `clock` outlives it. `tree` says whether the company is that of an earlier run.
  // Errors   unavailable  no free port, or the data folder cannot be written
  static Result<std::unique_ptr<DemoErp>> start(const DemoCompany& company, const DemoTree& tree, std::string data,
                                                const Clock& clock);

  // The source "erp" that reads it.
  SourceSettings source() const;
  std::string url() const { return listener_->url() + "/b1s/v2"; }

  // The folder's order is booked, if the ERP knows it or it is new. Errors  unavailable  the disk refuses the note
  Result<void> follow(const SalesOrder& order);
  // One change that only the ERP knows. Answers its words: "SO 100007: 4 more of line 2".
  Result<std::string> tick();

  simulator::ServiceLayer& server() { return *server_; }
  std::size_t only_here() const { return only_here_; }  // orders without a file

 private:
  DemoErp(const DemoCompany& company, std::string data);
  simulator::Company first_day(const DemoTree& tree);
  void book(simulator::Company& company, const SalesOrder& order, simulator::Stamp now);
  bool knows(std::size_t index) const;
  SalesOrder unfiled_order(std::size_t index) const;
  bool change(SalesOrder& order, Dice& dice, std::string& words) const;
  Result<bool> note(const SalesOrder& order, bool filed) const;
  void read_notes(simulator::Company& company);

  const DemoCompany& company_;
  const std::string data_;
  Dice dice_;
  std::map<std::string, SalesOrder> filed_;      // by number: what the folder says
  std::map<std::string, std::int32_t> entries_;  // by number: DocEntry
  std::deque<std::string> different_;            // numbers, oldest first
  std::size_t only_here_ = 0;
  std::unique_ptr<simulator::ServiceLayer> server_;
  std::unique_ptr<simulator::Listener> listener_;
};

}  // namespace millrace::app
