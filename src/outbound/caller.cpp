#include "outbound/caller.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <random>

#include "base/log.h"
#include "base/text.h"
#include "outbound/internal/care.h"

namespace millrace::outbound {
namespace {

using namespace internal;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

CallCount plus(CallCount left, const CallCount& right) {
  left.calls += right.calls;
  left.retries += right.retries;
  left.failed += right.failed;
  left.bytes += right.bytes;
  left.time += right.time;
  return left;
}

// "2026-11-22 09:00:00 UTC" says enough to a person.
std::string shown(Instant instant) { return utc_seconds(instant) + " UTC"; }

// Bounded words for the label of a metric.
std::string_view outcome_word(const Reply& reply) {
  if (reply.failure != Failure::none) return word(reply.failure);
  switch (reply.status / 100) {
    case 2:
      return "2xx";
    case 3:
      return "3xx";
    case 4:
      return "4xx";
    case 5:
      return "5xx";
    default:
      return "other";
  }
}

std::string failure_sentence(const Call& call, const Reply& reply) {
  if (reply.failure != Failure::none) return reply.text;
  return fmt::format("{} answered {}", printable(host_of(call.url)), reply.status);
}

}  // namespace

std::string_view word(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half_open";
  }
  return "";
}

std::string_view word(CallKind kind) {
  static constexpr std::array<std::string_view, call_kind_count> words{"login", "page",  "scan", "fetch",
                                                                       "slice", "probe", "push", "other"};
  return words[static_cast<std::size_t>(kind)];
}

CallCount CallCounts::all() const {
  CallCount sum;
  for (const auto& one : of) sum = plus(sum, one);
  return sum;
}

CallCounts operator-(const CallCounts& later, const CallCounts& earlier) {
  CallCounts between;
  for (std::size_t kind = 0; kind < call_kind_count; ++kind) {
    const CallCount &to = later.of[kind], &from = earlier.of[kind];
    between.of[kind] = {to.calls - from.calls, to.retries - from.retries, to.failed - from.failed,
                        to.bytes - from.bytes, to.time - from.time};
  }
  return between;
}

struct Caller::Impl {
  Impl(CareOptions care, Transport& way, Pace& pace_of, const Clock& clock_of, std::uint64_t seed, Call probe_call)
      : options(care),
        transport(way),
        pace(pace_of),
        clock(clock_of),
        probe(std::move(probe_call)),
        random(seed),
        retries(care.retry_share, care.retry_allowance),
        breaker(care.failures_to_open, care.open_for),
        hours(care) {}

  Outcome send(const Call& call, CallKind kind, bool repeatable);
  CallerStatus status() const;
  void count_in(metrics::Registry& to, std::string_view source);

  // Nothing: the call may leave.
  std::optional<Outcome> refused(const Call& call);
  std::optional<Outcome> refused_by_pause(const Call& call);
  std::optional<Outcome> refused_by_probe(const Call& call);
  Reply once(const Call& call, CallKind kind, bool retry, bool repeatable);
  void note(const Call& call, CallKind kind, bool retry, const Reply& reply);
  bool wait_before_retry(unsigned retry);
  Outcome held_back(std::string why, Instant again_at) const;
  Outcome held_back_until(const Call& call, Steady until, std::string_view why) const;
  Outcome stopped(const Call& call) const;
  Instant instant_of(Steady then) const { return clock.now() + std::chrono::ceil<milliseconds>(then - pace.now()); }

  // Fixed after construction.
  const CareOptions options;
  Transport& transport;
  Pace& pace;
  const Clock& clock;
  const Call probe;

  // Of the calling thread alone.
  std::mt19937_64 random;
  RetryBudget retries;

  mutable std::mutex mutex;
  // Guarded by it; never held while a call or a wait runs.
  Breaker breaker;
  HourBudget hours;
  CallCounts counts;
  std::string last_failure;
  Steady not_before{};  // the other side asked for a pause
  metrics::Registry* registry = nullptr;
  std::string source_name;  // as it counts there
  metrics::Gauge* breaker_gauge = nullptr;
};

Caller::Outcome Caller::Impl::held_back(std::string why, Instant again_at) const {
  Outcome outcome{.reply = {}, .refused_by_us = true, .why = std::move(why), .again_at = again_at};
  outcome.reply.failure = Failure::not_sent;
  outcome.reply.text = outcome.why;
  return outcome;
}

