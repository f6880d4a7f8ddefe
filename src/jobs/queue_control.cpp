// The queue as people see it.
#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "jobs/internal/spaces.h"
#include "jobs/queue.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t page_max = 1'000;
// For a job whose change is in the record and not yet in the index.
constexpr auto moving_patience = 500ms;
constexpr int looks_max = 4;

Failure no_job(const std::string& id) { return fail(ErrorCode::not_found, "there is no job " + printable(id.substr(0, 60)) + "; ended jobs are kept for seven days"); }

}  // namespace

Result<Job> Queue::show(const std::string& id) const {
  for (int look = 0; look < looks_max; ++look) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = index_.live.find(id); found != index_.live.end() && found->second.committed) {
        Job job = found->second.job;
        if (job.state == JobState::waiting && (paused_.contains("") || paused_.contains(job.kind))) job.state = JobState::paused;
        return job;
      }
      if (!index_.ended.contains(id)) return no_job(id);
    }
    const auto row = record_.kept_one(std::string(ended_space), id);
    if (!row) return pass_on(row);
    if (*row) return decode_job(**row);
    // Its row has just gone: it is being tried again or forgotten, and the index hears of that in a moment.
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, moving_patience, [&] {
      const auto found = index_.ended.find(id);
      return found == index_.ended.end() || !found->second.busy;
    });
  }
  return no_job(id);
}

Result<JobPage> Queue::list(const JobQuery& query) const {
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, page_max);
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    const auto paused = [&](const std::string& kind) { return paused_.contains("") || paused_.contains(kind); };
    const auto wanted = [&](const std::string& kind, JobState state) {
      if (state == JobState::waiting && paused(kind)) state = JobState::paused;
      return (query.kind.empty() || query.kind == kind) && (!query.state || *query.state == state);
    };
    const auto start = [&](const auto& map) { return std::make_reverse_iterator(query.before.empty() ? map.end() : map.lower_bound(query.before)); };
    auto live = start(index_.live);
    auto ended = start(index_.ended);
    while (ids.size() <= limit && (live != index_.live.rend() || ended != index_.ended.rend())) {
      if (ended == index_.ended.rend() || (live != index_.live.rend() && live->first > ended->first)) {
        if (live->second.committed && wanted(live->second.job.kind, live->second.job.state)) ids.push_back(live->first);
        ++live;
      } else {
        if (wanted(ended->second.kind, ended->second.state)) ids.push_back(ended->first);
        ++ended;
      }
    }
  }
  JobPage page;
  if (ids.size() > limit) {
    ids.resize(limit);
    page.next = ids.back();
  }
  for (const std::string& id : ids) {
    auto job = show(id);
    if (job) page.jobs.push_back(std::move(*job));
    else if (job.error().code() != ErrorCode::not_found) return pass_on(job);
  }
  return page;
}

JobCounts Queue::counts() const {
  const std::lock_guard lock(mutex_);
  JobCounts counts;
  for (const auto& [id, entry] : index_.live) {
    if (!entry.committed) continue;
    if (entry.job.state == JobState::running) ++counts.running;
    else if (paused_.contains("") || paused_.contains(entry.job.kind)) ++counts.paused;
    else ++counts.waiting;
  }
  for (const auto& [id, entry] : index_.ended) {
    if (entry.state == JobState::done) ++counts.done;
    else if (entry.state == JobState::failed) ++counts.failed;
    else if (entry.state == JobState::dead) ++counts.dead;
    else ++counts.cancelled;
  }
  return counts;
}

std::vector<KindStatus> Queue::kinds() const {
  const std::lock_guard lock(mutex_);
  std::vector<KindStatus> found;
  for (const KindRow& kind : kinds_)
    found.push_back({kind.name, kind.right, kind.summary, payload_help(kind.payload), kind.place, kind.time_max, kind.tries_max, paused_.contains(kind.name), kind.payload});
  return found;
}

bool Queue::paused() const {
  const std::lock_guard lock(mutex_);
  return paused_.contains("");
}

