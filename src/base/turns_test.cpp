#include "base/turns.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace millrace {
namespace {

int niceness() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid))); }

template <class Work>
void on_its_own_thread(Work work) {
  std::thread(work).join();
}

TEST_CASE("a thread that lets others first gives way alone") {
  const int ours = niceness();
  int theirs = ours;
  on_its_own_thread([&] {
    let_others_first();
    theirs = niceness();
  });
  CHECK(theirs == std::min(19, ours + 5));
  CHECK(niceness() == ours);
}

TEST_CASE("a thread that is to begin soon keeps its priority and its kind of scheduling") {
  const int ours = niceness();
  on_its_own_thread([&] {
    begin_soon();
    CHECK(niceness() == ours);
    CHECK(::sched_getscheduler(0) == SCHED_OTHER);
  });
}

}  // namespace
}  // namespace millrace
