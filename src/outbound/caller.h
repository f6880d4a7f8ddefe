// Calls made with care for the other side: budget, retries, circuit breaker, every call counted.
//
//   allowed by budget and breaker? ── send ──> good: counted
//                                      └─> 408 429 5xx reset timeout: wait (full jitter, Retry-After), again while the
//                                          retry budget lasts; `failures_to_open` in a row open the breaker
//
// Invariants
//   * One call is in flight at a time (`Caller` is used by one thread; counters may be read by any).
//   * Only calls marked repeatable are sent again.
//   * Waiting is `base * 2^try` with full jitter (Brooker, "Exponential Backoff And Jitter", 2015), bounded by
//     `wait_max`; a Retry-After (seconds or date) is obeyed, up to `retry_after_max`.
//   * Retries never exceed `retry_share` of the calls made plus a small allowance: a storm does not grow.
//   * While the breaker is open no call leaves except, after `open_for`, the one probe.
//   * Failures are: no answer, 408, 429 and 5xx. Everything else is an answer, 401 and 404 included.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "metrics/metrics.h"
#include "outbound/http.h"

namespace millrace::outbound {

struct CareOptions {
  unsigned tries_max = 5;
  unsigned timeout_tries_max = 2;  // of a call that met its deadline: whoever asks for less then is answered sooner
  std::chrono::milliseconds wait_base{250};
  std::chrono::milliseconds wait_max{30'000};
  std::chrono::milliseconds retry_after_max{300'000};
  double retry_share = 0.10;
  unsigned retry_allowance = 10;
  unsigned failures_to_open = 5;  // 0: the breaker never opens
  std::chrono::milliseconds open_for{15'000};
  // Calls per hour of the clock; 0 is no bound. Quiet hours (UTC hour from, until) have a bound of their own, where 0
  // is what it says: no call at all.
  unsigned calls_per_hour = 0;
  unsigned quiet_from_hour = 0, quiet_until_hour = 0;  // equal: no quiet hours
  unsigned quiet_calls_per_hour = 0;
};

enum class BreakerState : std::uint8_t { closed, open, half_open };
std::string_view word(BreakerState state);

// What a call is for; each is counted apart.
enum class CallKind : std::uint8_t { login, page, scan, fetch, slice, probe, push, other };
inline constexpr std::size_t call_kind_count = 8;
std::string_view word(CallKind kind);

struct CallCount {
  std::uint64_t calls = 0;    // sent, tries included
  std::uint64_t retries = 0;  // of them
  std::uint64_t failed = 0;   // no answer, or a status that is none
  std::uint64_t bytes = 0;
  std::chrono::microseconds time{0};
};
struct CallCounts {
  std::array<CallCount, call_kind_count> of{};
  CallCount all() const;
};
CallCounts operator-(const CallCounts& later, const CallCounts& earlier);

struct CallerStatus {
  BreakerState breaker = BreakerState::closed;
  std::optional<Instant> breaker_until;
  unsigned failures_in_a_row = 0;
  unsigned calls_this_hour = 0;
  unsigned calls_per_hour = 0;        // as it is at this time of day; 0 is no bound, in quiet hours none at all
  bool quiet = false;                 // quiet hours now
  std::optional<Instant> held_until;  // the other side asked for a pause (Retry-After)
  std::string last_failure;           // one sentence
  CallCounts counts;                  // since the start
};

class Caller {
 public:
  // `probe` is the call that a half-open breaker tries first (SAP: GET /ping); without a url the next call is the
  // probe.
  Caller(CareOptions options, Transport& transport, Pace& pace, const Clock& clock, std::uint64_t seed,
         Call probe = {});

  // From now on calls are also counted there, the breaker's state under the name of the source.
  void count_in(metrics::Registry& registry, std::string_view source);

  // The reply of the last try. Failure::cancelled while we stop.
  struct Outcome {
    Reply reply;
    bool refused_by_us = false;       // nothing was sent, reply.failure is not_sent
    std::string why;                  // one sentence then, with the time of the next try
    std::optional<Instant> again_at;  // before this a call is refused
  };
  Outcome send(const Call& call, CallKind kind, bool repeatable = true);

  CallerStatus status() const;  // any thread

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace::outbound
