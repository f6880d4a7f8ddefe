#include "server/internal/client_address.h"

#include <charconv>

#include "base/text.h"

namespace millrace::server {

namespace {

// Everything as IPv6; IPv4 lies in ::ffff:0:0/96 of it.
std::array<unsigned char, 16> bytes_of(const IpAddress& address) {
  if (address.is_v6()) return address.to_v6().to_bytes();
  return boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

IpAddress plain(const IpAddress& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  return address;
}

std::optional<IpAddress> parsed(std::string_view text) {
  text = trim(text);
  // Some proxies add a port.
  if (text.starts_with('[')) text = text.substr(1, text.find(']') - 1);
  else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) text = text.substr(0, colon);
  boost::system::error_code error;
  const IpAddress address = boost::asio::ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return plain(address);
}

}  // namespace

std::string limit_key(const IpAddress& address) {
  const IpAddress known = plain(address);
  if (known.is_v4()) return known.to_string();
  auto bytes = known.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

bool is_loopback(const IpAddress& address) { return plain(address).is_loopback(); }

Result<ProxyList> ProxyList::parse(std::string_view text) {
  ProxyList list;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    if (part.empty()) continue;
    const auto wrong = [&] { return fail(ErrorCode::invalid_input, "\"" + printable(part) + "\" is not an address of a proxy, such as 10.0.0.5 or 10.1.0.0/16"); };
    const std::size_t slash = part.find('/');
    boost::system::error_code error;
    const IpAddress address = boost::asio::ip::make_address(std::string(part.substr(0, slash)), error);
    if (error) return wrong();
    Range range{bytes_of(address), 128};
    if (slash != std::string_view::npos) {
      const std::string_view digits = part.substr(slash + 1);
      int bits = -1;
      const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
      const int most = address.is_v4() ? 32 : 128;
      if (code != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > most) return wrong();
      range.bits = 128 - most + bits;
    }
    list.ranges_.push_back(range);
  }
  return list;
}

bool ProxyList::holds(const IpAddress& address) const {
  const auto bytes = bytes_of(address);
  for (const Range& range : ranges_) {
    bool same = true;
    for (int bit = 0; bit < range.bits && same; bit += 8) {
      const auto at = static_cast<std::size_t>(bit / 8);
      const int of_byte = std::min(range.bits - bit, 8);
      const auto mask = static_cast<unsigned char>(0xFF << (8 - of_byte));
      same = (bytes[at] & mask) == (range.bytes[at] & mask);
    }
    if (same) return true;
  }
  return false;
}

IpAddress ProxyList::client_of(const IpAddress& peer, const std::vector<std::string_view>& forwarded) const {
  IpAddress client = plain(peer);
  for (auto field = forwarded.rbegin(); field != forwarded.rend(); ++field) {
    const auto parts = split(*field, ',');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (!holds(client)) return client;
      const auto before = parsed(*part);
      if (!before) return client;
      client = *before;
    }
  }
  return client;
}

std::optional<AddressCounts::Place> AddressCounts::enter(std::string key, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = counts_[key];
  if (count >= most) return std::nullopt;
  ++count;
  return Place(this, std::move(key));
}

void AddressCounts::leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

std::size_t AddressCounts::count(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace millrace::server
