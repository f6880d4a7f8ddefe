#include "outbound/pace.h"

namespace millrace::outbound {

std::chrono::steady_clock::time_point SteadyPace::now() const { return std::chrono::steady_clock::now(); }

bool SteadyPace::wait_until(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, until, [this] { return stopped_; });
}

void SteadyPace::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace millrace::outbound
