// Slows down who guesses passwords, and nobody else.
//
// Invariants
//   * What is counted is a name from an address, and an address; never a name alone: nobody can lock a person out who signs
//     in from elsewhere, and sessions that are open are not touched.
//   * A person who signed in from an address before is not slowed by what others at that address do.
//   * A try is counted when it is admitted and given back when it was right: tries at the same moment cannot slip through.
//   * A refused try does not make the wait longer.
//   * Memory is bounded: the entries used longest ago are forgotten.
#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace millrace::people {

struct ThrottleOptions {
  unsigned pair_free = 5;      // wrong tries of one name from one address before waiting begins; then 1, 2, 4 ... seconds
  std::chrono::seconds pair_wait_max{900};
  unsigned address_free = 20;  // of all names from one address: an office shares one
  std::chrono::seconds address_wait_max{60};
  std::chrono::seconds forget_after{3600};  // without another try
  std::size_t entries_max = 10'000;         // of each kind
};

// What counts as one address: IPv4 as it is, IPv6 by its network (/64), which one guest has whole.
std::string throttle_address(std::string_view address);

class Throttle {
 public:
  explicit Throttle(ThrottleOptions options);

  // How long to wait; zero: admitted, and counted as wrong until `right` says otherwise.
  std::chrono::milliseconds admit(std::string_view name, std::string_view address, Instant now);
  // The password was right.
  void right(std::string_view name, std::string_view address, Instant now);
  // An admitted try was never looked at.
  void withdraw(std::string_view name, std::string_view address);
  // Somebody signed in from there before: at the start, from the sessions that are still open.
  void known(std::string_view name, std::string_view address, Instant now) { right(name, address, now); }

  std::size_t entries() const;

 private:
  struct Entry {
    std::uint64_t key = 0;
    unsigned wrong = 0;
    Instant not_before{};
    Instant last{};
  };
  // Entries by key, least recently used out first.
  struct Book {
    std::list<Entry> order;  // newest first
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_key;

    Entry* find(std::uint64_t key);
    Entry& touch(std::uint64_t key, std::size_t entries_max);
    void forget(std::uint64_t key);
  };
  struct Keys {
    std::uint64_t pair = 0, address = 0;
  };
  Keys keys_of(std::string_view name, std::string_view address) const;
  std::chrono::milliseconds wait_of(Book& book, std::uint64_t key, Instant now);
  void count(Book& book, std::uint64_t key, unsigned free, std::chrono::seconds wait_max, Instant now);

  const ThrottleOptions options_;
  const std::uint64_t salt_;  // nobody outside knows which keys meet
  mutable std::mutex mutex_;
  // guarded by mutex_
  Book pairs_, addresses_, known_;
};

}  // namespace millrace::people
