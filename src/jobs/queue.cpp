// The queue as those who run jobs see it. What people ask and do is in queue_control.cpp, wishes are in queue_wishes.cpp.
#include "jobs/queue.h"

#include <algorithm>

#include "base/log.h"
#include "jobs/internal/spaces.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto refused_pause = 1'000ms;  // of takers after the record refused a start
constexpr std::string_view server_ended = "the server ended while it ran";
constexpr std::size_t forgotten_at_once = 100;

std::string tries_text(const Job& job) {
  return " (try " + std::to_string(job.tries) + " of " + std::to_string(job.tries_max) + ")";
}

}  // namespace

Queue::Queue(QueueOptions options, std::vector<KindRow> kinds, store::Record& record, metrics::Registry& metrics, const Clock& clock)
    : options_(std::move(options)), kinds_(std::move(kinds)), results_(options_.results_folder), record_(record), metrics_(metrics), clock_(clock) {
  std::uint64_t seed = options_.seed;
  if (seed == 0) seed = std::random_device{}();
  chance_.seed(seed);
}

Result<std::unique_ptr<Queue>> Queue::open(QueueOptions options, std::vector<KindRow> kinds, store::Record& record,
                                           metrics::Registry& metrics, const Clock& clock) {
  std::unique_ptr<Queue> queue(new Queue(std::move(options), std::move(kinds), record, metrics, clock));
  if (auto made = queue->results_.open(); !made) return pass_on(made);
  if (auto loaded = queue->load(); !loaded) {
    if (record.condition().state != store::RecordCondition::State::damaged) return pass_on(loaded, "loading the jobs");
    // The rest of a damaged record is still shown; it takes no changes, so no job could run.
    log_error("jobs_not_loaded", {{"reason", loaded.error().text()}});
    queue->index_ = {};
  }
  return queue;
}

Result<void> Queue::load() {
  Result<void> readable;
  const auto each = [&](const std::function<void(Job)>& take) {
    return [&readable, take](const store::KeptRow& row) {
      auto job = decode_job(row.content);
      if (!job) readable = pass_on(job);
      else take(std::move(*job));
      return readable.has_value();
    };
  };
  if (auto read = record_.kept(std::string(live_space), each([this](Job job) { take_in(std::move(job)); })); !read) return read;
  const auto ended = record_.kept(std::string(ended_space), each([this](const Job& job) {
    last_id_ = std::max(last_id_, id_number(job.id));
    index_.add_ended(job);
  }));
  if (!ended) return ended;
  if (!readable) return readable;
  const auto paused = record_.kept(std::string(paused_space), [this](const store::KeptRow& row) {
    paused_.insert(row.key == all_kinds ? "" : row.key);
    return true;
  });
  if (!paused) return paused;
  const std::size_t orphans = results_.remove_orphans([this](const std::string& name) {
    const auto found = index_.ended.find(name);
    return found != index_.ended.end() && found->second.file_bytes;
  });
  if (orphans > 0) log_info("results_removed", {{"files", std::to_string(orphans)}, {"reason", "their jobs did not end with them"}});
  measure();
  return {};
}

// What ran when the server ended waits again. Its row stays as it is until the next try is written there, so that a
// start writes nothing.
void Queue::take_in(Job job) {
  last_id_ = std::max(last_id_, id_number(job.id));
  if (job.state == JobState::running) {
    job.state = JobState::waiting;
    note_attempt(job, std::string(server_ended), clock_.now());
    job.run_after = clock_.now() + retry_delay(TryEnd::died, job.tries, std::uniform_real_distribution<>()(chance_));
    metrics_.counter("millrace_job_deaths_total", job.kind).add();
  }
  if (job.tries > 0 && job.run_after) job.run_after = std::min(*job.run_after, clock_.now() + failed_delay_max);
  const KindRow* const kind = find_kind(job.kind);
  index_.line_up(index_.add(std::move(job), kind == nullptr ? Place::inside : kind->place));
}

// ---- one change of one job

