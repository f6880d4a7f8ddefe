#include "jobs/worker.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "base/bounded_queue.h"
#include "base/time.h"
#include "jobs/internal/frames.h"

namespace millrace::jobs {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr rlim_t address_space_max = 4ull << 30;
#endif

// The server is gone, or does not understand us: nobody waits for what we do.
[[noreturn]] void leave() { ::_exit(0); }

// The socket: written by both threads, read by the one that listens.
class Wire {
 public:
  void send(FrameType type, std::string_view content) {
    const std::lock_guard lock(mutex_);
    if (!send_frame(worker_socket, type, content)) leave();
  }

 private:
  std::mutex mutex_;
};

// What the listening thread hands to the working one. One job, and one answer that was asked for, at a time.
struct Inbox {
  BoundedQueue<JobMessage> jobs{1};
  BoundedQueue<Frame> answers{2};
  std::atomic<bool> stop_wanted{false};
  std::atomic<bool> silent{false};
  std::atomic<std::uint64_t> lease{0};  // of the job that runs, 0 none
};

void take_frame(Inbox& inbox, Frame frame) {
  switch (frame.type) {
    case FrameType::job: {
      auto message = decode_job_message(frame.content);
      inbox.stop_wanted = false;
      if (!message || !inbox.jobs.try_push(std::move(*message))) leave();
      return;
    }
    case FrameType::cancel:
      inbox.stop_wanted = true;
      return;
    case FrameType::answer:
    case FrameType::block:
      if (!inbox.answers.try_push(std::move(frame))) leave();
      return;
    default:
      leave();
  }
}

void listen(Wire& wire, Inbox& inbox) {
  FrameReader reader;
  auto beat = Stopwatch::now();
  for (;;) {
    pollfd wait{worker_socket, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(heartbeat_period.count()) / 4);
    if (ready > 0) {
      if (!reader.receive(worker_socket)) leave();
      for (auto frame = reader.take(); !frame || *frame; frame = reader.take()) {
        if (!frame) leave();
        take_frame(inbox, std::move(**frame));
      }
    }
    if (Stopwatch::now() - beat < heartbeat_period) continue;
    beat = Stopwatch::now();
    if (inbox.lease != 0 && !inbox.silent) wire.send(FrameType::heartbeat, "");
  }
}

class RunImpl final : public WorkerRun {
 public:
  RunImpl(Wire& wire, Inbox& inbox, JobMessage message) : wire_(wire), inbox_(inbox), message_(std::move(message)) {}

  const std::string& id() const override { return message_.id; }
  const std::string& payload() const override { return message_.payload; }
  const std::string& brief() const override { return message_.brief; }
  const std::string& result_path() const override { return message_.result_path; }
  bool stop_wanted() const override { return inbox_.stop_wanted; }
  void progress(Progress now) override {
    if (!inbox_.silent) wire_.send(FrameType::progress, encode(ProgressMessage{message_.lease, std::move(now)}));
  }
  void fall_silent() override { inbox_.silent = true; }

  Result<AnswerHead> ask(std::string_view path, const std::function<bool(std::string_view)>& block) override {
    wire_.send(FrameType::ask, path);
    const auto first = inbox_.answers.pop();
    const auto head = first && first->type == FrameType::answer ? decode_answer(first->content) : Result<AnswerMessage>(broken());
    if (!head) return pass_on(head);
    if (!head->error.empty()) return fail(head->status == 404 ? ErrorCode::not_found : head->status == 0 || head->status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_input, head->error);
    bool wanted = true;
    for (;;) {
      wanted = wanted && !stop_wanted();
      // An empty wish ends the answer early.
      wire_.send(FrameType::next, wanted ? "1" : "");
      const auto frame = inbox_.answers.pop();
      if (!frame) return broken();
      if (frame->type == FrameType::answer) {
        const auto broke = decode_answer(frame->content);
        return fail(ErrorCode::unavailable, broke ? broke->error : broke.error().text());
      }
      if (frame->content.empty()) break;
      wanted = wanted && block(frame->content);
    }
    if (!wanted) return fail(ErrorCode::cancelled, "stopped while the answer to " + std::string(path) + " was read");
    return AnswerHead{head->status, head->type};
  }

 private:
  static Failure broken() { return fail(ErrorCode::unavailable, "the server's answer broke off"); }

  Wire& wire_;
  Inbox& inbox_;
  const JobMessage message_;
};

Result<Outcome> run_kind(std::span<const WorkerKind> kinds, RunImpl& run, const std::string& kind) {
  const auto found = std::ranges::find(kinds, kind, &WorkerKind::name);
  if (found == kinds.end()) return fail(ErrorCode::internal, "the worker knows no jobs of kind " + kind);
  try {
    return found->run(run);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::unavailable, "the job needs more memory than its worker may use");
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, std::string("the job failed: ") + error.what());
  }
}

// Before the first job: no core file with the company's data, a bound on memory, and an end with the server.
bool enter() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  const rlimit no_core{0, 0};
  bool good = ::setrlimit(RLIMIT_CORE, &no_core) == 0;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit memory{address_space_max, address_space_max};
  good = good && ::setrlimit(RLIMIT_AS, &memory) == 0;
#endif
  return good;
}

}  // namespace

int run_job_worker(std::span<const WorkerKind> kinds) {
  if (!enter()) return 1;
  Wire wire;
  Inbox inbox;
  wire.send(FrameType::hello, "");
  std::thread listener([&] { listen(wire, inbox); });
  listener.detach();  // it leaves with the process
  for (;;) {
    auto message = inbox.jobs.pop();
    if (!message) leave();
    EndMessage end;
    end.lease = message->lease;
    inbox.lease = message->lease;
    const std::string kind = message->kind;
    RunImpl run(wire, inbox, std::move(*message));
    auto outcome = run_kind(kinds, run, kind);
    inbox.lease = 0;
    if (outcome) {
      end.outcome = std::move(*outcome);
    } else {
      end.error = outcome.error().text();
      end.again = traits(outcome.error().code()).retry;
    }
    if (inbox.silent) for (;;) ::pause();
    wire.send(end.error ? FrameType::failed : FrameType::done, encode(end));
  }
}

}  // namespace millrace::jobs
