// The queue's memory of its jobs: which wait, which may run next, which keys are taken, which have ended.
//
// Not locked: the queue holds its mutex.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "jobs/control.h"
#include "jobs/job.h"

namespace millrace::jobs {

// A job that has not ended. While `busy` its next state is on the way to the record and nobody else may change it.
struct LiveJob {
  Job job;
  Place place = Place::worker;
  bool busy = false;
  bool committed = true;      // false: its batch is not in the record (yet)
  const void* batch = nullptr;  // that batch
};

// A job that has ended: what is needed to list, count and forget it. The rest is in the record.
struct EndedJob {
  JobState state = JobState::done;
  std::string kind;
  std::string idempotency_key;
  Instant ended;
  std::optional<std::uint64_t> file_bytes;  // of its result file
  bool busy = false;
};

class QueueIndex {
 public:
  std::map<std::string, LiveJob> live;
  std::map<std::string, EndedJob> ended;
  std::map<std::string, std::string> idempotency;  // key -> job

  LiveJob& add(Job job, Place place);
  // Takes a live job out of all places but `ended`.
  void drop(const std::string& id);
  void add_ended(const Job& job);
  void drop_ended(const std::string& id);
  // A waiting job that nobody changes stands in line; every other one does not.
  void line_up(const LiveJob& entry);
  void leave_line(const LiveJob& entry);

  // The next waiting job of the place that is due and that `may_run`.
  std::optional<std::string> next_due(Place place, Instant now, const std::function<bool(const LiveJob&)>& may_run);
  // When the next one of the place is due.
  std::optional<Instant> next_time(Place place) const;
  // Live jobs with this unique key.
  std::vector<LiveJob*> with_key(const std::string& unique_key);
  // The oldest of those that are to be forgotten: they ended before `before`, are more than `most`, or left more than
  // `bytes_most` bytes of files.
  std::vector<std::string> to_forget(Instant before, std::size_t most, std::uint64_t bytes_most, std::size_t at_once) const;

 private:
  using Turn = std::tuple<std::int32_t, std::string>;  // -priority, id
  struct Line {
    std::set<Turn> due;
    std::set<std::tuple<Instant, std::string>> later;
  };
  Line& line(Place place) { return place == Place::inside ? inside_ : worker_; }
  const Line& line(Place place) const { return place == Place::inside ? inside_ : worker_; }

  Line inside_, worker_;
  std::multimap<std::string, std::string> keys_;  // unique key -> job
  std::set<std::tuple<Instant, std::string>> by_end_;
  std::uint64_t file_bytes_ = 0;  // of all ended jobs
};

}  // namespace millrace::jobs
