// One piece of work for later, as it is stored and shown.
//
//             take                 complete
//   waiting ────────> running ───────────────> done
//      ^                 │ the kind gave up        > failed
//      │ retry, death,   │ asked to stop           > cancelled
//      └──── stop ───────┤ the last try ended so   > dead     (a dead letter: a person may try it again, or
//                                                           give it up: cancelled)
//
// Invariants
//   * A try is counted when it begins, in the record: what ends the whole server was a try too.
//   * Every start gets the next lease. What comes in under an older lease changes nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"

namespace millrace::jobs {

enum class JobState : std::uint8_t {
  waiting = 1,
  running = 2,
  done = 3,
  failed = 4,     // its kind said that trying again is no use
  dead = 5,       // it was tried as often as it may be
  cancelled = 6,
  paused = 7,     // shown, never stored: it waits, and its kind or the queue is paused
};
std::string_view word(JobState state);
std::optional<JobState> job_state(std::string_view word);
inline bool has_ended(JobState state) {
  return state == JobState::done || state == JobState::failed || state == JobState::dead || state == JobState::cancelled;
}

inline constexpr std::size_t payload_bytes_max = 64 << 10;
inline constexpr std::size_t result_bytes_max = 64 << 10;  // beside a result file
inline constexpr std::size_t reason_bytes_max = 2'000;
inline constexpr std::size_t attempts_kept_max = 10;       // the newest
inline constexpr std::uint32_t tries_limit = 1'000;        // no job may ask for more

struct Progress {
  std::uint64_t done = 0, total = 0;  // total 0: not known
  std::string unit;                   // "orders"
  std::string text;                   // one short sentence, "" when the numbers say it all
  bool operator==(const Progress&) const = default;
};

// A try that did not end in a result.
struct Attempt {
  std::uint32_t number = 0;
  Instant began, ended;
  std::string reason;  // "killed by signal 11"
  bool operator==(const Attempt&) const = default;
};

// What a job leaves for people, in DATA/results.
struct ResultFile {
  std::string name = {};  // as a browser should save it: "orders_2026-11-22.csv"
  std::string type = {};  // "text/csv; charset=utf-8"
  std::uint64_t bytes = 0;
  bool operator==(const ResultFile&) const = default;
};

struct Job {
  std::string id;       // grows with every job, so the order of ids is the order of birth
  std::string kind;
  std::string payload;  // JSON text
  std::int32_t priority = 0;  // higher goes first
  std::string unique_key;       // "": none
  std::string idempotency_key;  // "": none
  ContentHash content;          // of what was asked, to know the same wish again
  std::string created_by;
  std::string schedule;         // whose turn made it, "" a person or the program
  Instant created;
  std::optional<Instant> run_after;  // not before
  JobState state = JobState::waiting;
  std::uint32_t tries = 0, tries_max = 3;
  std::uint64_t lease = 0;
  bool cancel_wanted = false;
  std::optional<Instant> started, ended;  // of the last try; of the job
  std::string error;                      // why it failed, died or waits again
  std::vector<Attempt> attempts;
  std::string result;                     // JSON text, "" before it is done
  std::optional<ResultFile> file;
  // Kept in memory only.
  Progress progress;
  std::optional<Instant> heartbeat;
};

std::string encode(const Job& job);
// Errors   corrupt  not a job, or of a newer version
Result<Job> decode_job(std::string_view bytes);

// The job as it is again after a try that ended with `reason`; waits until `run_after`.
void note_attempt(Job& job, std::string reason, Instant now);

}  // namespace millrace::jobs
