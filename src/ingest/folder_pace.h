// How often a folder is listed where file events do not tell of changes.
//
// Invariants
//   * Listing takes at most a twentieth of the time, whatever the share costs, unless `longest` forbids it.
//   * While listings find changes the interval stays at its shortest; a quiet folder is asked up to five times less.
//   * Pure: measured costs come in, an interval comes out.
#pragma once
#include <algorithm>
#include <chrono>

namespace millrace::ingest {

struct PollBounds {
  std::chrono::milliseconds shortest{2'000};
  std::chrono::milliseconds longest{60'000};
};

class PollPace {
 public:
  explicit PollPace(PollBounds bounds) : bounds_(bounds) {}

  void listed(std::chrono::milliseconds cost, bool found_changes) {
    cost_ = cost;
    liveliness_ += ((found_changes ? 1.0 : 0.0) - liveliness_) / 4;
  }
  std::chrono::milliseconds interval() const {
    const auto base = std::max<std::chrono::milliseconds>(bounds_.shortest, 20 * cost_);
    const auto wanted = std::chrono::duration_cast<std::chrono::milliseconds>(base * (1 + 4 * (1 - liveliness_)));
    return std::clamp(wanted, bounds_.shortest, std::max(bounds_.shortest, bounds_.longest));
  }
  std::chrono::milliseconds cost() const { return cost_; }

 private:
  PollBounds bounds_;
  std::chrono::milliseconds cost_{0};
  double liveliness_ = 1;  // share of recent listings that found changes; a new folder counts as lively
};

}  // namespace millrace::ingest
