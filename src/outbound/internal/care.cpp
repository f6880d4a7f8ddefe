#include "outbound/internal/care.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace millrace::outbound::internal {
namespace {

using namespace std::chrono_literals;

constexpr double millionths = 1e6;
constexpr std::int64_t one_retry = 1'000'000;
constexpr std::chrono::seconds asked_wait_max = 24h;  // more is taken for a mistake of the other side

std::optional<Instant> http_date(std::string_view text) {
  const std::string ended(text);
  const std::time_t seconds = curl_getdate(ended.c_str(), nullptr);
  if (seconds < 0) return std::nullopt;
  return Instant(std::chrono::seconds(seconds));
}

}  // namespace

RetryBudget::RetryBudget(double share, unsigned allowance)
    : share_(std::llround(std::clamp(share, 0.0, 1.0) * millionths)),
      most_(std::max(allowance, 1u) * one_retry),
      held_(allowance * one_retry) {}

void RetryBudget::earn() { held_ = std::min(most_, held_ + share_); }

bool RetryBudget::spend() {
  if (held_ < one_retry) return false;
  held_ -= one_retry;
  return true;
}

bool HourBudget::quiet(Instant now) const {
  const unsigned from = options_.quiet_from_hour, until = options_.quiet_until_hour;
  const auto hour = static_cast<unsigned>((hour_of(now) - std::chrono::floor<std::chrono::days>(now)).count());
  return from <= until ? hour >= from && hour < until : hour >= from || hour < until;
}

bool HourBudget::room(Instant now) const {
  const unsigned most = bound(now);
  if (most == 0) return !quiet(now);
  return used(now) < most;
}

void HourBudget::take(Instant now) {
  used_ = used(now) + 1;
  hour_ = hour_of(now);
}

Instant HourBudget::next(Instant now) const {
  Instant hour = hour_of(now) + 1h;
  for (int ahead = 0; ahead < 24 && !room(hour); ++ahead) hour += 1h;
  return hour;
}

Breaker::Pass Breaker::ask(Steady now) {
  if (state_ == BreakerState::closed) return Pass::go;
  if (state_ == BreakerState::half_open || now < until_) return Pass::refused;
  state_ = BreakerState::half_open;
  return Pass::probe;
}

void Breaker::good() {
  state_ = BreakerState::closed;
  failures_ = 0;
}

bool Breaker::bad(Steady now) {
  ++failures_;
  const bool opens = state_ == BreakerState::half_open || (failures_to_open_ > 0 && failures_ >= failures_to_open_);
  if (!opens) return false;
  state_ = BreakerState::open;
  until_ = now + open_for_;
  return true;
}

void Breaker::undecided() {
  if (state_ == BreakerState::half_open) state_ = BreakerState::open;
}

bool is_failure(const Reply& reply) {
  switch (reply.failure) {
    case Failure::none:
      return reply.status == 408 || reply.status == 429 || reply.status >= 500;
    case Failure::too_large:       // the server is well, the question was not
    case Failure::address_denied:  // so are we
    case Failure::cancelled:
    case Failure::not_sent:
      return false;
    default:
      return true;
  }
}

bool is_passing(const Reply& reply) {
  switch (reply.failure) {
    case Failure::none:
      return is_failure(reply) && reply.status != 501 && reply.status != 505;  // "not implemented" stays so
    case Failure::resolve:
    case Failure::connect:
    case Failure::timeout:
    case Failure::reset:
      return true;
    default:
      return false;
  }
}

std::optional<std::chrono::milliseconds> retry_after(const Reply& reply, Instant now) {
  const std::string_view asked = reply.header("Retry-After");
  if (asked.empty() || reply.failure != Failure::none) return std::nullopt;
  std::chrono::milliseconds wait{};
  std::uint32_t seconds = 0;
  const auto read = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
  if (asked.find_first_not_of("0123456789") == std::string_view::npos) {
    wait = read.ec == std::errc() ? std::chrono::seconds(seconds) : asked_wait_max;
  } else {
    const auto until = http_date(asked);
    if (!until) return std::nullopt;
    const std::string_view theirs = reply.header("Date");
    wait = *until - (theirs.empty() ? now : http_date(theirs).value_or(now));
  }
  return std::clamp<std::chrono::milliseconds>(wait, 0ms, asked_wait_max);
}

}  // namespace millrace::outbound::internal
