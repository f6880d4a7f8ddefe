#include "base/turns.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace millrace {
namespace {

// `struct sched_attr` of sched_setattr(2), whose header cannot stand beside <sched.h>.
struct SchedulingWish {
  std::uint32_t size = 0, policy = 0;
  std::uint64_t flags = 0;
  std::int32_t niceness = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

constexpr std::uint64_t short_turn_ns = 300'000;  // a kept answer takes a tenth of it; an ordinary turn is 3 ms
constexpr std::chrono::microseconds turn_max{300};
constexpr int patience = 5;                       // a third of an ordinary thread's share: others wait for its locks

}  // namespace

void begin_soon() {
  SchedulingWish wish;
  if (::syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) != 0) return;
  if (wish.policy != 0) return;  // somebody gave us another kind of scheduling: that is his affair
  wish.runtime_ns = short_turn_ns;
  wish.flags = 0;
  // Refused where the kernel is older: then turns are as long as everybody's.
  (void)::syscall(SYS_sched_setattr, 0, &wish, 0);
}

void let_others_first() {
  // Of the calling thread alone: Linux keeps niceness per thread. To give way needs no right.
  (void)!::nice(patience);
}

void give_turn() {
  static thread_local Stopwatch::time_point turn_began{};
  if (Stopwatch::now() - turn_began < turn_max) return;
  ::sched_yield();
  turn_began = Stopwatch::now();
}

}  // namespace millrace
