#include "base/turns.h"

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace millrace {
namespace {

constexpr std::uint64_t short_turn_ns = 300'000;  // a kept answer takes a tenth of it; an ordinary turn is 3 ms
constexpr int patience = 5;                       // a third of an ordinary thread's share: others wait for its locks

}  // namespace

void begin_soon() {
  sched_attr wish{};
  if (::syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) != 0) return;
  if (wish.sched_policy != 0) return;  // somebody gave us another kind of scheduling: that is his affair
  wish.sched_runtime = short_turn_ns;
  wish.sched_flags = 0;
  // Refused where the kernel is older: then turns are as long as everybody's.
  (void)::syscall(SYS_sched_setattr, 0, &wish, 0);
}

void let_others_first() {
  // Of the calling thread alone: Linux keeps niceness per thread. To give way needs no right.
  (void)!::nice(patience);
}

}  // namespace millrace
