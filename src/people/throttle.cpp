#include "people/throttle.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash.h"
#include "people/secret.h"

namespace millrace::people {
namespace {

constexpr unsigned doublings_max = 20;

std::chrono::milliseconds wait_after(unsigned wrong, unsigned free, std::chrono::seconds wait_max) {
  if (wrong < free) return std::chrono::milliseconds{0};
  const auto seconds = std::chrono::seconds(1ll << std::min(wrong - free, doublings_max));
  return std::min(seconds, wait_max);
}

}  // namespace

std::string throttle_address(std::string_view address) {
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (const auto zone = address.find('%'); zone != std::string_view::npos) address = address.substr(0, zone);
  std::array<unsigned char, 16> bytes{};
  const std::string text(address);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  std::array<char, INET6_ADDRSTRLEN> shown{};
  if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) {  // ::ffff:192.0.2.1
    ::inet_ntop(AF_INET, bytes.data() + mapped.size(), shown.data(), shown.size());
    return shown.data();
  }
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  ::inet_ntop(AF_INET6, bytes.data(), shown.data(), shown.size());
  return std::string(shown.data()) + "/64";
}

Throttle::Throttle(ThrottleOptions options) : options_(options), salt_(random_number()) {}

Throttle::Entry* Throttle::Book::find(std::uint64_t key) {
  const auto found = by_key.find(key);
  return found == by_key.end() ? nullptr : &*found->second;
}

Throttle::Entry& Throttle::Book::touch(std::uint64_t key, std::size_t entries_max) {
  if (const auto found = by_key.find(key); found != by_key.end()) {
    order.splice(order.begin(), order, found->second);
    return order.front();
  }
  if (order.size() >= entries_max) {
    by_key.erase(order.back().key);
    order.pop_back();
  }
  Entry& made = order.emplace_front();
  made.key = key;
  by_key.emplace(key, order.begin());
  return made;
}

void Throttle::Book::forget(std::uint64_t key) {
  const auto found = by_key.find(key);
  if (found == by_key.end()) return;
  order.erase(found->second);
  by_key.erase(found);
}

Throttle::Keys Throttle::keys_of(std::string_view name, std::string_view address) const {
  std::string text(reinterpret_cast<const char*>(&salt_), sizeof salt_);
  text += throttle_address(address);
  const std::uint64_t of_address = hash64(text);
  text += '\n';
  text += name;
  return {hash64(text), of_address};
}

std::chrono::milliseconds Throttle::wait_of(Book& book, std::uint64_t key, Instant now) {
  Entry* entry = book.find(key);
  if (entry == nullptr) return std::chrono::milliseconds{0};
  // A clock that was set back must not make anybody wait for hours.
  const bool old = now - entry->last > options_.forget_after || now < entry->last - options_.forget_after;
  if (old) {
    book.forget(key);
    return std::chrono::milliseconds{0};
  }
  return std::max(std::chrono::milliseconds{0}, entry->not_before - now);
}

void Throttle::count(Book& book, std::uint64_t key, unsigned free, std::chrono::seconds wait_max, Instant now) {
  Entry& entry = book.touch(key, options_.entries_max);
  ++entry.wrong;
  entry.last = now;
  entry.not_before = now + wait_after(entry.wrong, free, wait_max);
}

std::chrono::milliseconds Throttle::admit(std::string_view name, std::string_view address, Instant now) {
  const Keys keys = keys_of(name, address);
  std::lock_guard lock(mutex_);
  auto wait = wait_of(pairs_, keys.pair, now);
  const bool known = known_.find(keys.pair) != nullptr;
  if (!known) wait = std::max(wait, wait_of(addresses_, keys.address, now));
  if (wait.count() > 0) return wait;
  count(pairs_, keys.pair, options_.pair_free, options_.pair_wait_max, now);
  if (!known) count(addresses_, keys.address, options_.address_free, options_.address_wait_max, now);
  return std::chrono::milliseconds{0};
}

void Throttle::right(std::string_view name, std::string_view address, Instant now) {
  withdraw(name, address);
  const Keys keys = keys_of(name, address);
  std::lock_guard lock(mutex_);
  pairs_.forget(keys.pair);
  known_.touch(keys.pair, options_.entries_max).last = now;
}

void Throttle::withdraw(std::string_view name, std::string_view address) {
  const Keys keys = keys_of(name, address);
  std::lock_guard lock(mutex_);
  const auto give_back = [](Book& book, std::uint64_t key) {
    Entry* entry = book.find(key);
    if (entry == nullptr || entry->wrong == 0) return;
    --entry->wrong;
    entry->not_before = Instant{};
  };
  give_back(pairs_, keys.pair);
  if (known_.find(keys.pair) == nullptr) give_back(addresses_, keys.address);
}

std::size_t Throttle::entries() const {
  std::lock_guard lock(mutex_);
  return pairs_.order.size() + addresses_.order.size() + known_.order.size();
}

}  // namespace millrace::people
