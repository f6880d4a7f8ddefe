#include "jobs/internal/queue_index.h"

namespace millrace::jobs {

LiveJob& QueueIndex::add(Job job, Place place) {
  const std::string id = job.id;
  if (!job.unique_key.empty()) keys_.emplace(job.unique_key, id);
  if (!job.idempotency_key.empty()) idempotency[job.idempotency_key] = id;
  LiveJob& entry = live[id];
  entry.job = std::move(job);
  entry.place = place;
  return entry;
}

void QueueIndex::drop(const std::string& id) {
  const auto found = live.find(id);
  if (found == live.end()) return;
  const Job& job = found->second.job;
  leave_line(found->second);
  const auto [from, to] = keys_.equal_range(job.unique_key);
  for (auto key = from; key != to; ++key) {
    if (key->second != id) continue;
    keys_.erase(key);
    break;
  }
  if (const auto known = idempotency.find(job.idempotency_key); known != idempotency.end() && known->second == id) idempotency.erase(known);
  live.erase(found);
}

void QueueIndex::add_ended(const Job& job) {
  const Instant at = job.ended.value_or(job.created);
  ended[job.id] = {job.state, job.kind, job.idempotency_key, at, job.file ? std::optional(job.file->bytes) : std::nullopt, false};
  if (job.file) file_bytes_ += job.file->bytes;
  by_end_.emplace(at, job.id);
  if (!job.idempotency_key.empty()) idempotency[job.idempotency_key] = job.id;
}

void QueueIndex::drop_ended(const std::string& id) {
  const auto found = ended.find(id);
  if (found == ended.end()) return;
  by_end_.erase({found->second.ended, id});
  file_bytes_ -= found->second.file_bytes.value_or(0);
  if (const auto known = idempotency.find(found->second.idempotency_key); known != idempotency.end() && known->second == id) idempotency.erase(known);
  ended.erase(found);
}

void QueueIndex::line_up(const LiveJob& entry) {
  if (entry.busy || !entry.committed || entry.job.state != JobState::waiting) return;
  if (entry.job.run_after) line(entry.place).later.emplace(*entry.job.run_after, entry.job.id);
  else line(entry.place).due.emplace(-entry.job.priority, entry.job.id);
}

void QueueIndex::leave_line(const LiveJob& entry) {
  line(entry.place).due.erase({-entry.job.priority, entry.job.id});
  if (entry.job.run_after) line(entry.place).later.erase({*entry.job.run_after, entry.job.id});
}

std::optional<std::string> QueueIndex::next_due(Place place, Instant now, const std::function<bool(const LiveJob&)>& may_run) {
  Line& waiting = line(place);
  while (!waiting.later.empty() && std::get<0>(*waiting.later.begin()) <= now) {
    const std::string id = std::get<1>(*waiting.later.begin());
    waiting.later.erase(waiting.later.begin());
    waiting.due.emplace(-live.at(id).job.priority, id);
  }
  for (const auto& [priority, id] : waiting.due)
    if (may_run(live.at(id))) return id;
  return std::nullopt;
}

std::optional<Instant> QueueIndex::next_time(Place place) const {
  const Line& waiting = line(place);
  if (waiting.later.empty()) return std::nullopt;
  return std::get<0>(*waiting.later.begin());
}

std::vector<LiveJob*> QueueIndex::with_key(const std::string& unique_key) {
  std::vector<LiveJob*> found;
  if (unique_key.empty()) return found;
  const auto [from, to] = keys_.equal_range(unique_key);
  for (auto key = from; key != to; ++key) found.push_back(&live.at(key->second));
  return found;
}

std::vector<std::string> QueueIndex::to_forget(Instant before, std::size_t most, std::uint64_t bytes_most, std::size_t at_once) const {
  std::vector<std::string> found;
  std::size_t left = by_end_.size();
  std::uint64_t bytes_left = file_bytes_;
  for (const auto& [at, id] : by_end_) {
    if ((at >= before && left <= most && bytes_left <= bytes_most) || found.size() >= at_once) break;
    const EndedJob& job = ended.at(id);
    --left;
    bytes_left -= job.file_bytes.value_or(0);
    if (!job.busy) found.push_back(id);
  }
  return found;
}

}  // namespace millrace::jobs