LiveJob* Queue::settled(std::unique_lock<std::mutex>& lock, const std::string& id) {
  for (;;) {
    const auto found = index_.live.find(id);
    if (found == index_.live.end()) return nullptr;
    if (!found->second.busy && found->second.committed) return &found->second;
    changed_.wait(lock);
  }
}

Result<Job> Queue::change(const std::string& id, const Decide& decide, const Prepare& prepare) {
  std::unique_lock lock(mutex_);
  LiveJob* const entry = settled(lock, id);
  if (entry == nullptr) return fail(index_.ended.contains(id) ? ErrorCode::conflict : ErrorCode::not_found,
                                    index_.ended.contains(id) ? "job " + id + " has ended" : "there is no job " + id);
  Job next = entry->job;
  if (auto decided = decide(next); !decided) return pass_on(decided);
  return change_busy(lock, *entry, std::move(next), prepare);
}

Result<Job> Queue::change_busy(std::unique_lock<std::mutex>& lock, LiveJob& entry, Job next, const Prepare& prepare) {
  index_.leave_line(entry);
  entry.busy = true;
  lock.unlock();
  store::Batch batch;
  batch.source = "jobs";
  if (prepare) prepare(next, batch);
  if (has_ended(next.state)) {
    next.ended = clock_.now();
    next.run_after.reset();
    batch.kept_removed.push_back({std::string(live_space), next.id});
    batch.kept_put.push_back({std::string(ended_space), next.id, encode(next)});
  } else {
    batch.kept_put.push_back({std::string(live_space), next.id, encode(next)});
  }
  const auto committed = record_.commit(std::move(batch));
  lock.lock();
  entry.busy = false;
  if (!committed) {
    index_.line_up(entry);
    changed();
    return pass_on(committed, "job " + next.id);
  }
  apply(entry, next);
  changed();
  return next;
}

void Queue::apply(LiveJob& entry, const Job& next) {
  if (has_ended(next.state)) {
    note(next);
    index_.drop(next.id);
    index_.add_ended(next);
    return;
  }
  entry.job = next;
  index_.line_up(entry);
}

void Queue::note(const Job& job) const {
  const auto took = job.started ? *job.ended - *job.started : 0ms;
  metrics_.timing("millrace_job_seconds", job.kind, word(job.state)).record(took);
  const bool good = job.state == JobState::done || job.state == JobState::cancelled;
  if (good) log_info("job_ended", {{"job", job.id}, {"kind", job.kind}, {"state", std::string(word(job.state))}, {"ms", std::to_string(took.count())}});
  else log_warning("job_ended", {{"job", job.id}, {"kind", job.kind}, {"state", std::string(word(job.state))}, {"reason", job.error}});
}

void Queue::changed() const {
  revision_.fetch_add(1, std::memory_order_relaxed);
  measure();
  changed_.notify_all();
}

void Queue::measure() const { metrics_.gauge("millrace_queue_depth", "jobs").set(static_cast<std::int64_t>(index_.live.size())); }

// ---- taking

bool Queue::may_run(const LiveJob& entry) {
  if (paused_.contains("") || paused_.contains(entry.job.kind)) return false;
  for (const LiveJob* const other : index_.with_key(entry.job.unique_key))
    if (other != &entry && (other->job.state == JobState::running || other->busy)) return false;
  return true;
}

// A clock that was set back would let jobs that are to be tried again wait as long as it went back.
void Queue::bound_retries(Instant now) {
  const bool set_back = now < looked_at_ - failed_delay_max;
  looked_at_ = now;
  if (!set_back) return;
  for (auto& [id, entry] : index_.live) {
    if (entry.busy || entry.job.tries == 0 || !entry.job.run_after || *entry.job.run_after <= now + failed_delay_max) continue;
    index_.leave_line(entry);
    entry.job.run_after = now + failed_delay_max;
    index_.line_up(entry);
  }
}