Result<Job> Queue::wait_for_end(const std::string& id, std::chrono::milliseconds patience) const {
  const auto until = Stopwatch::now() + patience;
  {
    std::unique_lock lock(mutex_);
    while (!stopping_ && index_.live.contains(id))
      if (changed_.wait_until(lock, until) == std::cv_status::timeout) break;
  }
  return show(id);
}

Result<Job> Queue::cancel(const std::string& id) {
  const bool ended = [&] {
    const std::lock_guard lock(mutex_);
    return index_.ended.contains(id);
  }();
  if (ended)
    return change_ended(id, [](Job& next) -> Result<void> {
      if (next.state != JobState::dead) return fail(ErrorCode::conflict, "job " + next.id + " has ended");
      next.state = JobState::cancelled;  // its tries and why they ended stay
      return {};
    });
  return change(id, [](Job& next) -> Result<void> {
    next.cancel_wanted = true;
    if (next.state == JobState::waiting) next.state = JobState::cancelled;
    return {};
  });
}

Result<Job> Queue::retry(const std::string& id) {
  return change_ended(id, [this](Job& next) -> Result<void> {
    if (next.state == JobState::done) return fail(ErrorCode::conflict, "job " + next.id + " is done; start a new one to do it again");
    const KindRow* const kind = find_kind(next.kind);
    if (kind != nullptr && kind->unique != UniqueRule::none && !index_.with_key(next.unique_key).empty())
      return fail(ErrorCode::conflict, "another job does the same work now, " + index_.with_key(next.unique_key).front()->job.id);
    next.state = JobState::waiting;
    next.tries = 0;
    next.cancel_wanted = false;
    next.ended.reset();
    next.started.reset();
    return {};
  });
}

Result<Job> Queue::change_ended(const std::string& id, const Decide& decide) {
  {
    const std::lock_guard lock(mutex_);
    if (index_.live.contains(id)) return fail(ErrorCode::conflict, "job " + id + " is not over: it waits or runs");
    const auto found = index_.ended.find(id);
    if (found == index_.ended.end()) return no_job(id);
    if (found->second.busy) return fail(ErrorCode::conflict, "job " + id + " is being changed by somebody else");
    found->second.busy = true;
  }
  const auto row = record_.kept_one(std::string(ended_space), id);
  Result<Job> job = !row ? Result<Job>(pass_on(row)) : !*row ? Result<Job>(no_job(id)) : decode_job(**row);
  const auto let_go = [&] { index_.ended.at(id).busy = false; };
  std::unique_lock lock(mutex_);
  if (job)
    if (const auto decided = decide(*job); !decided) job = pass_on(decided);
  if (!job) {
    let_go();
    return job;
  }
  lock.unlock();
  store::Batch batch;
  batch.source = "jobs";
  if (!has_ended(job->state)) batch.kept_removed.push_back({std::string(ended_space), id});
  batch.kept_put.push_back({std::string(has_ended(job->state) ? ended_space : live_space), id, encode(*job)});
  const auto committed = record_.commit(std::move(batch));
  lock.lock();
  let_go();
  if (!committed) return pass_on(committed);
  index_.drop_ended(id);
  if (has_ended(job->state)) {
    index_.add_ended(*job);
  } else {
    const KindRow* const kind = find_kind(job->kind);
    index_.line_up(index_.add(*job, kind == nullptr ? Place::inside : kind->place));
  }
  changed();
  return job;
}

Result<void> Queue::set_paused(const std::string& kind, bool paused) {
  if (!kind.empty())
    if (const auto known = kind_of(kind); !known) return pass_on(known);
  store::Batch batch;
  batch.source = "jobs";
  const std::string key = kind.empty() ? std::string(all_kinds) : kind;
  if (paused) batch.kept_put.push_back({std::string(paused_space), key, ""});
  else batch.kept_removed.push_back({std::string(paused_space), key});
  if (const auto committed = record_.commit(std::move(batch)); !committed) return pass_on(committed);
  const std::lock_guard lock(mutex_);
  if (paused) paused_.insert(kind);
  else paused_.erase(kind);
  changed();
  return {};
}

}  // namespace millrace::jobs
