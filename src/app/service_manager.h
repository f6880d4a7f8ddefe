// Tells systemd how the server is: loading, ready, alive, stopping. Says nothing where no service manager started us.
// Source: sd_notify(3), sd_watchdog_enabled(3).
//
// Invariants
//   * Never waits and never fails the server: a word that cannot be sent is logged once.
//   * Used by one thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace millrace::app {

class ServiceManager {
 public:
  ServiceManager();

  // One more sign that loading goes on; systemd waits half a minute longer for the next. Sent once a second at most.
  void loading(std::uint64_t done, std::uint64_t total);
  void ready(const std::string& address);
  // What `systemctl status` shows. Sent when it is another than before.
  void status(const std::string& text);
  // Call often: while the network threads of the server were silent for less than `silence_max`, systemd is told that we
  // live; a server that answers nobody is started anew by it.
  void alive(std::chrono::milliseconds network_silence);
  void stopping();

  static constexpr std::chrono::seconds silence_max{10};

 private:
  void tell(const std::string& words);

  Stopwatch::duration watchdog_interval_{};  // zero: nobody watches
  Stopwatch::time_point next_sign_{};
  Stopwatch::time_point next_word_{};
  std::string status_;
  bool silence_told_ = false;
  bool failure_told_ = false;
};

}  // namespace millrace::app
