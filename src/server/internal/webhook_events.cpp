#include "server/internal/webhook_events.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>
#include <vector>

#include "base/text.h"

namespace millrace::server {
namespace {

using Bytes = std::vector<unsigned char>;

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<unsigned char>(high * 16 + low));
  }
  return bytes;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 128) return std::nullopt;
  Bytes bytes(text.size() / 4 * 3);
  if (EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0)
    return std::nullopt;
  for (std::size_t i = 0; i < 2 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
    bytes.pop_back();
  }
  return bytes;
}

const EVP_MD* method_of(std::size_t bytes) {
  switch (bytes) {
    case 32: return EVP_sha256();
    case 48: return EVP_sha384();
    case 64: return EVP_sha512();
    default: return nullptr;
  }
}

}  // namespace

bool WebhookEvents::is_new(const std::string& source, const std::string& id) {
  std::string name = source + "\n" + id;
  const std::lock_guard lock(mutex_);
  if (!known_.insert(name).second) return false;
  order_.push_back(std::move(name));
  if (order_.size() > events_max) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

bool is_signed(std::string_view body, std::string_view signature, std::string_view key) {
  if (const std::size_t equals = signature.find('='); equals != std::string_view::npos && lower_ascii(signature.substr(0, equals)).starts_with("sha"))
    signature.remove_prefix(equals + 1);
  signature = trim(signature);
  // The length tells the method, and hex from base64.
  auto said = from_hex(signature);
  if (!said || method_of(said->size()) == nullptr) said = from_base64(signature);
  const EVP_MD* const method = said ? method_of(said->size()) : nullptr;
  if (method == nullptr || key.empty()) return false;
  std::array<unsigned char, EVP_MAX_MD_SIZE> ours;
  unsigned length = 0;
  if (HMAC(method, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(body.data()), body.size(), ours.data(), &length) == nullptr)
    return false;
  return length == said->size() && CRYPTO_memcmp(ours.data(), said->data(), length) == 0;
}

}  // namespace millrace::server
