// Time that passes only when somebody says so: the wall clock and the waiting of one made-up world.
#pragma once
#include "base/time.h"
#include "outbound/http.h"

namespace millrace::testing {

class FakeTime final : public Clock {
 public:
  explicit FakeTime(Instant start) : start_(start) {}

  Instant now() const override { return start_ + std::chrono::floor<std::chrono::milliseconds>(passed_); }
  void pass(std::chrono::nanoseconds time) { passed_ += time; }

  // What waits gets there at once.
  class Waiting final : public outbound::Pace {
   public:
    explicit Waiting(FakeTime& time) : time_(time) {}
    std::chrono::steady_clock::time_point now() const override { return begin() + time_.passed_; }
    bool wait_until(std::chrono::steady_clock::time_point until) override {
      if (until > now()) time_.pass(until - now());
      return true;
    }

   private:
    static std::chrono::steady_clock::time_point begin() {
      return std::chrono::steady_clock::time_point(std::chrono::hours(1));
    }
    FakeTime& time_;
  };

 private:
  const Instant start_;
  std::chrono::nanoseconds passed_{0};
};

}  // namespace millrace::testing
