// Content fingerprints: XXH3-128 by default, MD5 where a company asks for it (S0's method, M008).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

// 16 bytes of either method; equal bytes mean equal content under one method.
struct ContentHash {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const ContentHash&) const = default;
};

enum class HashMethod : std::uint8_t { xxh3_128, md5 };

ContentHash content_hash(std::string_view content, HashMethod method = HashMethod::xxh3_128);
// The same (XXH3-128) of content that comes in pieces.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;
  void add(std::string_view piece);
  ContentHash hash() const;  // of all pieces so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};
std::string hex(const ContentHash& hash);

// 64 bits for keys and checksums inside one process or file.
std::uint64_t hash64(std::string_view bytes);

}  // namespace millrace
