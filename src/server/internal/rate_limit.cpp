#include "server/internal/rate_limit.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace millrace::server {

namespace {

constexpr std::array<RateRow, 6> rows = {{
    {RateClass::by_method, "", 0, false},
    {RateClass::none, "", 0, false},
    {RateClass::sensitive, "sensitive", 100, true},
    {RateClass::sign_in, "sign-in", 60, true},
    {RateClass::write, "write", 1200, false},
    {RateClass::read, "read", 24'000, false},
}};

}  // namespace

const RateRow& rate_row(RateClass rate) { return rows[static_cast<std::size_t>(rate)]; }

void RateLimiter::Counts::turn_to(std::int64_t second) {
  if (second <= newest) return;
  if (second - newest >= kept) {
    seconds.fill(0);
    sum = 0;
  } else {
    for (std::int64_t passed = newest + 1; passed <= second; ++passed) sum -= std::exchange(seconds[static_cast<std::size_t>(passed % kept)], 0U);
  }
  newest = second;
}

std::int64_t RateLimiter::Counts::oldest() const {
  for (std::int64_t second = newest - kept + 1; second < newest; ++second)
    if (second >= 0 && seconds[static_cast<std::size_t>(second % kept)] > 0) return second;
  return newest;
}

RateLimiter::Counts& RateLimiter::counts_of(Shard& shard, std::string key, std::int64_t second) const {
  if (const auto found = shard.counts.find(key); found != shard.counts.end()) return found->second;
  if (shard.counts.size() >= identities_per_shard_ && shard.cleaned != second) {
    shard.cleaned = second;  // at most once a second: a flood of addresses must not make us search all the time
    std::erase_if(shard.counts, [&](const auto& entry) { return second - entry.second.newest >= kept; });
  }
  if (shard.counts.size() >= identities_per_shard_) key.clear();  // the count that all newcomers share
  Counts& made = shard.counts[std::move(key)];
  made.newest = std::max(made.newest, std::int64_t{0});
  return made;
}

RateDecision RateLimiter::take(const RateRow& row, std::string_view identity, Stopwatch::time_point now) {
  if (row.limit == 0) return {};
  std::string key(1, static_cast<char>(row.rate));
  key.append(identity);
  Shard& shard = shards_[std::hash<std::string>{}(key) % shard_count];
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count() + kept;
  const std::lock_guard lock(shard.mutex);
  Counts& counts = counts_of(shard, std::move(key), second);
  counts.turn_to(second);
  RateDecision decision;
  decision.allowed = counts.sum < row.limit;
  if (decision.allowed) {
    ++counts.seconds[static_cast<std::size_t>(counts.newest % kept)];
    ++counts.sum;
  }
  decision.left = row.limit - counts.sum;
  decision.until = std::chrono::seconds(counts.oldest() + kept - counts.newest);
  return decision;
}

}  // namespace millrace::server
