#include "ingest/internal/job_lanes.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::ingest {
namespace {

// The name decides where a document waits, its content what it is.
bool is_slow(std::string_view name) {
  constexpr std::string_view ending = ".pdf";
  return name.size() >= ending.size() && equal_ignoring_case(name.substr(name.size() - ending.size()), ending);
}

}  // namespace

bool JobLanes::push(ParseJob job) {
  std::unique_lock lock(mutex_);
  not_full_.wait(lock, [&] { return closed_ || size() < bound_; });
  if (closed_) return false;
  std::deque<Waiting>& lane = is_slow(job.name) ? slow_ : quick_;
  lane.push_back({std::move(job), Stopwatch::now()});
  lock.unlock();
  not_empty_.notify_one();
  return true;
}

std::vector<ParseJob> JobLanes::take(Wait wait, std::size_t quick_max, std::size_t slow_max) {
  std::unique_lock lock(mutex_);
  if (wait == Wait::yes) not_empty_.wait(lock, [&] { return closed_ || size() > 0; });
  if (closed_ || size() == 0) return {};
  const bool slow_is_due = !slow_.empty() && (quick_.empty() || Stopwatch::now() - slow_.front().since > slow_patience);
  std::deque<Waiting>& lane = slow_is_due ? slow_ : quick_;
  const std::size_t part = std::max<std::size_t>(1, lane.size() / takers_);
  std::vector<ParseJob> taken;
  for (std::size_t left = std::min(part, slow_is_due ? slow_max : quick_max); left > 0; --left) {
    taken.push_back(std::move(lane.front().job));
    lane.pop_front();
  }
  lock.unlock();
  not_full_.notify_all();
  return taken;
}

void JobLanes::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  not_full_.notify_all();
  not_empty_.notify_all();
}

}  // namespace millrace::ingest
