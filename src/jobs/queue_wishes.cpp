// How a wish becomes a job, or is found to be one already.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "jobs/internal/spaces.h"
#include "jobs/queue.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t key_bytes_max = 256;
constexpr auto settle_patience = 5s;  // for a wish with the same key whose batch is on the way
constexpr std::int32_t priority_max = 100;

// What makes two wishes the same one.
ContentHash content_of(const NewJob& wish) {
  ContentHasher hasher;
  for (const std::string& part : {wish.kind, wish.payload, std::to_string(wish.priority), wish.unique_key,
                                  wish.run_after ? rfc3339(*wish.run_after) : std::string(), std::to_string(wish.tries_max.value_or(0))}) {
    hasher.add(part);
    hasher.add(std::string_view("\0", 1));
  }
  return hasher.hash();
}

}  // namespace

PendingJob::~PendingJob() {
  if (queue_ != nullptr) queue_->settle(enqueued_.id, false);
}

void PendingJob::committed() {
  if (Queue* const queue = std::exchange(queue_, nullptr)) queue->settle(enqueued_.id, true);
}

const KindRow* Queue::find_kind(const std::string& name) const {
  const auto found = std::ranges::find(kinds_, name, &KindRow::name);
  return found == kinds_.end() ? nullptr : &*found;
}

Result<const KindRow*> Queue::kind_of(const std::string& name) const {
  if (const KindRow* const kind = find_kind(name)) return kind;
  std::string names;
  for (const KindRow& kind : kinds_) names += (names.empty() ? "" : ", ") + kind.name;
  return fail(ErrorCode::not_found, "there is no kind of job \"" + printable(name.substr(0, 60)) + "\"; there is " + names);
}

// Grows with every job, so that the order of ids is the order of birth also when the clock is set back.
std::string Queue::next_id() {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.now().time_since_epoch().count(), 0));
  last_id_ = std::max(last_id_ + 1, ms << 16);
  return fmt::format("{:015x}", last_id_);
}

// Answers the unique key.
Result<std::string> Queue::checked(const NewJob& wish, const KindRow& kind) const {
  const auto refuse = [](std::string text) { return fail(ErrorCode::invalid_input, std::move(text)); };
  if (wish.payload.size() > payload_bytes_max)
    return refuse("the payload has " + std::to_string(wish.payload.size()) + " bytes, the limit is " + std::to_string(payload_bytes_max));
  if (wish.unique_key.size() > key_bytes_max || wish.idempotency_key.size() > key_bytes_max)
    return refuse("a key has at most " + std::to_string(key_bytes_max) + " bytes");
  if (wish.priority < -priority_max || wish.priority > priority_max) return refuse("priority is a number from -100 to 100");
  if (wish.tries_max && (*wish.tries_max < 1 || *wish.tries_max > tries_limit)) return refuse("tries_max is a number from 1 to " + std::to_string(tries_limit));
  auto key = kind.check(wish.payload);
  if (!key) return key;
  return wish.unique_key.empty() ? std::move(*key) : wish.unique_key;
}

// The job that this wish already is, why it cannot be one, or nothing: it is new.
std::optional<Result<Enqueued>> Queue::known_wish(std::unique_lock<std::mutex>& lock, const Job& job, UniqueRule rule, const void* batch) {
  const auto until = Stopwatch::now() + settle_patience;
  for (;;) {
    bool unsettled = false;
    if (const auto same = index_.idempotency.find(job.idempotency_key); !job.idempotency_key.empty() && same != index_.idempotency.end()) {
      const std::string id = same->second;
      const auto live = index_.live.find(id);
      if (live != index_.live.end() && !live->second.committed && live->second.batch != batch) {
        unsettled = true;
      } else {
        ContentHash content;
        if (live != index_.live.end()) {
          content = live->second.job.content;
        } else {
          lock.unlock();
          const auto ended = show(id);
          lock.lock();
          if (!ended) return Result<Enqueued>(pass_on(ended));
          content = ended->content;
        }
        if (content == job.content) return Result<Enqueued>(Enqueued{id, false, true});
        return Result<Enqueued>(fail(ErrorCode::conflict, "the Idempotency-Key was used for another job, " + id + "; use a new key for a new wish"));
      }
    }
    for (const LiveJob* const other : rule == UniqueRule::none ? std::vector<LiveJob*>() : index_.with_key(job.unique_key)) {
      const bool own = other->batch == batch && batch != nullptr;
      if (!other->committed && !own) unsettled = true;
      else if (rule == UniqueRule::live || (other->job.state == JobState::waiting && !other->job.cancel_wanted && (!other->busy || own)))
        return Result<Enqueued>(Enqueued{other->job.id, true, false});
    }
    if (!unsettled) return std::nullopt;
    if (changed_.wait_until(lock, until) == std::cv_status::timeout)
      return Result<Enqueued>(fail(ErrorCode::unavailable, "another wish for the same job is on its way to the record; try again in a moment"));
  }
}

Result<PendingJob> Queue::enqueue(store::Batch& batch, NewJob wish) {
  const auto kind = kind_of(wish.kind);
  if (!kind) return pass_on(kind);
  auto unique_key = checked(wish, **kind);
  if (!unique_key) return pass_on(unique_key);
  Job job;
  job.content = content_of(wish);
  job.kind = std::move(wish.kind);
  job.payload = std::move(wish.payload);
  job.priority = wish.priority;
  job.unique_key = std::move(*unique_key);
  // A schedule never has two jobs at once, whatever its kind allows.
  const UniqueRule rule = wish.schedule.empty() ? (*kind)->unique : UniqueRule::live;
  if (job.unique_key.empty() && !wish.schedule.empty()) job.unique_key = "schedule/" + wish.schedule;
  job.idempotency_key = std::move(wish.idempotency_key);
  job.created_by = std::move(wish.created_by);
  job.schedule = std::move(wish.schedule);
  job.run_after = wish.run_after;
  job.tries_max = wish.tries_max.value_or((*kind)->tries_max);
  job.created = clock_.now();
  std::unique_lock lock(mutex_);
  if (auto known = known_wish(lock, job, rule, &batch)) {
    if (!*known) return pass_on(*known);
    return PendingJob(nullptr, std::move(**known));
  }
  if (index_.live.size() >= options_.live_max)
    return fail(ErrorCode::limit_reached, std::to_string(index_.live.size()) + " jobs wait or run, more are not taken; try again later, or cancel some");
  job.id = next_id();
  batch.kept_put.push_back({std::string(live_space), job.id, encode(job)});
  LiveJob& entry = index_.add(std::move(job), (*kind)->place);
  entry.committed = false;
  entry.batch = &batch;
  return PendingJob(this, {entry.job.id, false, false});
}

void Queue::settle(const std::string& id, bool committed) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.live.find(id);
  if (found == index_.live.end()) return;
  if (committed) {
    found->second.committed = true;
    found->second.batch = nullptr;
    index_.line_up(found->second);
  } else {
    index_.drop(id);
  }
  changed();
}

Result<Enqueued> Queue::enqueue(NewJob wish) {
  store::Batch batch;
  batch.source = "jobs";
  auto pending = enqueue(batch, std::move(wish));
  if (!pending) return pass_on(pending);
  if (!batch.empty())
    if (const auto committed = record_.commit(std::move(batch)); !committed) return pass_on(committed);
  pending->committed();
  return pending->enqueued();
}

}  // namespace millrace::jobs
