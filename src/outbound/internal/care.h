// The three things a Caller asks before a call leaves: is it paid for, has the hour room, is the breaker closed.
// Plain values without clock or lock; times are given.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "outbound/caller.h"

namespace millrace::outbound::internal {

using Steady = std::chrono::steady_clock::time_point;

// A purse: every call fills in `share`, every retry takes one whole. It starts with the allowance and never holds more
// than that, so retries <= share * calls + allowance over any stretch of time, and a long good time pays for no storm.
class RetryBudget {
 public:
  RetryBudget(double share, unsigned allowance);
  void earn();
  bool spend();

 private:
  std::int64_t share_, most_, held_;  // in millionths of a retry
};

// Counts calls per hour of the clock, UTC.
class HourBudget {
 public:
  explicit HourBudget(const CareOptions& options) : options_(options) {}
  bool quiet(Instant now) const;
  unsigned bound(Instant now) const { return quiet(now) ? options_.quiet_calls_per_hour : options_.calls_per_hour; }
  unsigned used(Instant now) const { return hour_of(now) == hour_ ? used_ : 0; }
  bool room(Instant now) const;
  void take(Instant now);
  // The start of the next hour that has room.
  Instant next(Instant now) const;

 private:
  static std::chrono::sys_time<std::chrono::hours> hour_of(Instant now) {
    return std::chrono::floor<std::chrono::hours>(now);
  }

  CareOptions options_;
  std::chrono::sys_time<std::chrono::hours> hour_{};
  unsigned used_ = 0;
};

//   closed ── failures_to_open in a row ──> open ── open_for passed, somebody asks ──> half_open
//     ^                                      ^──────────── the probe failed ─────────────┤
//     └──────────────────────────────────────────────────── the probe was good ──────────┘
class Breaker {
 public:
  enum class Pass { go, probe, refused };

  Breaker(unsigned failures_to_open, std::chrono::milliseconds open_for)
      : failures_to_open_(failures_to_open), open_for_(open_for) {}
  Pass ask(Steady now);
  void good();
  // True when this failure opened it.
  bool bad(Steady now);
  // The probe was neither, because we stop.
  void undecided();

  BreakerState state() const { return state_; }
  Steady until() const { return until_; }  // of the open state
  unsigned failures_in_a_row() const { return failures_; }

 private:
  unsigned failures_to_open_;
  std::chrono::milliseconds open_for_;
  BreakerState state_ = BreakerState::closed;
  unsigned failures_ = 0;
  Steady until_{};
};

// No answer or one that says "later": what a breaker counts.
bool is_failure(const Reply& reply);
// A failure that the same call may not meet the next time.
bool is_passing(const Reply& reply);

// How long the other side asked us to wait, in seconds or up to a date, which is measured from the reply's own Date
// when it has one; nullopt when it did not ask or nobody can read it. Never negative, at most a day.
std::optional<std::chrono::milliseconds> retry_after(const Reply& reply, Instant now);

}  // namespace millrace::outbound::internal
