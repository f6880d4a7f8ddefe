#include "cache/cache.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "metrics/metrics.h"

namespace millrace::cache {
namespace {

// Each shard has its own lock, so that readers on several threads rarely meet.
constexpr std::size_t shard_count_max = 8;
// A cache so small that a shard could not hold an ordinary answer is not cut up.
constexpr std::uint64_t shard_bytes_min = 1 << 20;

// Node, table slot and control blocks around one entry.
constexpr std::uint64_t entry_overhead_bytes = 160;

using Value = std::shared_ptr<const std::string>;

struct Entry {
  std::string key;
  Value value;
  std::uint64_t bytes = 0;
};

struct Hash {
  std::size_t operator()(std::string_view key) const { return hash64(key); }
};

class Shard {
 public:
  explicit Shard(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  Value find(std::string_view key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      ++misses_;
      return nullptr;
    }
    ++hits_;
    recent_first_.splice(recent_first_.begin(), recent_first_, found->second);
    return found->second->value;
  }

  void keep(std::string_view key, Value value) {
    const std::uint64_t bytes = key.size() + value->size() + entry_overhead_bytes;
    std::list<Entry> dropped;  // freed after the lock
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) drop(found->second, dropped);
    if (bytes > bytes_max_) return;
    while (bytes_ + bytes > bytes_max_) {
      drop(std::prev(recent_first_.end()), dropped);
      ++evictions_;
    }
    recent_first_.push_front(Entry{std::string(key), std::move(value), bytes});
    by_key_.emplace(recent_first_.front().key, recent_first_.begin());
    bytes_ += bytes;
  }

  void add_to(Statistics& sum) const {
    const std::lock_guard lock(mutex_);
    sum.hits += hits_;
    sum.misses += misses_;
    sum.evictions += evictions_;
    sum.entries += by_key_.size();
    sum.bytes += bytes_;
    sum.bytes_max += bytes_max_;
  }

 private:
  void drop(std::list<Entry>::iterator entry, std::list<Entry>& dropped) {
    by_key_.erase(entry->key);
    bytes_ -= entry->bytes;
    dropped.splice(dropped.end(), recent_first_, entry);
  }

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::list<Entry> recent_first_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator, Hash> by_key_;  // views into recent_first_
  std::uint64_t bytes_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace

struct MemoryCache::Impl {
  explicit Impl(std::uint64_t bytes_max) {
    const std::uint64_t shard_count = std::clamp<std::uint64_t>(bytes_max / shard_bytes_min, 1, shard_count_max);
    for (std::uint64_t i = 0; i < shard_count; ++i) shards.push_back(std::make_unique<Shard>(bytes_max / shard_count));
  }

  Shard& shard(std::string_view key) {
    // The table inside a shard uses the low bits of the same hash.
    return *shards[(hash64(key) >> 32) % shards.size()];
  }

  // fixed after construction; each shard is locked inside itself
  std::vector<std::unique_ptr<Shard>> shards;
  metrics::Counter* hits = nullptr;
  metrics::Counter* misses = nullptr;
};

MemoryCache::MemoryCache(std::uint64_t bytes_max) : impl_(std::make_unique<Impl>(bytes_max)) {}

MemoryCache::MemoryCache(std::uint64_t bytes_max, metrics::Registry& registry) : MemoryCache(bytes_max) {
  impl_->hits = &registry.counter("millrace_cache_hits_total");
  impl_->misses = &registry.counter("millrace_cache_misses_total");
}

MemoryCache::~MemoryCache() = default;

std::shared_ptr<const std::string> MemoryCache::find(std::string_view key) {
  Value value = impl_->shard(key).find(key);
  if (metrics::Counter* counter = value ? impl_->hits : impl_->misses) counter->add();
  return value;
}

void MemoryCache::keep(std::string_view key, std::shared_ptr<const std::string> value) {
  if (value) impl_->shard(key).keep(key, std::move(value));
}

Statistics MemoryCache::statistics() const {
  Statistics sum;
  for (const auto& shard : impl_->shards) shard->add_to(sum);
  return sum;
}

}  // namespace millrace::cache
