// Kept results: a bounded memory tier, least recently used out first.
//
// Invariants
//   * The Sequence (or whatever decides validity) is part of the key: nothing has to be cleared, lifetimes and the
//     byte bound only limit age and memory.
//   * Values are immutable and shared; an entry may vanish at any time.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
  ~MemoryCache();
  // nullptr when absent.
  std::shared_ptr<const std::string> find(std::string_view key);
  void keep(std::string_view key, std::shared_ptr<const std::string> value);
  Statistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::cache