Caller::Outcome Caller::Impl::held_back_until(const Call& call, Steady until, std::string_view why) const {
  const Instant again_at = instant_of(until);
  return held_back(fmt::format("{} {}: it is called again at {}", printable(host_of(call.url)), why, shown(again_at)),
                   again_at);
}

Caller::Outcome Caller::Impl::stopped(const Call& call) const {
  Outcome outcome;
  outcome.reply.failure = Failure::cancelled;
  outcome.reply.text = "the call to " + printable(host_of(call.url)) + " was ended because Millrace stops";
  return outcome;
}

// A pause that the other side asked for: a short one is waited for, a long one refuses calls until then.
std::optional<Caller::Outcome> Caller::Impl::refused_by_pause(const Call& call) {
  Steady until;
  {
    const std::scoped_lock lock(mutex);
    until = not_before;
  }
  const Steady now = pace.now();
  if (until <= now) return std::nullopt;
  if (until - now > options.retry_after_max) return held_back_until(call, until, "asked us to wait");
  return pace.wait_until(until) ? std::nullopt : std::optional(stopped(call));
}

// The breaker is half open: one probe decides whether the call may leave.
std::optional<Caller::Outcome> Caller::Impl::refused_by_probe(const Call& call) {
  const Reply reply = once(probe, CallKind::probe, false, true);
  if (reply.failure == Failure::cancelled) return stopped(call);
  const std::scoped_lock lock(mutex);
  if (breaker.state() == BreakerState::closed) return std::nullopt;
  return held_back_until(call, breaker.until(), "is still not well (" + last_failure + ")");
}

std::optional<Caller::Outcome> Caller::Impl::refused(const Call& call) {
  if (auto outcome = refused_by_pause(call)) return outcome;
  const auto hour_is_full = [&]() -> std::optional<Outcome> {
    const std::scoped_lock lock(mutex);
    const Instant now = clock.now();
    if (hours.room(now)) return std::nullopt;
    const Instant next = hours.next(now);
    const std::string budget = hours.bound(now) == 0
                                   ? "these are the quiet hours of "
                                   : fmt::format("the {} calls an hour are used up for ", hours.bound(now));
    return held_back(budget + printable(host_of(call.url)) + ": it is called again at " + shown(next), next);
  };
  if (auto outcome = hour_is_full()) return outcome;
  Breaker::Pass pass;
  {
    const std::scoped_lock lock(mutex);
    pass = breaker.ask(pace.now());
    if (pass == Breaker::Pass::refused)
      return held_back_until(call, breaker.until(), "is not called for a while (" + last_failure + ")");
    if (breaker_gauge != nullptr) breaker_gauge->set(static_cast<std::int64_t>(breaker.state()));
  }
  if (pass == Breaker::Pass::go || probe.url.empty()) return std::nullopt;
  if (auto outcome = refused_by_probe(call)) return outcome;
  return hour_is_full();  // the probe may have been the last call of the hour
}

void Caller::Impl::note(const Call& call, CallKind kind, bool retry, const Reply& reply) {
  const bool failure = is_failure(reply);
  const std::scoped_lock lock(mutex);
  CallCount& count = counts.of[static_cast<std::size_t>(kind)];
  ++count.calls;
  count.retries += retry ? 1 : 0;
  count.failed += reply.failure != Failure::none || failure ? 1 : 0;
  count.bytes += reply.bytes_received;
  count.time += reply.took;
  if (reply.failure == Failure::cancelled) {
    breaker.undecided();
    return;
  }
  if (failure) {
    last_failure = failure_sentence(call, reply);
    const Steady now = pace.now();
    if (const auto asked = retry_after(reply, clock.now())) not_before = std::max(not_before, now + *asked);
    const bool was_closed = breaker.state() == BreakerState::closed;
    if (breaker.bad(now) && was_closed) {  // a probe that fails is no news
      log_warning("outbound_breaker_open", {{"host", printable(host_of(call.url))},
                                            {"until", shown(instant_of(breaker.until()))},
                                            {"because", last_failure}});
    }
  } else if (reply.failure != Failure::address_denied) {
    if (breaker.state() != BreakerState::closed)
      log_info("outbound_breaker_closed", {{"host", printable(host_of(call.url))}});
    breaker.good();
  } else {
    breaker.undecided();
  }
  if (registry == nullptr) return;
  registry->counter("millrace_outbound_calls_total", word(kind), outcome_word(reply)).add();
  registry->counter("millrace_outbound_bytes_total", source_name, word(kind)).add(reply.bytes_received);
  registry->timing("millrace_outbound_call_seconds", word(kind)).record(reply.took);
  breaker_gauge->set(static_cast<std::int64_t>(breaker.state()));
}

