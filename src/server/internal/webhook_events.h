// Which webhook events were heard before: they come at least once, and in any order.
//
// Invariants
//   * Remembers the newest `events_max` ids; an older one heard again costs one needless read, nothing more.
#pragma once
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace millrace::server {

class WebhookEvents {
 public:
  static constexpr std::size_t events_max = 16'384;
  // True the first time.
  bool is_new(const std::string& source, const std::string& id);

 private:
  std::mutex mutex_;
  // guarded by mutex_
  std::unordered_set<std::string> known_;
  std::deque<std::string> order_;
};

// Whether `signature` (hex or base64, maybe behind "sha256=") is the HMAC of `body`: SHA-256, 384 or 512.
bool is_signed(std::string_view body, std::string_view signature, std::string_view key);

}  // namespace millrace::server
