// Says how a try ended until the record has taken it.
#pragma once
#include <atomic>
#include <thread>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"
#include "jobs/job.h"

namespace millrace::jobs {

// `say` is repeated while the record refuses; a lease that is over needs no answer. When the server stops meanwhile the
// try stands in the record as running and counts as ended with the server.
template <class Say>
void settle_try(const Job& job, const std::atomic<bool>& stopping, Say say) {
  constexpr std::chrono::milliseconds pause{1'000}, look{50};
  bool told = false;
  for (;;) {
    const Result<void> done = say();
    if (done) return;
    const bool over = done.error().code() == ErrorCode::conflict || done.error().code() == ErrorCode::not_found;
    if (over || !told) log_warning(over ? "job_lease_over" : "job_end_not_recorded", {{"job", job.id}, {"reason", done.error().text()}});
    told = true;
    if (over || stopping) return;
    for (auto until = Stopwatch::now() + pause; Stopwatch::now() < until && !stopping;) std::this_thread::sleep_for(look);
  }
}

}  // namespace millrace::jobs
