// Tries to break the sync: random schedules of changes, faults and kills between a simulated ERP and the record.
//
//   seed ──> a schedule ──> rounds of [changes while it reads, faults, kills] ──> quiet ──> record == ERP?
//
// A schedule is good when
//   * after the quiet syncs every order of the record is what the ERP says, and nothing else is there,
//   * no order was ever taken for gone while the ERP had it,
//   * the quiet syncs wrote as many orders as differed, and the last of them nothing at all.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "erp/internal/sync_rules.h"

namespace millrace::testing {

struct ScheduleCounts {
  std::uint64_t schedules = 0, syncs = 0, calls = 0, changes = 0, faults = 0, kills = 0, hints = 0, holds = 0, orders_written = 0;
  ScheduleCounts& operator+=(const ScheduleCounts& other);
};

struct ScheduleResult {
  bool good = true;
  std::string story;  // what the schedule is made of, one line
  std::string why;    // what broke, with the rows
  ScheduleCounts counts;
};

// Everything in it follows from the seed. `rules` are the mistakes the sync is made with; without `renames` nobody
// renames a manufacturer meanwhile.
ScheduleResult run_schedule(std::uint64_t seed, erp::SyncRules rules = {}, bool renames = true);

// "offset", "exclusive", "late_watermark", "absence"; nothing when the word is unknown.
std::optional<erp::SyncRules> broken_rules(std::string_view name);

}  // namespace millrace::testing
