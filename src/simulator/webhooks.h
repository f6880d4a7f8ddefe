// Subscriptions of the simulated Service Layer: who hears of which event, handshake and signed delivery.
//
// Invariants
//   * At least once, at most `events_in_call` events a call; a subscription that keeps failing goes inactive and its
//     events are lost, as with the real one.
//   * Used under its owner's lock; the calls themselves are made outside of it (`pushes`, then `pushed`).
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "outbound/http.h"
#include "simulator/company.h"

namespace millrace::simulator {

class Webhooks {
 public:
  static constexpr std::size_t events_in_call = 1024;
  static constexpr unsigned failures_max = 5;  // in a row, then it is inactive

  void enable(bool on) { enabled_ = on; }
  bool enabled() const { return enabled_; }
  // `json` is the body of POST EventSubscriptions. The handshake is the first push.
  // Errors   invalid_input  what is missing or wrong, in the words of the server
  Result<void> subscribe(std::string_view json);
  bool unsubscribe(std::string_view id);  // false: there is none

  struct Push {
    std::string subscription;
    bool handshake = false;
    std::string token;  // of a handshake
    outbound::Call call;
    std::size_t events = 0;
  };
  // What is to be sent now for the events that happened since the last time.
  std::vector<Push> pushes(const std::deque<Event>& events, Instant now);
  void pushed(const Push& push, const outbound::Reply& reply);

  bool active(std::string_view id) const;

 private:
  struct Subscription {
    std::string url, secret;
    std::vector<std::pair<std::string, std::string>> wanted;  // set, transaction type
    bool shook_hands = false, active = true;
    unsigned failures = 0;
    std::deque<Event> waiting;
  };
  static Push delivery(const std::string& id, const Subscription& subscription, Instant now);

  bool enabled_ = false;
  std::map<std::string, Subscription, std::less<>> subscriptions_;
};

}  // namespace millrace::simulator
