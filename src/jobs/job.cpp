#include "jobs/job.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace millrace::jobs {
namespace {

constexpr std::uint64_t version = 1;

constexpr std::array<std::string_view, 8> state_words = {"", "waiting", "running", "done", "failed", "dead", "cancelled", "paused"};

void put(ByteWriter& out, Instant instant) { out.signed_varint(instant.time_since_epoch().count()); }
void put(ByteWriter& out, const std::optional<Instant>& instant) {
  out.u8(instant ? 1 : 0);
  if (instant) put(out, *instant);
}
Instant instant(ByteReader& in) { return Instant(std::chrono::milliseconds(in.signed_varint())); }
std::optional<Instant> maybe_instant(ByteReader& in) {
  if (in.u8() == 0) return std::nullopt;
  return instant(in);
}

void put_attempts(ByteWriter& out, const std::vector<Attempt>& attempts) {
  out.varint(attempts.size());
  for (const Attempt& attempt : attempts) {
    out.varint(attempt.number);
    put(out, attempt.began);
    put(out, attempt.ended);
    out.text(attempt.reason);
  }
}
std::vector<Attempt> attempts(ByteReader& in) {
  std::vector<Attempt> found(in.count(4));
  for (Attempt& attempt : found) {
    attempt.number = static_cast<std::uint32_t>(in.varint());
    attempt.began = instant(in);
    attempt.ended = instant(in);
    attempt.reason = in.text();
  }
  return found;
}

}  // namespace

std::string_view word(JobState state) { return state_words[static_cast<std::size_t>(state)]; }

std::optional<JobState> job_state(std::string_view text) {
  const auto found = std::ranges::find(state_words, text);
  if (text.empty() || found == state_words.end()) return std::nullopt;
  return static_cast<JobState>(found - state_words.begin());
}

std::string encode(const Job& job) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(version);
  for (const std::string* text : {&job.id, &job.kind, &job.payload, &job.unique_key, &job.idempotency_key, &job.created_by, &job.schedule})
    out.text(*text);
  out.signed_varint(job.priority);
  for (const std::uint8_t byte : job.content.bytes) out.u8(byte);
  put(out, job.created);
  put(out, job.run_after);
  out.u8(static_cast<std::uint8_t>(job.state));
  out.varint(job.tries);
  out.varint(job.tries_max);
  out.varint(job.lease);
  out.u8(job.cancel_wanted ? 1 : 0);
  put(out, job.started);
  put(out, job.ended);
  out.text(job.error);
  put_attempts(out, job.attempts);
  out.text(job.result);
  out.u8(job.file ? 1 : 0);
  if (job.file) {
    out.text(job.file->name);
    out.text(job.file->type);
    out.varint(job.file->bytes);
  }
  return bytes;
}

Result<Job> decode_job(std::string_view bytes) {
  ByteReader in(bytes);
  Job job;
  if (in.varint() != version) return fail(ErrorCode::corrupt, "a job of the record was written by another version; use the version that wrote it");
  for (std::string* text : {&job.id, &job.kind, &job.payload, &job.unique_key, &job.idempotency_key, &job.created_by, &job.schedule})
    *text = in.text();
  job.priority = static_cast<std::int32_t>(in.signed_varint());
  for (std::uint8_t& byte : job.content.bytes) byte = in.u8();
  job.created = instant(in);
  job.run_after = maybe_instant(in);
  const std::uint8_t state = in.u8();
  job.tries = static_cast<std::uint32_t>(in.varint());
  job.tries_max = static_cast<std::uint32_t>(in.varint());
  job.lease = in.varint();
  job.cancel_wanted = in.u8() != 0;
  job.started = maybe_instant(in);
  job.ended = maybe_instant(in);
  job.error = in.text();
  job.attempts = attempts(in);
  job.result = in.text();
  if (in.u8() != 0) {
    ResultFile& file = job.file.emplace();
    file.name = in.text();
    file.type = in.text();
    file.bytes = in.varint();
  }
  const bool known = state >= static_cast<std::uint8_t>(JobState::waiting) && state <= static_cast<std::uint8_t>(JobState::cancelled);
  if (!in.ok() || !in.at_end() || !known) return fail(ErrorCode::corrupt, "a job of the record is damaged; restore the last backup");
  job.state = static_cast<JobState>(state);
  return job;
}

void note_attempt(Job& job, std::string reason, Instant now) {
  if (reason.size() > reason_bytes_max) reason.resize(reason_bytes_max);
  job.error = reason;
  if (job.attempts.size() >= attempts_kept_max) job.attempts.erase(job.attempts.begin());
  job.attempts.push_back({job.tries, job.started.value_or(now), now, std::move(reason)});
}

}  // namespace millrace::jobs
