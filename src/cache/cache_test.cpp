#include "cache/cache.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <thread>
#include <vector>

#include "metrics/metrics.h"

using namespace millrace;
using cache::MemoryCache;

namespace {

std::shared_ptr<const std::string> text(std::string value) {
  return std::make_shared<const std::string>(std::move(value));
}

std::string numbered(const char* word, std::uint64_t number) { return word + std::to_string(number); }

}  // namespace

TEST_CASE("What was kept is found, what was not is a miss") {
  MemoryCache cache(1 << 20);
  CHECK(cache.find("77|/api/v1/orders") == nullptr);
  const auto answer = text("rows");
  cache.keep("77|/api/v1/orders", answer);
  CHECK(cache.find("77|/api/v1/orders") == answer);
  CHECK(cache.find("78|/api/v1/orders") == nullptr);
  const auto statistics = cache.statistics();
  CHECK(statistics.hits == 1);
  CHECK(statistics.misses == 2);
  CHECK(statistics.entries == 1);
}

TEST_CASE("Keeping again under the same key replaces the value and counts its bytes once") {
  MemoryCache cache(1 << 20);
  cache.keep("a", text("first"));
  const auto before = cache.statistics().bytes;
  cache.keep("a", text("other"));
  CHECK(*cache.find("a") == "other");
  CHECK(cache.statistics().entries == 1);
  CHECK(cache.statistics().bytes == before);
  CHECK(cache.statistics().evictions == 0);
}

TEST_CASE("The least recently used entry leaves first") {
  MemoryCache cache(4'000);  // three entries of about 1,200 bytes
  const std::string body(1'000, 'x');
  cache.keep("a", text(body));
  cache.keep("b", text(body));
  cache.keep("c", text(body));
  REQUIRE(cache.find("a") != nullptr);  // now b is the oldest in use
  cache.keep("d", text(body));
  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("a") != nullptr);
  CHECK(cache.find("c") != nullptr);
  CHECK(cache.find("d") != nullptr);
  CHECK(cache.statistics().evictions == 1);
}

TEST_CASE("An answer larger than the cache is handed out but not kept, and drops the outdated one") {
  MemoryCache cache(4'000);
  cache.keep("a", text("small"));
  cache.keep("a", text(std::string(5'000, 'x')));
  CHECK(cache.find("a") == nullptr);
  CHECK(cache.statistics().bytes == 0);
}

TEST_CASE("An evicted value stays good for the reader who holds it") {
  MemoryCache cache(4'000);
  cache.keep("a", text(std::string(2'000, 'a')));
  const auto held = cache.find("a");
  for (int i = 0; i < 10; ++i) cache.keep(numbered("k", static_cast<std::uint64_t>(i)), text(std::string(2'000, 'b')));
  CHECK(cache.find("a") == nullptr);
  CHECK(*held == std::string(2'000, 'a'));
}

TEST_CASE("No value is kept under a null pointer, and a cache of no bytes keeps nothing") {
  MemoryCache none(0);
  none.keep("a", text("b"));
  none.keep("b", nullptr);
  CHECK(none.find("a") == nullptr);
  CHECK(none.statistics().entries == 0);
}

TEST_CASE("Random use never answers a wrong value and never passes the byte bound") {
  CHECK(rc::check("cache against a map", [] {
    MemoryCache cache(*rc::gen::element<std::uint64_t>(0, 500, 4'000, 4 << 20));
    std::map<std::string, std::string> last;
    const auto steps = *rc::gen::container<std::vector<std::tuple<bool, int, int>>>(
        rc::gen::tuple(rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 20), rc::gen::inRange(0, 900)));
    for (const auto& [keep, key_number, size] : steps) {
      const std::string key = "key" + std::to_string(key_number);
      if (keep) {
        last[key] = std::string(static_cast<std::size_t>(size), static_cast<char>('a' + key_number));
        cache.keep(key, text(last[key]));
      } else if (const auto found = cache.find(key)) {
        RC_ASSERT(*found == last.at(key));
      }
      const auto statistics = cache.statistics();
      RC_ASSERT(statistics.bytes <= statistics.bytes_max);
      RC_ASSERT((statistics.entries == 0) == (statistics.bytes == 0));
    }
  }));
}

TEST_CASE("Many threads share one cache and the metrics count every look") {
  metrics::Registry registry;
  MemoryCache cache(8 << 20, registry);
  constexpr std::uint64_t threads = 4, rounds = 4'000;
  {
    std::vector<std::jthread> readers;
    for (std::uint64_t t = 0; t < threads; ++t)
      readers.emplace_back([&cache, t] {
        for (std::uint64_t i = 0; i < rounds; ++i) {
          const std::string key = numbered("order", (i * 31 + t) % 500);
          if (const auto found = cache.find(key)) {
            CHECK(*found == key);
          } else {
            cache.keep(key, text(key));
          }
        }
      });
  }
  const auto statistics = cache.statistics();
  CHECK(statistics.hits + statistics.misses == threads * rounds);
  CHECK(statistics.entries == 500);
  CHECK(registry.counter("millrace_cache_hits_total").value() == statistics.hits);
  CHECK(registry.counter("millrace_cache_misses_total").value() == statistics.misses);
}
