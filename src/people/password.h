// Passwords: argon2id, with its cost in the stored text.
//
// Invariants
//   * A hash takes `PasswordCost::memory` bytes and blocks its thread for tens of milliseconds: callers go through
//     HashDesk, never call on a network thread.
//   * Checking against `nobody_hash` costs what checking against a user's hash costs, and never holds.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "people/secret.h"

namespace millrace::people {

inline constexpr std::size_t password_bytes_min = 10;
inline constexpr std::size_t password_bytes_max = 1024;

struct PasswordCost {
  std::size_t memory = 32u << 20;  // bytes of one hash
  std::uint64_t passes = 3;
};

// A stored hash. No stream operator: it is worth stealing.
struct PasswordHash {
  std::string text;
  bool empty() const { return text.empty(); }
};

// Whether a new password may be taken at all.
// Errors   invalid_input  too short, too long, or one that everybody tries first
Result<void> check_new_password(const Secret& password, std::string_view login);

// Errors   limit_reached  no memory for it now
Result<PasswordHash> hash_password(const Secret& password, const PasswordCost& cost);
bool password_matches(const PasswordHash& hash, const Secret& password);
// Made under another cost than is wanted now.
bool needs_rehash(const PasswordHash& hash, const PasswordCost& cost);
// A hash of no password: for logins that do not exist, so that they cost the same.
PasswordHash nobody_hash(const PasswordCost& cost);

}  // namespace millrace::people
