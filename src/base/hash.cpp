#include "base/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <cstring>

#include "base/check.h"

namespace millrace {

ContentHash content_hash(std::string_view content, HashMethod method) {
  ContentHash hash;
  if (method == HashMethod::md5) {
    unsigned int length = 0;
    const int ok = EVP_Digest(content.data(), content.size(), hash.bytes.data(), &length, EVP_md5(), nullptr);
    check(ok == 1 && length == hash.bytes.size(), "MD5 gives 16 bytes");
    return hash;
  }
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(content.data(), content.size()));
  std::memcpy(hash.bytes.data(), canonical.digest, hash.bytes.size());
  return hash;
}

struct ContentHasher::State {
  XXH3_state_t* hash = XXH3_createState();
  State() { check(hash != nullptr && XXH3_128bits_reset(hash) == XXH_OK, "there is memory for a hash"); }
  ~State() { XXH3_freeState(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {}
ContentHasher::~ContentHasher() = default;

void ContentHasher::add(std::string_view piece) {
  check(XXH3_128bits_update(state_->hash, piece.data(), piece.size()) == XXH_OK, "a piece can be hashed");
}

ContentHash ContentHasher::hash() const {
  ContentHash hash;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->hash));
  std::memcpy(hash.bytes.data(), canonical.digest, hash.bytes.size());
  return hash;
}

std::string hex(const ContentHash& hash) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::uint8_t byte : hash.bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace millrace
