#include "people/password.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace millrace::people {
namespace {

// What is tried first everywhere, without the digits and signs that people put behind it.
constexpr std::array hopeless = std::to_array<std::string_view>({
    "password", "passwort", "passw", "kennwort", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "azertyuiop", "asdfghjkl", "asdfghjklö",
    "iloveyou", "letmein", "letmeinnow", "welcome", "willkommen", "changeme", "changeit", "administrator", "admin", "adminadmin", "secret",
    "geheim", "millrace", "football", "baseball", "superman", "princess", "sunshine", "dragon", "monkey", "whatever", "trustno", "starwars",
    "hallo", "hallohallo", "hello", "hellohello", "sommer", "winter", "summer", "spring", "autumn", "herbst", "frühling", "schatz",
    "passwordpassword", "test", "testtest", "testtesttest", "user", "default", "temp", "temporary", "login", "access", "master", "company",
});

std::string letters_only(std::string_view text) {
  std::string kept;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '@') kept += 'a';  // P@ssw0rd
    else if (c == '0') kept += 'o';
    else if (c == '$') kept += 's';
    else if ((c >= 'a' && c <= 'z') || byte >= 0x80) kept += c;
  }
  return kept;
}

// "1234567890", "abcdefghij", "9876543210"
bool is_a_run(std::string_view text) {
  for (const int step : {1, -1}) {
    bool runs = true;
    for (std::size_t i = 1; i < text.size() && runs; ++i) {
      const char before = text[i - 1], after = text[i];
      const bool wraps = step == 1 ? before == '9' && after == '0' : before == '0' && after == '9';
      runs = after - before == step || wraps;
    }
    if (runs) return true;
  }
  return false;
}

// "abcabcabcabc"
bool repeats(std::string_view text) {
  for (std::size_t period = 1; period <= 5; ++period) {
    bool same = true;
    for (std::size_t i = period; i < text.size() && same; ++i) same = text[i] == text[i - period];
    if (same) return true;
  }
  return false;
}

bool is_hopeless(std::string_view password, std::string_view login) {
  const std::string lower = lower_ascii(password);
  if (is_a_run(lower) || repeats(lower)) return true;
  if (std::set<char>(lower.begin(), lower.end()).size() < 4) return true;
  std::string stem = letters_only(lower);
  const auto known = [](std::string_view text) { return std::ranges::find(hopeless, text) != hopeless.end(); };
  if (known(stem)) return true;
  while (!stem.empty() && (stem.back() == 'o' || stem.back() == 's' || stem.back() == 'a')) {  // 0, $ and @ behind it
    stem.pop_back();
    if (known(stem)) return true;
  }
  return login.size() >= 4 && lower.starts_with(login) && lower.size() < login.size() + 5;
}

}  // namespace

Result<void> check_new_password(const Secret& password, std::string_view login) {
  const std::string& text = password.reveal();
  if (text.size() < password_bytes_min)
    return fail(ErrorCode::invalid_input, "the password is too short; use at least " + std::to_string(password_bytes_min) + " characters, three words are good");
  if (text.size() > password_bytes_max)
    return fail(ErrorCode::invalid_input, "the password is too long; use at most " + std::to_string(password_bytes_max) + " bytes");
  if (is_hopeless(text, login)) return fail(ErrorCode::invalid_input, "that password is one of the first that are tried; choose another, three words are good");
  return {};
}

Result<PasswordHash> hash_password(const Secret& password, const PasswordCost& cost) {
  prepare_crypto();
  std::array<char, crypto_pwhash_STRBYTES> text;
  const std::string& typed = password.reveal();
  if (::crypto_pwhash_str_alg(text.data(), typed.data(), typed.size(), cost.passes, cost.memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(ErrorCode::limit_reached, "there is no memory to hash a password now; try again in a moment");
  return PasswordHash{text.data()};
}

bool password_matches(const PasswordHash& hash, const Secret& password) {
  prepare_crypto();
  if (hash.text.size() >= crypto_pwhash_STRBYTES) return false;
  const std::string& typed = password.reveal();
  return ::crypto_pwhash_str_verify(hash.text.c_str(), typed.data(), typed.size()) == 0;
}

bool needs_rehash(const PasswordHash& hash, const PasswordCost& cost) {
  prepare_crypto();
  return ::crypto_pwhash_str_needs_rehash(hash.text.c_str(), cost.passes, cost.memory) != 0;
}

PasswordHash nobody_hash(const PasswordCost& cost) {
  prepare_crypto();
  std::array<char, 16> salt;
  std::array<char, 32> hash;
  ::randombytes_buf(salt.data(), salt.size());
  ::randombytes_buf(hash.data(), hash.size());
  const auto base64 = [](std::string_view bytes) {
    constexpr int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    std::string text(::sodium_base64_encoded_len(bytes.size(), variant), '\0');
    ::sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), variant);
    text.resize(text.size() - 1);
    return text;
  };
  return {"$argon2id$v=19$m=" + std::to_string(cost.memory / 1024) + ",t=" + std::to_string(cost.passes) + ",p=1$" +
          base64({salt.data(), salt.size()}) + "$" + base64({hash.data(), hash.size()})};
}

}  // namespace millrace::people
