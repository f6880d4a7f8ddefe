// What can be asked of and done to the jobs: the face of `jobs` for routes and the command line.
//
// Any thread may call. What changes something waits for one commit of the record.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "jobs/job.h"
#include "jobs/kind.h"

namespace millrace::jobs {

// A wish for a job.
struct NewJob {
  std::string kind = {};
  std::string payload = "{}";  // JSON text
  std::int32_t priority = 0;   // -100..100, higher goes first
  std::string unique_key = {};      // "": the kind's own rule
  std::string idempotency_key = {};
  std::string created_by = {};
  std::string schedule = {};
  std::optional<Instant> run_after = {};
  std::optional<std::uint32_t> tries_max = {};  // else the kind's
};

struct Enqueued {
  std::string id = {};
  bool existing = false;  // another wish with the same unique key made it: nothing was added
  bool replayed = false;  // the same wish with the same Idempotency-Key made it
};

struct JobQuery {
  std::optional<JobState> state = {};
  std::string kind = {};    // "": all
  std::size_t limit = 50;
  std::string before = {};  // only jobs with a smaller id
};
struct JobPage {
  std::vector<Job> jobs;  // newest first
  std::string next;       // `before` of the next page, "" when this is the last
};

// Jobs that the record holds, by state.
struct JobCounts {
  std::uint64_t waiting = 0, paused = 0, running = 0, done = 0, failed = 0, dead = 0, cancelled = 0;
};

struct KindStatus {
  std::string name, right, summary, payload_help;
  Place place = Place::worker;
  std::chrono::seconds time_max{0};
  std::uint32_t tries_max = 0;
  bool paused = false;
  std::vector<PayloadMember> members = {};  // of the payload
};

struct Schedule {
  std::string name;      // a short word: letters, digits, - and _
  std::string kind;
  std::string payload = "{}";
  std::string timing;    // "30 2 * * 1-5" or "every 15m"; see jobs/timing.h
  std::int32_t priority = 0;
  bool enabled = true;
  std::string created_by;
  // filled by us
  Instant since;                    // made or last changed
  std::optional<Instant> last_due;  // of its last turn
  std::string last_job;             // of its last turn
  std::uint64_t turns = 0, skipped = 0;  // skipped: the job of the turn before was not over
};
struct ScheduleStatus {
  Schedule schedule;
  std::string zone;
  std::optional<Instant> next;
};

class Control {
 public:
  virtual ~Control() = default;

  // Errors   not_found      no such kind; the text lists those there are
  //          invalid_input  the payload or another member is wrong
  //          conflict       the Idempotency-Key was used for another wish
  //          limit_reached  too many jobs wait; try again later
  //          those of Record::commit
  virtual Result<Enqueued> enqueue(NewJob wish) = 0;

  virtual Result<Job> show(const std::string& id) const = 0;  // not_found
  virtual Result<JobPage> list(const JobQuery& query) const = 0;
  virtual JobCounts counts() const = 0;
  virtual std::vector<KindStatus> kinds() const = 0;
  virtual bool paused() const = 0;  // the whole queue
  // Grows with everything about jobs that a screen could show.
  virtual std::uint64_t revision() const = 0;
  // The job as it is once it has ended or the time is over.
  virtual Result<Job> wait_for_end(const std::string& id, std::chrono::milliseconds patience) const = 0;
  // Errors   not_found  the job left no file
  virtual Result<UniqueFd> open_result(const Job& job) const = 0;

  // A waiting job ends at once; a running one is asked, and ended by force after two seconds. A dead letter is given up:
  // it stays among the ended ones as cancelled, with the reasons of its tries.
  // Errors   not_found; conflict  it has ended
  virtual Result<Job> cancel(const std::string& id) = 0;
  // A dead, failed or cancelled job waits again with all its tries.
  // Errors   not_found; conflict  it is done, or not over, or another one does the same work now
  virtual Result<Job> retry(const std::string& id) = 0;
  // "" is the whole queue. What runs goes on. Errors  not_found  no such kind
  virtual Result<void> pause(const std::string& kind) = 0;
  virtual Result<void> resume(const std::string& kind) = 0;

  virtual std::vector<ScheduleStatus> schedules() const = 0;
  // Errors   invalid_input  name, timing or payload is wrong;  not_found  the kind;  limit_reached  too many
  virtual Result<ScheduleStatus> put_schedule(Schedule schedule) = 0;
  virtual Result<void> remove_schedule(const std::string& name) = 0;  // not_found
};

}  // namespace millrace::jobs
