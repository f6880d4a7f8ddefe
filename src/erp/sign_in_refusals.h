// What the other side said when it refused who we say we are, and when it may be asked again: repeated tries lock
// users.
//
// Invariants
//   * After the first refusal nothing is sent for `pause_first`, after each further one twice as long, up to
//   `pause_max`,
//     whoever asks. Credentials that are put right come with a new session, which knows no refusals.
#pragma once
#include <algorithm>
#include <chrono>
#include <optional>

#include "erp/remote.h"

namespace millrace::erp {

class SignInRefusals {
 public:
  static constexpr std::chrono::minutes pause_first{1}, pause_max{30};

  void refused(RemoteError why, Instant now) {
    why_ = std::move(why);
    until_ = now + std::min<std::chrono::minutes>(pause_max, pause_first * (1 << std::min(count_, doublings_max)));
    ++count_;
  }
  // A session that was refused, not the credentials: asked again as soon as somebody wants to.
  void session_refused(RemoteError why) {
    why_ = std::move(why);
    until_ = {};
  }
  void signed_in() {
    why_.reset();
    count_ = 0;
  }
  // Somebody wants to try again: granted when the pause is over.
  void allow_again(Instant now) {
    if (now >= until_) why_.reset();
  }
  const std::optional<RemoteError>& standing() const { return why_; }

 private:
  static constexpr int doublings_max = 5;

  std::optional<RemoteError> why_;
  Instant until_{};
  int count_ = 0;  // refusals since the last sign-in that went well
};

}  // namespace millrace::erp
