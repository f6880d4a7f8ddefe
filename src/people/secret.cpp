#include "people/secret.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace millrace::people {
namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view csrf_purpose = "millrace csrf 1";

}  // namespace

void prepare_crypto() {
  static const bool ready = ::sodium_init() >= 0;
  check(ready, "libsodium cannot start");
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  text_ = std::move(other.text_);
  other.wipe();
  return *this;
}

Secret& Secret::operator=(const Secret& other) {
  if (this == &other) return *this;
  wipe();
  text_ = other.text_;
  return *this;
}

void Secret::wipe() {
  text_.resize(text_.capacity());  // a short text that was moved away left its bytes behind
  ::sodium_memzero(text_.data(), text_.size());
  text_.clear();
}

bool Digest::operator==(const Digest& other) const { return ::sodium_memcmp(bytes.data(), other.bytes.data(), bytes.size()) == 0; }

std::size_t DigestSpread::operator()(const Digest& digest) const {
  std::size_t value = 0;
  std::memcpy(&value, digest.bytes.data(), sizeof value);
  return value;
}

std::string hex(const Digest& digest) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.bytes.size());
  for (const std::uint8_t byte : digest.bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool parse_hex(std::string_view text, Digest& digest) {
  std::size_t length = 0;
  return text.size() == 2 * digest.bytes.size() &&
         ::sodium_hex2bin(digest.bytes.data(), digest.bytes.size(), text.data(), text.size(), nullptr, &length, nullptr) == 0 &&
         length == digest.bytes.size();
}

std::string base64url(std::string_view bytes) {
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string text(::sodium_base64_encoded_len(bytes.size(), variant), '\0');
  ::sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), variant);
  text.resize(text.size() - 1);  // without its final zero
  return text;
}

Secret new_secret(std::string_view prefix) {
  prepare_crypto();
  std::array<char, secret_bytes> bytes;
  ::randombytes_buf(bytes.data(), bytes.size());
  Secret made(std::string(prefix) + base64url({bytes.data(), bytes.size()}));
  ::sodium_memzero(bytes.data(), bytes.size());
  return made;
}

Digest digest_of(std::string_view text) {
  Digest digest;
  ::crypto_generichash(digest.bytes.data(), digest.bytes.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  return digest;
}

std::uint64_t random_number() {
  prepare_crypto();
  std::uint64_t number = 0;
  ::randombytes_buf(&number, sizeof number);
  return number;
}

Secret csrf_of(const Secret& session) {
  std::array<unsigned char, secret_bytes> made;
  const std::string& key = session.reveal();
  ::crypto_generichash(made.data(), made.size(), reinterpret_cast<const unsigned char*>(csrf_purpose.data()), csrf_purpose.size(),
                       reinterpret_cast<const unsigned char*>(key.data()), std::min<std::size_t>(key.size(), crypto_generichash_KEYBYTES_MAX));
  return Secret(base64url({reinterpret_cast<const char*>(made.data()), made.size()}));
}

bool csrf_matches(std::string_view session, std::string_view csrf) {
  if (session.empty()) return false;
  const Secret right = csrf_of(Secret(std::string(session)));
  return right.reveal().size() == csrf.size() && ::sodium_memcmp(right.reveal().data(), csrf.data(), csrf.size()) == 0;
}

}  // namespace millrace::people
