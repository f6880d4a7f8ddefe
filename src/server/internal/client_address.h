// Whom a connection counts for: addresses as keys, how many connections one may hold, and who speaks through a proxy.
//
// Invariants
//   * X-Forwarded-For is believed only from a trusted proxy, and only as far as trusted proxies wrote it: read from the
//     right, the first address that is not one of theirs is the client.
//   * One IPv6 client has a whole /64, so that is what counts.
#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "server/internal/boost_network.h"

namespace millrace::server {

using IpAddress = boost::asio::ip::address;

// The address as limits see it: IPv4 as it is, IPv6 by its /64. IPv4 written as IPv6 is IPv4.
std::string limit_key(const IpAddress& address);
bool is_loopback(const IpAddress& address);

class ProxyList {
 public:
  // "10.0.0.5, 10.1.0.0/16, ::1".
  // Errors   invalid_input  the text names the part that is no address
  static Result<ProxyList> parse(std::string_view text);
  bool holds(const IpAddress& address) const;
  bool empty() const { return ranges_.empty(); }
  // `forwarded`: the X-Forwarded-For fields in their order.
  IpAddress client_of(const IpAddress& peer, const std::vector<std::string_view>& forwarded) const;

 private:
  struct Range {
    std::array<unsigned char, 16> bytes{};
    int bits = 128;
  };
  std::vector<Range> ranges_;
};

// Open connections per address.
class AddressCounts {
 public:
  // Counts one until it goes away.
  class Place {
   public:
    Place() = default;
    Place(AddressCounts* counts, std::string key) : counts_(counts), key_(std::move(key)) {}
    Place(Place&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)), key_(std::move(other.key_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Place() {
      if (counts_) counts_->leave(key_);
    }

   private:
    AddressCounts* counts_ = nullptr;
    std::string key_;
  };

  // Nothing when `most` are open already.
  std::optional<Place> enter(std::string key, std::size_t most);
  std::size_t count(const std::string& key) const;

 private:
  void leave(const std::string& key);
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;  // of addresses with an open connection only
};

}  // namespace millrace::server
