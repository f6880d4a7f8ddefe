// Whether a request is worked on or told to come again: under more load than can be carried, those who are let in are
// served as fast as ever, and the others hear so at once.
//
// How long a thread's work waits is what counts: a marker is put behind it and the time is taken until its turn comes.
// Above `wait_bad` all the time for `patience`, a part of the requests is refused, as much as brings the wait down to
// `wait_good` (a controller like RFC 8033's), until none has to be; above `wait_max` all are. One long piece of work is no
// overload, and a machine that is busy with others is not either. Health is never refused.
//
// Belongs to one thread. Pure: time is a parameter.
#pragma once
#include "base/time.h"

namespace millrace::server {

class Admission {
 public:
  static constexpr std::chrono::milliseconds wait_good{3};
  static constexpr std::chrono::milliseconds wait_max{250};
  static constexpr std::chrono::milliseconds wait_bad{40};
  static constexpr std::chrono::milliseconds patience{300};

  void sample(Stopwatch::duration wait, Stopwatch::time_point now);
  bool admit(Stopwatch::time_point now);
  double refused_part() const { return refused_part_; }

 private:
  void forget(Stopwatch::time_point now);  // without news the load is over

  double refused_part_ = 0;  // 0..1
  double owed_ = 0;          // refusals are spread evenly, not thrown by dice
  double error_ = 0;         // of the last sample, relative to wait_good
  bool is_late_ = false;     // all are refused
  Stopwatch::time_point sampled_{};
  Stopwatch::time_point good_{};  // when the wait was not bad last
};

}  // namespace millrace::server
