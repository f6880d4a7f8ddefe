// How many requests one person, machine or address may make: classes of routes in one table, counted exactly.
//
// Invariants
//   * In any 60 seconds at most `limit` requests of a class are allowed to one identity, however they are spelled, cut or
//     spread over connections; the first `limit` are always allowed.
//   * Bounded: beyond `identities_max` the newcomers share one count until older ones are quiet.
//   * Any thread may call.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace millrace::server {

enum class RateClass : std::uint8_t {
  by_method,  // of a route: read for GET, write for the others
  none,       // health: never refused
  sensitive,
  sign_in,
  write,
  read,
};

struct RateRow {
  RateClass rate;
  std::string_view name;  // in the RateLimit fields
  std::uint32_t limit;    // per minute and identity; 0: not counted
  bool loopback_counts;   // without sign-in everybody on this machine is one: counting them would refuse the owner
};
const RateRow& rate_row(RateClass rate);

inline constexpr std::chrono::seconds rate_window{60};

struct RateDecision {
  bool allowed = true;
  std::uint32_t left = 0;
  std::chrono::seconds until{0};  // when one more is allowed, or when the count is smaller again
};

class RateLimiter {
 public:
  explicit RateLimiter(std::size_t identities_max = 65'536) : identities_per_shard_(identities_max / shard_count) {}
  // Counts the request when it is allowed.
  RateDecision take(const RateRow& row, std::string_view identity, Stopwatch::time_point now);

 private:
  // Requests per second of the last 60 and the one that is running: what was counted in the middle of a second goes
  // only when that whole second is a minute ago.
  static constexpr std::int64_t kept = 61;
  struct Counts {
    std::array<std::uint32_t, kept> seconds{};
    std::uint32_t sum = 0;
    std::int64_t newest = 0;
    void turn_to(std::int64_t second);
    std::int64_t oldest() const;  // the second of the oldest counted request
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Counts> counts;
    std::int64_t cleaned = 0;
  };
  static constexpr std::size_t shard_count = 16;
  Counts& counts_of(Shard& shard, std::string key, std::int64_t second) const;

  const std::size_t identities_per_shard_;
  const Stopwatch::time_point start_ = Stopwatch::now();
  std::array<Shard, shard_count> shards_;
};

}  // namespace millrace::server
