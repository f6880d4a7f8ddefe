#include "people/hash_desk.h"

#include <algorithm>

namespace millrace::people {

HashDesk::HashDesk(HashDeskOptions options) : options_(options) {
  for (unsigned i = 0; i < std::max(1u, options_.threads); ++i) threads_.emplace_back([this] { work(); });
}

Result<void> HashDesk::take(std::string address, Task task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return fail(ErrorCode::cancelled, "the server is stopping; sign in again in a moment");
    const auto same = static_cast<std::size_t>(std::ranges::count(queue_, address, &Waiting::address));
    if (queue_.size() >= options_.queue_bound || same >= options_.per_address)
      return fail(ErrorCode::limit_reached, "too many people sign in at this moment; try again in a few seconds");
    queue_.push_back({std::move(address), std::move(task)});
  }
  news_.notify_one();
  return {};
}

void HashDesk::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    const bool stopping = stopping_;
    lock.unlock();
    next.task(stopping);
  }
}

void HashDesk::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::size_t HashDesk::waiting() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace millrace::people
