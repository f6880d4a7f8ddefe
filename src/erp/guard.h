// Whether a sync may be committed or has to wait for a person: who sees less of an ERP than yesterday (a right was
// taken away, another company is mounted) must not take it for closed and removed orders.
//
// Invariants
//   * Pure: counts and amounts in, a sentence out.
//   * A sync that touches no more than `gone_always` rows is never held, except when nothing at all would be left.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "domain/money.h"
#include "erp/service_source.h"

namespace millrace::erp {

// What one sync of one stream would do.
struct Consequence {
  std::uint64_t rows_before = 0, open_before = 0;
  std::uint64_t gone = 0;    // of rows_before
  std::uint64_t closed = 0;  // of open_before: still there, not open any more
  struct Total {
    std::int64_t before = 0, after = 0;  // open total, minor units
    std::uint64_t changed = 0;           // rows that move it
  };
  std::map<Currency, Total> totals;
};

// Many rows move the open total further than the share.
bool moves_too_far(const GuardOptions& options, const Consequence::Total& total);
// Nothing when it may be committed; else one sentence with the numbers and what a person can do.
std::optional<std::string> why_held(const GuardOptions& options, std::string_view stream, const Consequence& consequence);

}  // namespace millrace::erp
