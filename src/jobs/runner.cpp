#include "jobs/runner.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto take_patience = 10s;  // a slot that waits wakes by itself to see whether its worker is idle for too long
constexpr auto keep_period = 1s;

}  // namespace

Runner::Runner(RunnerOptions options, Queue& queue, Asker ask, std::function<void()> keep)
    : options_(std::move(options)), queue_(queue), ask_(std::move(ask)), keep_(std::move(keep)) {}

void Runner::start() {
  // The slot is made by its own thread: its workers end with the thread that started them.
  for (unsigned i = 0; i < options_.workers; ++i)
    threads_.emplace_back([this] {
      const auto slot = make_worker_slot(options_, queue_, ask_, stopping_);
      while (!stopping_) slot->step(take_patience);
    });
  for (unsigned i = 0; i < options_.inside; ++i)
    threads_.emplace_back([this] {
      const auto slot = make_inside_slot(queue_, stopping_);
      while (!stopping_) slot->step(take_patience);
    });
  threads_.emplace_back([this] { keep_up(); });
}

void Runner::keep_up() {
  while (!stopping_) {
    keep_();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, keep_period, [this] { return stopping_.load(); });
  }
}

void Runner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  queue_.stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace millrace::jobs
