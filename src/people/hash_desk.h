// Where passwords are hashed: a few threads and a short queue, so that a flood of sign-ins costs neither memory nor the
// threads of the network.
//
// Invariants
//   * At most `threads` hashes run at once and `queue_bound` wait; of one address at most `per_address` wait, so that one
//     flood leaves room for others.
//   * Every task that was taken runs exactly once, also when the desk stops: then with `stopping` true, and it only answers.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace millrace::people {

struct HashDeskOptions {
  unsigned threads = 2;
  std::size_t queue_bound = 16;
  std::size_t per_address = 4;
};

class HashDesk {
 public:
  using Task = std::function<void(bool stopping)>;

  explicit HashDesk(HashDeskOptions options);
  ~HashDesk() { stop(); }
  HashDesk(const HashDesk&) = delete;
  HashDesk& operator=(const HashDesk&) = delete;

  // Errors   limit_reached  too many wait; the task was not taken
  //          cancelled      the desk has stopped
  Result<void> take(std::string address, Task task);
  void stop();
  std::size_t waiting() const;

 private:
  struct Waiting {
    std::string address;
    Task task;
  };
  void work();

  const HashDeskOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  // guarded by mutex_
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  // fixed after construction, joined by stop
  std::vector<std::thread> threads_;
};

}  // namespace millrace::people
