// A slot that runs jobs in a worker process.
#include <algorithm>
#include <optional>

#include "base/log.h"
#include "jobs/internal/settle.h"
#include "jobs/internal/worker_process.h"
#include "jobs/runner.h"

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto look_pause = 100ms;  // between two looks whether somebody wants the job to stop
constexpr std::size_t text_bytes_max = 500;  // of a progress, as it is shown

// How a try ended, as the queue hears it.
struct End {
  enum class Kind : std::uint8_t { done, failed, died, cancelled, released } kind = Kind::died;
  Outcome outcome;
  bool again = true;
  std::string reason;
};

// The answer that a worker reads now.
struct Reading {
  std::unique_ptr<OwnAnswer> answer;
  std::string bytes;      // made and not sent yet
  std::size_t sent = 0;   // of them
  bool more = true;
};

class WorkerSlot final : public Slot {
 public:
  WorkerSlot(const RunnerOptions& options, Queue& queue, const Asker& ask, const std::atomic<bool>& stopping)
      : options_(options), queue_(queue), ask_(ask), stopping_(stopping) {}

  bool step(std::chrono::milliseconds patience) override {
    const auto job = queue_.take(Place::worker, patience);
    if (!job) {
      if (process_ && Stopwatch::now() - idle_since_ > options_.idle_max) process_.reset();
      return false;
    }
    End end = run(*job);
    reading_.reset();
    if (end.kind != End::Kind::done && end.kind != End::Kind::failed) process_.reset();
    settle_try(*job, stopping_, [&] { return say(*job, end); });
    idle_since_ = Stopwatch::now();
    return true;
  }

 private:
  Result<void> say(const Job& job, const End& end) {
    switch (end.kind) {
      case End::Kind::done: return queue_.complete(job.id, job.lease, end.outcome);
      case End::Kind::failed: return queue_.failed(job.id, job.lease, end.again, end.reason);
      case End::Kind::died: return queue_.died(job.id, job.lease, end.reason);
      case End::Kind::cancelled: return queue_.cancelled(job.id, job.lease);
      case End::Kind::released: return queue_.release(job.id, job.lease);
    }
    return {};
  }

  static End failed(const Error& error) { return {End::Kind::failed, {}, traits(error.code()).retry, error.text()}; }
  static End died(std::string reason) { return {End::Kind::died, {}, true, std::move(reason)}; }

