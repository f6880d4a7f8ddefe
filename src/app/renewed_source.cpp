#include "app/renewed_source.h"

#include <thread>
#include <utility>

#include "base/log.h"

namespace millrace::app {

RenewedSource::RenewedSource(RenewedSourceOptions options) : options_(std::move(options)), failed_(options_.failed) {
  failed_.state = ingest::SourceState::failed;
  failed_.needs_person = true;
}

Result<std::unique_ptr<RenewedSource>> RenewedSource::start(RenewedSourceOptions options) {
  std::unique_ptr<RenewedSource> source(new RenewedSource(std::move(options)));
  source->seen_ = stamps_of(source->options_.files());
  // What cannot be as it is configured does not keep the others from starting.
  if (const auto made = source->make(); !made && made.error().code() != ErrorCode::invalid_input) return pass_on(made);
  return source;
}

RenewedSource::~RenewedSource() { give_up(); }

std::string RenewedSource::stamps_of(const std::vector<SecretFile>& files) {
  std::string all;
  for (const SecretFile& file : files) all += file.stamp + "\n";
  return all;
}

// "" when one of them cannot be read.
std::string RenewedSource::contents_of(const std::vector<SecretFile>& files) {
  std::string all = "\n";
  for (const SecretFile& file : files) {
    const std::string content = file.content();
    if (content.empty()) return "";
    all += content + "\n";
  }
  return all;
}

std::shared_ptr<ingest::Source> RenewedSource::current() const {
  const std::lock_guard lock(mutex_);
  return source_;
}

Result<void> RenewedSource::make() {
  made_from_ = contents_of(options_.files());
  auto made = options_.make();
  if (!made) {
    log_error("source_failed", {{"source", options_.failed.id}, {"reason", made.error().text()}});
    const std::lock_guard lock(mutex_);
    // With every secret at hand it is the settings that are wrong, and those are read at the start.
    failed_.message = made.error().text() + (made_from_.empty() ? "" : "; then restart Millrace");
    return pass_on(made);
  }
  std::shared_ptr<ingest::Source> source = std::move(*made);
  const std::lock_guard lock(mutex_);
  if (paused_) source->request_pause();
  if (interval_) source->request_interval(*interval_);
  if (stop_) source->request_stop();
  source_ = std::move(source);
  return {};
}

void RenewedSource::give_up() {
  std::shared_ptr<ingest::Source> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::exchange(source_, nullptr);
    failed_.message = "it is made anew";
  }
  if (!old) return;
  options_.gone();
  old->request_stop();
  // Others may hold it for the length of one question: its session is given back before the next one signs in.
  while (old.use_count() > 1) std::this_thread::yield();
}

// Notices a file that was changed, and acts when it has been the same for a while.
void RenewedSource::look() {
  const auto files = options_.files();
  const std::string now = stamps_of(files);
  const auto moment = Stopwatch::now();
  if (now != seen_) {
    seen_ = now;
    seen_since_ = moment;
    settled_ = false;
  }
  bool asked = false;
  {
    const std::lock_guard lock(mutex_);
    asked = std::exchange(asked_, false) && !source_;
  }
  if (!asked && (settled_ || moment - seen_since_ < options_.settle)) return;
  settled_ = true;
  const bool runs = current() != nullptr;
  const std::string contents = contents_of(files);
  if (runs && (contents.empty() || contents == made_from_)) {
    if (contents.empty())
      log_warning("secret_not_readable",
                  {{"source", options_.failed.id},
                   {"reason", "its file changed and cannot be read; what was read before still counts"}});
    return;
  }
  if (runs) {
    log_info("source_renewed", {{"source", options_.failed.id}, {"reason", "a file with its secret was changed"}});
    give_up();
  }
  if (make()) tell_news();
}

bool RenewedSource::step(std::chrono::milliseconds patience) {
  look();
  if (const auto source = current()) return source->step(patience);
  return wait(patience);
}

bool RenewedSource::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [&] { return stop_ || asked_; });
  return false;
}

ingest::SourceStatus RenewedSource::status() const {
  if (const auto source = current()) return source->status();
  const std::lock_guard lock(mutex_);
  ingest::SourceStatus status = failed_;
  if (stop_) status.state = ingest::SourceState::stopped;
  return status;
}

std::optional<Stopwatch::time_point> RenewedSource::hangs_since() const {
  const auto source = current();
  return source ? source->hangs_since() : std::nullopt;
}

void RenewedSource::tell_news() const {
  if (const auto source = current()) source->tell_news();
}

void RenewedSource::request_refresh(bool reread_everything) {
  if (const auto source = current()) return source->request_refresh(reread_everything);
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  wake_.notify_all();
}

void RenewedSource::request_pause() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = true;
  }
  if (const auto source = current()) source->request_pause();
}

void RenewedSource::request_resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    asked_ = true;
  }
  wake_.notify_all();
  if (const auto source = current()) source->request_resume();
}

void RenewedSource::request_interval(std::chrono::seconds interval) {
  {
    const std::lock_guard lock(mutex_);
    interval_ = interval;
  }
  if (const auto source = current()) source->request_interval(interval);
}

void RenewedSource::request_accept() {
  if (const auto source = current()) source->request_accept();
}
void RenewedSource::request_reject() {
  if (const auto source = current()) source->request_reject();
}
void RenewedSource::request_replay(const std::string& path) {
  if (const auto source = current()) source->request_replay(path);
}
void RenewedSource::request_keys(std::string_view stream, std::vector<std::string> keys) {
  if (const auto source = current()) source->request_keys(stream, std::move(keys));
}

void RenewedSource::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (const auto source = current()) source->request_stop();
}

}  // namespace millrace::app
