#include "server/internal/admission.h"

#include <algorithm>

namespace millrace::server {

namespace {

constexpr double slow_gain = 2.0;   // of the refused part, per second and relative error
constexpr double fast_gain = 0.05;  // per change of the error
constexpr double error_max = 4.0;
constexpr double part_first = 0.5;  // what has piled up meanwhile is to go too
constexpr double part_max = 0.98;  // some always come through, or nobody would see that the load is over
constexpr double forget_per_second = 2.0;

double seconds(Stopwatch::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void Admission::sample(Stopwatch::duration wait, Stopwatch::time_point now) {
  // A thread that had nothing to do for a while begins anew: of its last good wait only the time is old.
  const bool had_rest = now - sampled_ > patience;
  forget(now);
  if (wait <= wait_bad || had_rest) good_ = now;
  const double error = std::clamp(seconds(wait - wait_good) / seconds(wait_good), -1.0, error_max);
  const double passed = std::min(seconds(now - sampled_), 0.1);
  sampled_ = now;
  const bool waits_on = now - good_ > patience;
  is_late_ = waits_on && wait > wait_max;
  // Once refusing, the controller goes on until nothing is refused; it begins only after `patience`.
  if (refused_part_ <= 0 && waits_on) refused_part_ = part_first;
  if (refused_part_ > 0)
    refused_part_ = std::clamp(refused_part_ + slow_gain * error * passed + fast_gain * (error - error_), 0.0, part_max);
  error_ = error;
}

void Admission::forget(Stopwatch::time_point now) {
  if (refused_part_ <= 0 && !is_late_) return;
  const double quiet = seconds(now - sampled_) - 0.1;  // a loaded thread samples many times in this time
  if (quiet <= 0) return;
  refused_part_ = std::max(0.0, refused_part_ - forget_per_second * quiet);
  is_late_ = false;
  sampled_ = now;
}

bool Admission::admit(Stopwatch::time_point now) {
  forget(now);
  if (is_late_) return false;
  if (refused_part_ <= 0) return true;
  owed_ += refused_part_;
  if (owed_ < 1) return true;
  owed_ -= 1;
  return false;
}

}  // namespace millrace::server
