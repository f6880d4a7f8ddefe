// Kept results: a bounded memory tier, least recently used out first.
//
// Invariants
//   * The Sequence (or whatever decides validity) is part of the key: nothing has to be cleared, the byte bound
//     only limits memory.
//   * Keys, values and their housekeeping together stay within `bytes_max`.
//   * Values are immutable and shared; an entry may vanish at any time. Any thread may call.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::metrics {
class Registry;
}

namespace millrace::cache {

struct Statistics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
};

class MemoryCache {
 public:
  explicit MemoryCache(std::uint64_t bytes_max);
  // Counts hits and misses in `registry` too, which must outlive the cache.
  MemoryCache(std::uint64_t bytes_max, metrics::Registry& registry);
  ~MemoryCache();
  // nullptr when absent.
  std::shared_ptr<const std::string> find(std::string_view key);
  // Replaces what was kept under `key`. A value too large for its part of the cache (an eighth of `bytes_max`, all
  // of it below 2 MiB) is not kept.
  void keep(std::string_view key, std::shared_ptr<const std::string> value);
  Statistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::cache
