// Documents that wait for a parser, the quick kinds apart from the slow ones.
//
// Invariants
//   * Bounded: `push` waits while `bound` documents wait.
//   * Quick documents go first, so that pages, which cost a hundred times as much, never stand before them; but
//     nothing slow waits longer than `slow_patience` behind quick ones.
#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

class JobLanes {
 public:
  static constexpr std::chrono::milliseconds slow_patience{2'000};

  // `takers` share what waits: one takes no more than its part of it.
  JobLanes(std::size_t bound, std::size_t takers) : bound_(bound), takers_(takers) {}

  // False when closed.
  bool push(ParseJob job);
  enum class Wait : std::uint8_t { yes, no };
  // Documents of one lane; none when there are none (now), or after `close`.
  std::vector<ParseJob> take(Wait wait, std::size_t quick_max, std::size_t slow_max);
  void close();

 private:
  struct Waiting {
    ParseJob job;
    Stopwatch::time_point since;
  };
  std::size_t size() const { return quick_.size() + slow_.size(); }

  const std::size_t bound_;
  const std::size_t takers_;
  std::mutex mutex_;
  // guarded by mutex_
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::deque<Waiting> quick_;
  std::deque<Waiting> slow_;
  bool closed_ = false;
};

}  // namespace millrace::ingest
