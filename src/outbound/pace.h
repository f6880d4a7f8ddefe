// Real time for callers that wait: a wait ends when somebody stops us.
#pragma once
#include <condition_variable>
#include <mutex>

#include "outbound/http.h"

namespace millrace::outbound {

class SteadyPace final : public Pace {
 public:
  std::chrono::steady_clock::time_point now() const override;
  bool wait_until(std::chrono::steady_clock::time_point until) override;
  // From any thread: the wait that runs ends at once, every later one too.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace millrace::outbound
