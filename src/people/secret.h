// Secrets that people and machines show us, and what we keep of them.
//
// Invariants
//   * A Secret has no stream operator and no conversion to text: it is shown once, by `reveal`, to whom it belongs.
//   * A new Secret carries 256 random bits. Only its Digest (BLAKE2b-256) is kept; a digest tells nothing of the secret.
//   * Secrets and digests are compared in constant time; the memory of a Secret is wiped when it goes.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::people {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  // The text itself: for the one answer that shows it, for hashing, for nothing else.
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  void wipe();

  std::string text_;
};

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  // Constant time.
  bool operator==(const Digest& other) const;
};
// Digests are random: any eight bytes spread well.
struct DigestSpread {
  std::size_t operator()(const Digest& digest) const;
};
std::string hex(const Digest& digest);
bool parse_hex(std::string_view text, Digest& digest);

// 256 random bits as base64url behind `prefix`, which tells people what they found: "mr_..." is a token of ours.
Secret new_secret(std::string_view prefix);
Digest digest_of(std::string_view text);
std::uint64_t random_number();
std::string base64url(std::string_view bytes);

// What a browser repeats with every write: follows from the session's secret, so nothing more is kept, and cannot be
// had from anything but it.
Secret csrf_of(const Secret& session);
bool csrf_matches(std::string_view session, std::string_view csrf);

// Makes the crypto library ready; every use of it goes through here first.
void prepare_crypto();

}  // namespace millrace::people