std::optional<std::string> Queue::pick(std::unique_lock<std::mutex>& lock, Place place, std::chrono::milliseconds patience) {
  const auto until = Stopwatch::now() + patience;
  for (;;) {
    if (stopping_) return std::nullopt;
    const Instant now = clock_.now();
    bound_retries(now);
    if (Stopwatch::now() >= hold_off_)
      if (auto found = index_.next_due(place, now, [this](const LiveJob& entry) { return may_run(entry); })) return found;
    const auto left = until - Stopwatch::now();
    if (left <= 0ms) return std::nullopt;
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(left) + 1ms;
    if (const auto next = index_.next_time(place)) wait = std::min(wait, std::max(*next - now, 1ms));
    if (hold_off_ > Stopwatch::now()) wait = std::min(wait, refused_pause);
    changed_.wait_for(lock, wait);
  }
}

std::optional<Job> Queue::take(Place place, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto id = pick(lock, place, patience);
    if (!id) return std::nullopt;
    LiveJob& entry = index_.live.at(*id);
    Job next = entry.job;
    const Instant now = clock_.now();
    if (next.cancel_wanted) {
      next.state = JobState::cancelled;
    } else if (find_kind(next.kind) == nullptr) {
      next.state = JobState::dead;
      next.error = "this version knows no jobs of kind " + next.kind;
    } else if (next.tries >= next.tries_max) {
      next.state = JobState::dead;
      next.error += tries_text(next);
    } else {
      next.state = JobState::running;
      ++next.tries;
      ++next.lease;
      next.started = now;
      next.run_after.reset();
      next.progress = {};
      next.heartbeat = now;
    }
    const Instant waited_from = entry.job.run_after.value_or(entry.job.created);
    const auto done = change_busy(lock, entry, std::move(next), {});
    if (!done) {
      log_warning("job_not_started", {{"job", *id}, {"reason", done.error().text()}});
      hold_off_ = Stopwatch::now() + refused_pause;
      continue;
    }
    if (done->state != JobState::running) continue;
    metrics_.counter("millrace_job_tries_total", done->kind).add();
    metrics_.timing("millrace_job_wait_seconds", done->kind).record(std::max(now - waited_from, 0ms));
    return *done;
  }
}

void Queue::report(const std::string& id, std::uint64_t lease, Progress progress) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.live.find(id);
  if (found == index_.live.end() || found->second.job.lease != lease) return;
  Job& job = found->second.job;
  job.heartbeat = clock_.now();
  if (job.progress == progress) return;
  job.progress = std::move(progress);
  revision_.fetch_add(1, std::memory_order_relaxed);
}

void Queue::heartbeat(const std::string& id, std::uint64_t lease) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.live.find(id);
  if (found != index_.live.end() && found->second.job.lease == lease) found->second.job.heartbeat = clock_.now();
}

bool Queue::stop_wanted(const std::string& id, std::uint64_t lease) const {
  const std::lock_guard lock(mutex_);
  const auto found = index_.live.find(id);
  return found == index_.live.end() || found->second.job.lease != lease || found->second.job.cancel_wanted;
}

void Queue::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

// ---- how a try ends

Queue::Decide Queue::under_lease(std::uint64_t lease, const Decide& decide) const {
  return [lease, decide](Job& next) -> Result<void> {
    if (next.state != JobState::running || next.lease != lease)
      return fail(ErrorCode::conflict, "job " + next.id + " was given to somebody else meanwhile: what came under lease " + std::to_string(lease) + " is dropped");
    return decide(next);
  };
}

// Under the lock: the spread is drawn from the queue's own chance.
void Queue::end_try(Job& next, TryEnd end, bool again, const std::string& reason) {
  note_attempt(next, reason, clock_.now());
  if (end == TryEnd::died) metrics_.counter("millrace_job_deaths_total", next.kind).add();
  if (next.cancel_wanted) {
    next.state = JobState::cancelled;
  } else if (!again) {
    next.state = JobState::failed;
  } else if (next.tries >= next.tries_max) {
    next.state = JobState::dead;
    next.error += tries_text(next);
  } else {
    next.state = JobState::waiting;
    next.run_after = clock_.now() + retry_delay(end, next.tries, std::uniform_real_distribution<>()(chance_));
  }
}