  // The job is with a worker, or how the try ended before it began. A worker that died while it was idle is replaced.
  std::optional<End> hand_over(const Job& job) {
    const KindRow* const kind = queue_.find_kind(job.kind);
    JobMessage message{job.id, job.kind, job.payload, "", queue_.results().part_path(job.id, job.lease), job.lease};
    if (kind->brief) {
      auto brief = kind->brief(job);
      if (!brief) return failed(brief.error());
      message.brief = std::move(*brief);
    }
    const std::string text = encode(message);
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (process_ && process_->readable(0ms) && !process_->receive()) process_.reset();
      if (!process_) {
        auto started = WorkerProcess::start(options_.executable);
        if (!started) return failed(started.error());
        process_ = std::move(*started);
      }
      if (process_->send(FrameType::job, text)) return std::nullopt;
      process_.reset();
    }
    return died("its worker could not be told about it");
  }

  End run(const Job& job) {
    if (auto refused = hand_over(job)) return std::move(*refused);
    const auto began = Stopwatch::now();
    const auto time_max = queue_.find_kind(job.kind)->time_max;
    auto heard = began;
    std::optional<Stopwatch::time_point> asked_to_stop;
    for (;;) {
      if (process_->readable(look_pause)) {
        if (!process_->receive()) return ended_by_itself(asked_to_stop.has_value());
        heard = Stopwatch::now();
        if (auto end = take_frames(job, asked_to_stop.has_value())) return std::move(*end);
      } else if (Stopwatch::now() - heard > options_.silence_max) {
        process_->end();
        return died("no sign of life for " + std::to_string(options_.silence_max.count() / 1000) + " s: killed");
      }
      const auto now = Stopwatch::now();
      if (now - began > time_max) {
        process_->end();
        return died("took longer than " + std::to_string(time_max.count()) + " s, as long as a " + job.kind + " may: killed");
      }
      const bool stop = stopping_ || queue_.stop_wanted(job.id, job.lease);
      if (stop && !asked_to_stop) {
        asked_to_stop = now;
        if (!process_->send(FrameType::cancel, "")) return ended_by_itself(true);
      }
      if (asked_to_stop && now - *asked_to_stop > (stopping_ ? options_.stop_patience : options_.cancel_patience)) {
        process_->end();
        return stopped();
      }
    }
  }

  End stopped() const { return {stopping_ ? End::Kind::released : End::Kind::cancelled, {}, true, ""}; }

  End ended_by_itself(bool asked_to_stop) {
    std::string reason = process_->reason_of_end();
    if (asked_to_stop) return stopped();
    return died("its worker " + reason);
  }

  std::optional<End> take_frames(const Job& job, bool asked_to_stop) {
    for (;;) {
      auto frame = process_->take();
      if (!frame) return died(frame.error().text());
      if (!*frame) return std::nullopt;
      if (auto end = take(job, **frame, asked_to_stop)) return end;
    }
  }

  std::optional<End> take(const Job& job, const Frame& frame, bool asked_to_stop) {
    switch (frame.type) {
      case FrameType::hello:
        return std::nullopt;
      case FrameType::heartbeat:
        queue_.heartbeat(job.id, job.lease);
        return std::nullopt;
      case FrameType::progress: {
        auto message = decode_progress(frame.content);
        if (!message) return died(message.error().text());
        if (message->progress.text.size() > text_bytes_max) message->progress.text.resize(text_bytes_max);
        queue_.report(job.id, message->lease, std::move(message->progress));
        return std::nullopt;
      }
      case FrameType::ask:
        return answer(job, frame.content);
      case FrameType::next:
        return next_block(!frame.content.empty());
      case FrameType::done:
      case FrameType::failed:
        return end_of(job, frame.content, asked_to_stop);
      default:
        return died("its worker said something that no worker says");
    }
  }

  std::optional<End> end_of(const Job& job, const std::string& content, bool asked_to_stop) {
    auto message = decode_end(content);
    if (!message || message->lease != job.lease) return died("its worker spoke of another job");
    if (!message->error) return End{End::Kind::done, std::move(message->outcome), false, ""};
    if (asked_to_stop) return stopped();
    return End{End::Kind::failed, {}, message->again, std::move(*message->error)};
  }

  // A worker that does not take our answer is noticed when its socket closes or it falls silent.
  std::optional<End> tell(FrameType type, std::string_view content) {
    if (process_->send(type, content)) return std::nullopt;
    return ended_by_itself(false);
  }

  std::optional<End> answer(const Job& job, const std::string& path) {
    auto answer = ask_(job, path);
    AnswerMessage head;
    if (!answer) {
      head.status = traits(answer.error().code()).http_status;
      head.error = answer.error().text();
      return tell(FrameType::answer, encode(head));
    }
    head.status = (*answer)->status();
    head.type = (*answer)->type();
    if (head.status != 200) {
      std::string text;
      const auto read = (*answer)->next(text);
      head.error = "asking " + path + " was answered " + std::to_string(head.status) + ": " + (read ? text.substr(0, reason_bytes_max) : read.error().text());
      return tell(FrameType::answer, encode(head));
    }
    reading_.emplace();
    reading_->answer = std::move(*answer);
    return tell(FrameType::answer, encode(head));
  }

  std::optional<End> next_block(bool wanted) {
    if (!reading_ || !wanted) {
      reading_.reset();
      return tell(FrameType::block, "");
    }
    Reading& reading = *reading_;
    while (reading.sent == reading.bytes.size() && reading.more) {
      reading.bytes.clear();
      reading.sent = 0;
      const auto more = reading.answer->next(reading.bytes);
      if (!more) {
        AnswerMessage broken;
        broken.error = more.error().text();
        reading_.reset();
        return tell(FrameType::answer, encode(broken));
      }
      reading.more = *more;
    }
    const std::string_view block = std::string_view(reading.bytes).substr(reading.sent, block_bytes_max);
    reading.sent += block.size();
    auto end = tell(FrameType::block, block);
    if (block.empty()) reading_.reset();
    return end;
  }

  const RunnerOptions& options_;
  Queue& queue_;
  const Asker& ask_;
  const std::atomic<bool>& stopping_;
  std::unique_ptr<WorkerProcess> process_;
  std::optional<Reading> reading_;
  Stopwatch::time_point idle_since_ = Stopwatch::now();
};

}  // namespace

std::unique_ptr<Slot> make_worker_slot(const RunnerOptions& options, Queue& queue, const Asker& ask, const std::atomic<bool>& stopping) {
  return std::make_unique<WorkerSlot>(options, queue, ask, stopping);
}

}  // namespace millrace::jobs
