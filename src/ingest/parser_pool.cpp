#include "ingest/parser_pool.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "base/log.h"
#include "ingest/internal/parser_desk.h"
#include "ingest/sandbox.h"

namespace millrace::ingest {
namespace {

class Pool final : public ParserPool {
 public:
  Pool(ParserPoolOptions options, OnAnswers on_answers)
      : options_(std::move(options)), on_answers_(std::move(on_answers)), setup_(setup_of(options_)), lanes_(options_.queue_bound, options_.worker_count) {}
  ~Pool() override { stop(); }

  Result<void> begin() {
    auto memory = SharedMemory::create(ParserDesk::shared_bytes);
    if (!memory) return pass_on(memory);
    auto first = WorkerProcess::start(options_.executable, true, setup_, (*memory)->descriptor());
    if (!first) {
      log_info("parser_sandbox_without_bubblewrap", {{"reason", first.error().text()}});
      through_bubblewrap_ = false;
      first = WorkerProcess::start(options_.executable, false, setup_, (*memory)->descriptor());
      if (!first) return pass_on(first);
    }
    // A worker ends with the thread that started it (PDEATHSIG), so each thread starts its own; the first one was
    // the test that starting works.
    first->reset();
    for (std::size_t i = 0; i < options_.worker_count; ++i) {
      threads_.emplace_back([this] { ParserDesk({options_, setup_, through_bubblewrap_}, lanes_, on_answers_, replaced_).run(stopping_); });
    }
    return {};
  }

  bool submit(ParseJob job) override { return lanes_.push(std::move(job)); }

  void stop() override {
    const std::lock_guard lock(stop_mutex_);
    stopping_ = true;
    lanes_.close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::string sandbox() const override { return through_bubblewrap_ ? "bubblewrap + rlimits + seccomp" : landlock_works() ? "landlock + rlimits + seccomp" : "rlimits + seccomp"; }
  std::uint64_t workers_replaced() const override { return replaced_; }

 private:
  static std::string setup_of(const ParserPoolOptions& options) {
    WorkerSetup setup;
    setup.memory_max = options.memory_max;
    setup.file_size_max = options.file_size_max;
    setup.time_max_ms = static_cast<std::uint64_t>(options.time_max.count());
    setup.shared_bytes = ParserDesk::shared_bytes;
    setup.hash_method = options.hash_method;
    setup.profile_toml = to_toml(options.profile);
    return encode(setup);
  }

  const ParserPoolOptions options_;
  const OnAnswers on_answers_;
  const std::string setup_;
  bool through_bubblewrap_ = true;  // fixed before the threads start
  // locked inside themselves
  JobLanes lanes_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> replaced_{0};
  std::mutex stop_mutex_;
  // guarded by stop_mutex_ once started
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<ParserPool>> ParserPool::start(ParserPoolOptions options, OnAnswers on_answers) {
  check(options.worker_count > 0 && options.queue_bound > 0, "a parser pool has workers and a queue");
  auto pool = std::make_unique<Pool>(std::move(options), std::move(on_answers));
  if (auto begun = pool->begin(); !begun) return pass_on(begun);
  return pool;
}

}  // namespace millrace::ingest
