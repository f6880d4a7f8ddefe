#include "app/warm_keeper.h"

#include <pthread.h>

#include <algorithm>
#include <future>

#include "app/warm_file.h"
#include "base/log.h"
#include "base/time.h"

namespace millrace::app {
namespace {

using namespace std::chrono_literals;

constexpr auto applier_pause = 10ms;
constexpr auto image_patience = 5s;  // for a moment in which nothing waits to be committed

}  // namespace

WarmKeeper::WarmKeeper(WarmKeeperOptions options, store::Record& record, ingest::Intake& intake, metrics::Registry& metrics,
                       std::function<readmodel::SnapshotPtr()> snapshot, std::function<bool()> looked, Written written)
    : options_(std::move(options)),
      record_(record),
      intake_(intake),
      metrics_(metrics),
      snapshot_(std::move(snapshot)),
      looked_(std::move(looked)),
      written_(written) {}

WarmKeeper::~WarmKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WarmKeeper::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "warm");
    loop();
  });
}

void WarmKeeper::nudge() {
  {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
  }
  changed_.notify_all();
}

void WarmKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  write_if_behind(0ms);  // nothing is brought any more
}

void WarmKeeper::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    changed_.wait_for(lock, options_.retry_delay, [this] { return nudged_ || stop_; });
    nudged_ = false;
    if (stop_) return;
    lock.unlock();
    if (due(Stopwatch::now())) write_if_behind(image_patience);
    lock.lock();
  }
}

bool WarmKeeper::due(std::chrono::steady_clock::time_point now) const {
  if (now < not_before_) return false;
  const auto snapshot = snapshot_();
  const std::uint64_t changes = snapshot->as_of().value - std::min(snapshot->as_of().value, written_.sequence.value);
  if (written_.revision == 0 && looked_()) return true;
  if (changes >= std::max(options_.changes_min, snapshot->order_count() / 10)) return true;
  return now - written_at_ >= options_.interval;
}

// The applier may still be on its way to what is committed: a file that lags would only be written again.
readmodel::SnapshotPtr WarmKeeper::snapshot_near(feed::Sequence wanted, std::chrono::milliseconds patience) {
  const auto until = Stopwatch::now() + patience;
  auto snapshot = snapshot_();
  std::unique_lock lock(mutex_);
  while (snapshot->as_of() < wanted && Stopwatch::now() < until && !stop_) {
    changed_.wait_for(lock, applier_pause, [this] { return stop_; });
    snapshot = snapshot_();
  }
  return snapshot;
}

bool WarmKeeper::write_if_behind(std::chrono::milliseconds patience) {
  const auto position = record_.position();
  if (position && position->revision == written_.revision && position->sequence == written_.sequence) return false;
  auto promise = std::make_shared<std::promise<Result<ingest::Intake::Image>>>();
  auto image = promise->get_future();
  intake_.want_image([promise](Result<ingest::Intake::Image> taken) { promise->set_value(std::move(taken)); });
  if (!position || image.wait_for(patience) != std::future_status::ready) {
    not_before_ = Stopwatch::now() + options_.retry_delay;
    return false;
  }
  const auto book = image.get();
  const auto snapshot = snapshot_near(position->sequence, patience);
  const auto began = Stopwatch::now();
  const auto written = book ? WarmFile::write(options_.path, position->identity, *snapshot, *book) : Result<std::uint64_t>(pass_on(book));
  if (!written) {
    metrics_.counter("millrace_warm_start_write_failures_total").add();
    log_warning("warm_start_not_written", {{"path", options_.path}, {"reason", written.error().text()}});
    not_before_ = Stopwatch::now() + options_.retry_delay;
    return false;
  }
  written_at_ = Stopwatch::now();
  written_ = {snapshot->as_of(), book->revision};
  metrics_.counter("millrace_warm_start_writes_total").add();
  metrics_.gauge("millrace_warm_start_bytes").set(static_cast<std::int64_t>(*written));
  log_info("warm_start_written", {{"as_of", std::to_string(written_.sequence.value)},
                                  {"bytes", std::to_string(*written)},
                                  {"ms", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - began).count())}});
  return true;
}

}  // namespace millrace::app