Reply Caller::Impl::once(const Call& call, CallKind kind, bool retry, bool repeatable) {
  {
    const std::scoped_lock lock(mutex);
    hours.take(clock.now());
  }
  Reply reply;
  if (repeatable || call.fresh_connection) {
    reply = transport.send(call);
  } else {
    Call alone = call;
    alone.fresh_connection = true;
    reply = transport.send(alone);
  }
  note(call, kind, retry, reply);
  return reply;
}

// Full jitter: anywhere between now and base * 2^try, so that many callers do not come back together.
bool Caller::Impl::wait_before_retry(unsigned retry) {
  const auto widest = std::min(options.wait_max, options.wait_base * (std::int64_t{1} << std::min(retry, 20u)));
  const milliseconds jitter(
      std::uniform_int_distribution<std::int64_t>(0, std::max<std::int64_t>(widest.count(), 0))(random));
  Steady until = pace.now() + jitter;
  {
    const std::scoped_lock lock(mutex);
    until = std::max(until, not_before);
  }
  return pace.wait_until(until);
}

Caller::Outcome Caller::Impl::send(const Call& call, CallKind kind, bool repeatable) {
  if (auto outcome = refused(call)) return *outcome;
  retries.earn();
  const auto may_retry = [&] {
    const std::scoped_lock lock(mutex);
    return breaker.state() == BreakerState::closed && hours.room(clock.now()) &&
           not_before - pace.now() <= options.retry_after_max;
  };
  // A call that is itself the probe of a half-open breaker fails once: the breaker is open then.
  for (unsigned tried = 1;; ++tried) {
    Outcome outcome;
    outcome.reply = once(call, kind, tried > 1, repeatable);
    const unsigned tries_max = outcome.reply.failure == Failure::timeout
                                   ? std::min(options.timeout_tries_max, options.tries_max)
                                   : options.tries_max;
    const bool again = repeatable && is_passing(outcome.reply) && tried < tries_max && may_retry() && retries.spend();
    if (!again) return outcome;
    if (!wait_before_retry(tried - 1)) return stopped(call);
    if (!may_retry()) return outcome;  // the wait ended in another hour
  }
}

CallerStatus Caller::Impl::status() const {
  const Instant now = clock.now();
  const Steady steady_now = pace.now();
  const std::scoped_lock lock(mutex);
  CallerStatus status;
  status.breaker = breaker.state();
  if (breaker.state() == BreakerState::open) status.breaker_until = instant_of(breaker.until());
  status.failures_in_a_row = breaker.failures_in_a_row();
  status.calls_this_hour = hours.used(now);
  status.calls_per_hour = hours.bound(now);
  status.quiet = hours.quiet(now);
  if (not_before > steady_now) status.held_until = instant_of(not_before);
  status.last_failure = last_failure;
  status.counts = counts;
  return status;
}

void Caller::Impl::count_in(metrics::Registry& to, std::string_view source) {
  const std::scoped_lock lock(mutex);
  registry = &to;
  source_name = source;
  breaker_gauge = &to.gauge("millrace_outbound_breaker_state", source);
  breaker_gauge->set(static_cast<std::int64_t>(breaker.state()));
}

Caller::Caller(CareOptions options, Transport& transport, Pace& pace, const Clock& clock, std::uint64_t seed,
               Call probe)
    : impl_(std::make_shared<Impl>(options, transport, pace, clock, seed, std::move(probe))) {}

Caller::Outcome Caller::send(const Call& call, CallKind kind, bool repeatable) {
  return impl_->send(call, kind, repeatable);
}
CallerStatus Caller::status() const { return impl_->status(); }
void Caller::count_in(metrics::Registry& registry, std::string_view source) { impl_->count_in(registry, source); }

}  // namespace millrace::outbound