void Queue::prepare_done(Job& next, store::Batch& batch, Outcome outcome) {
  const KindRow* const kind = find_kind(next.kind);
  Result<void> ready;
  if (kind != nullptr && kind->effect) {
    auto effect = kind->effect(next, outcome);
    if (effect) batch = std::move(*effect);
    else ready = pass_on(effect, "writing what the job did");
  }
  if (ready && outcome.file) {
    const auto bytes = results_.keep(next.id, next.lease);
    if (bytes) outcome.file->bytes = *bytes;
    else ready = pass_on(bytes);
  }
  if (ready && outcome.result.size() > result_bytes_max)
    ready = fail(ErrorCode::limit_reached, "the result has " + std::to_string(outcome.result.size()) + " bytes, the limit is " + std::to_string(result_bytes_max));
  if (!ready) {
    batch = {};
    batch.source = "jobs";
    const std::lock_guard lock(mutex_);
    return end_try(next, TryEnd::failed, traits(ready.error().code()).retry, ready.error().text());
  }
  if (batch.source.empty()) batch.source = "jobs";
  next.state = JobState::done;
  next.error.clear();
  next.result = std::move(outcome.result);
  next.file = std::move(outcome.file);
}

Result<void> Queue::complete(const std::string& id, std::uint64_t lease, Outcome outcome) {
  const auto done = change(id, under_lease(lease, [](Job&) -> Result<void> { return {}; }),
                           [&](Job& next, store::Batch& batch) { prepare_done(next, batch, outcome); });
  if (!done) return pass_on(done);
  return {};
}

Result<void> Queue::failed(const std::string& id, std::uint64_t lease, bool again, std::string reason) {
  const auto done = change(id, under_lease(lease, [&](Job& next) -> Result<void> {
    end_try(next, TryEnd::failed, again, reason);
    return {};
  }));
  results_.remove_part(id, lease);
  if (!done) return pass_on(done);
  return {};
}

Result<void> Queue::died(const std::string& id, std::uint64_t lease, std::string reason) {
  const auto done = change(id, under_lease(lease, [&](Job& next) -> Result<void> {
    end_try(next, TryEnd::died, true, reason);
    return {};
  }));
  results_.remove_part(id, lease);
  if (!done) return pass_on(done);
  return {};
}

Result<void> Queue::release(const std::string& id, std::uint64_t lease) {
  const auto done = change(id, under_lease(lease, [](Job& next) -> Result<void> {
    next.state = next.cancel_wanted ? JobState::cancelled : JobState::waiting;
    --next.tries;
    next.run_after.reset();
    next.started.reset();
    return {};
  }));
  results_.remove_part(id, lease);
  if (!done) return pass_on(done);
  return {};
}

Result<void> Queue::cancelled(const std::string& id, std::uint64_t lease) {
  const auto done = change(id, under_lease(lease, [](Job& next) -> Result<void> {
    next.state = JobState::cancelled;
    return {};
  }));
  results_.remove_part(id, lease);
  if (!done) return pass_on(done);
  return {};
}

Result<void> Queue::forget_old() {
  for (;;) {
    std::unique_lock lock(mutex_);
    const auto old = index_.to_forget(clock_.now() - options_.ended_age_max, options_.ended_max, options_.results_bytes_max, forgotten_at_once);
    if (old.empty()) return {};
    for (const std::string& id : old) index_.ended.at(id).busy = true;
    lock.unlock();
    store::Batch batch;
    batch.source = "jobs";
    for (const std::string& id : old) {
      batch.kept_removed.push_back({std::string(ended_space), id});
      const auto job = show(id);
      const KindRow* const kind = job ? find_kind(job->kind) : nullptr;
      if (kind != nullptr && kind->forget) kind->forget(*job, batch);
    }
    const auto committed = record_.commit(std::move(batch));
    lock.lock();
    for (const std::string& id : old) {
      index_.ended.at(id).busy = false;
      if (committed) index_.drop_ended(id);
    }
    changed();
    lock.unlock();
    if (!committed) return pass_on(committed, "forgetting old jobs");
    for (const std::string& id : old) results_.remove(id);
  }
}

}  // namespace millrace::jobs
