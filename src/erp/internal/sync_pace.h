// How often to sync: less often while the other side is slow, as set again when it is not.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>

namespace millrace::erp {

class SyncPace {
 public:
  SyncPace(std::chrono::seconds interval, std::chrono::seconds interval_max)
      : base_(interval), max_(std::max(interval, interval_max)), now_(interval) {}

  std::chrono::seconds interval() const { return now_; }
  std::chrono::seconds base() const { return base_; }
  void set(std::chrono::seconds interval) {
    base_ = now_ = interval;
    max_ = std::max(max_, interval);
  }
  // A sync ended. It is slow when it took more than a tenth of the interval, or its calls three times the usual.
  // `first` syncs read everything: they say nothing about the pace.
  void note(std::chrono::milliseconds took, std::uint64_t calls, std::chrono::microseconds calls_time, bool first) {
    if (first || calls == 0) return;
    const auto call = calls_time / static_cast<std::int64_t>(calls);
    const bool slow = took > std::chrono::duration_cast<std::chrono::milliseconds>(now_) / 10 ||
                      (calls_.size() >= usual_of_min && call > usual() * slower);
    calls_.push_back(call);
    if (calls_.size() > usual_of) calls_.pop_front();
    now_ = slow ? std::min(max_, now_ * 3 / 2) : std::max(base_, now_ * 2 / 3);
  }

 private:
  static constexpr std::size_t usual_of = 24, usual_of_min = 4;
  static constexpr std::int64_t slower = 3;

  std::chrono::microseconds usual() const {
    std::deque<std::chrono::microseconds> sorted = calls_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }

  std::chrono::seconds base_, max_, now_;
  std::deque<std::chrono::microseconds> calls_;  // mean time of a call, of the last syncs
};

}  // namespace millrace::erp
