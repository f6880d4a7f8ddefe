#include "app/service_manager.h"

#include <systemd/sd-daemon.h>

#include <cstring>

#include "app/console.h"
#include "base/log.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto between_words = 1s;
constexpr std::chrono::microseconds more_time = 30s;

}  // namespace

ServiceManager::ServiceManager() {
  std::uint64_t microseconds = 0;
  // A third: one lost sign is no reason to start the server anew.
  if (::sd_watchdog_enabled(0, &microseconds) > 0) watchdog_interval_ = std::chrono::microseconds(microseconds / 3);
}

void ServiceManager::tell(const std::string& words) {
  const int sent = ::sd_notify(0, words.c_str());
  if (sent >= 0 || failure_told_) return;
  failure_told_ = true;
  log_warning("service_manager_not_told", {{"reason", std::strerror(-sent)}});
}

void ServiceManager::loading(std::uint64_t done, std::uint64_t total) {
  const auto now = Stopwatch::now();
  if (now < next_word_) return;
  next_word_ = now + between_words;
  tell("STATUS=loading the record: " + grouped(done) + " of " + grouped(total) + " changes\nEXTEND_TIMEOUT_USEC=" + std::to_string(more_time.count()));
}

void ServiceManager::ready(const std::string& address) { tell("READY=1\nSTATUS=listening on " + address); }

void ServiceManager::status(const std::string& text) {
  if (text == status_) return;
  status_ = text;
  tell("STATUS=" + text);
}

void ServiceManager::alive(std::chrono::milliseconds network_silence) {
  const auto now = Stopwatch::now();
  if (watchdog_interval_ == Stopwatch::duration::zero() || now < next_sign_) return;
  if (network_silence < silence_max) {
    silence_told_ = false;
    next_sign_ = now + watchdog_interval_;
    tell("WATCHDOG=1");
  } else if (!silence_told_) {
    silence_told_ = true;
    log_error("network_silent", {{"ms", std::to_string(network_silence.count())}});
  }
}

void ServiceManager::stopping() { tell("STOPPING=1\nSTATUS=finishing what runs"); }

}  // namespace millrace::app
