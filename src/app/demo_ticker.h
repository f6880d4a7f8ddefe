// The demo's ticking ERP: changes the order folder slowly, as people and their ERP do, while the demo runs.
//
// Invariants
//   * Same seed, company and sequence of instants: the same changes.
//   * A careful writer: every file appears whole; a move writes the new place first and removes the old one after, so
//     that an order is never missing.
//   * Only files that still look as this program left them are touched; what a person edited is the person's.
//   * Nothing but the next order's number outlives a run: after a restart, orders that an earlier run entered or changed
//     no longer look like the company's first day and stay as they are; the others and new ones go on moving.
#pragma once
#include <string>
#include <vector>

#include "app/demo_company.h"
#include "app/demo_files.h"

namespace millrace::app {

class DemoTicker {
 public:
  // Bound on the orders it keeps in mind; older open ones stay as they are.
  static constexpr std::size_t active_max = 4000;

  DemoTicker(const DemoCompany& company, std::string data, const DemoTree& tree);

  struct Tick {
    std::string text;  // "SO 103001 entered for Petersen Wassertechnik GmbH"
    std::string path;  // of the file that says so now
    SalesOrder order;  // as the file says it
  };
  // One change at `now`. Errors  unavailable  the folder could not be written; the next step tries another order
  Result<Tick> step(Instant now);

  std::size_t active_count() const { return active_.size(); }

 private:
  Result<Tick> enter_order(Instant now);
  Result<Tick> deliver(std::size_t at, Instant now);
  Result<Tick> move_forward(std::size_t at, Instant now);
  Result<Tick> change_terms(std::size_t at, Instant now);
  Result<Tick> publish(std::size_t at, DemoDocument changed, std::string text, Instant now);
  bool untouched(const DemoDocument& document) const;

  const DemoCompany& company_;
  std::string data_;
  std::string root_;
  Dice dice_;
  std::size_t next_index_;
  std::vector<DemoDocument> active_;
};

}  // namespace millrace::app
