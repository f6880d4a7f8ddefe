// Jobs by the clock: each schedule is a kept row, its turn and its job are one transaction.
//
// Invariants
//   * Each due time makes one job, also when the server ends in that moment; what was missed while it was down is made up
//     for by one job.
//   * Never two jobs of one schedule at once: a turn that finds its job of before not over is skipped and counted.
//   * A clock that is set back by less than a day repeats no turn; one that is set back by more begins anew.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "jobs/control.h"
#include "jobs/queue.h"
#include "jobs/timing.h"
#include "store/record.h"

namespace millrace::jobs {

inline constexpr std::size_t schedules_max = 100;

std::string encode(const Schedule& schedule);
Result<Schedule> decode_schedule(std::string_view bytes);

class Schedules {
 public:
  // Errors   corrupt  a stored schedule cannot be read
  static Result<std::unique_ptr<Schedules>> open(store::Record& record, Queue& queue, const Clock& clock, Zone zone);

  // One look at the clock: makes the jobs that are due; answers how many.
  std::size_t step();
  // As jobs/control.h says.
  std::vector<ScheduleStatus> list() const;
  Result<ScheduleStatus> put(Schedule schedule);
  Result<void> remove(const std::string& name);

 private:
  struct Entry {
    Schedule schedule;
    Timing timing;
    std::optional<Instant> next;
    std::string told;  // why its turn could not be taken, as it was logged
  };
  Schedules(store::Record& record, Queue& queue, const Clock& clock, Zone zone) : record_(record), queue_(queue), clock_(clock), zone_(zone) {}
  Result<Entry> entry_of(Schedule schedule) const;
  ScheduleStatus status_of(const Entry& entry) const;
  std::vector<Entry> due(Instant now);
  Result<void> take_turn(Entry entry, Instant now);

  store::Record& record_;
  Queue& queue_;
  const Clock& clock_;
  const Zone zone_;
  std::mutex writing_;  // one writer at a time: held from reading a schedule to its row being in the record
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_
};

}  // namespace millrace::jobs
