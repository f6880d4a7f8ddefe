#include "ingest/parser_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "ingest/internal/worker_protocol.h"
#include "ingest/sandbox.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t in_flight_max = 2;  // the worker finds its next document when it answers the last
constexpr std::chrono::milliseconds hello_patience{10'000};
constexpr std::chrono::milliseconds stop_patience{100};

Failure system_failure(std::string_view doing, int error) {
  return fail(ErrorCode::unavailable, std::string(doing) + ": " + std::strerror(error));
}

// One worker process and our end of its socket. Killed with its owner.
class WorkerProcess {
 public:
  static Result<std::unique_ptr<WorkerProcess>> start(const ParserPoolOptions& options, bool through_bubblewrap, const std::string& setup) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_failure("a socket for a parser", errno);
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    auto pid = spawn(worker_command(options.executable, through_bubblewrap), theirs.get());
    if (!pid) return pass_on(pid);
    theirs.reset();  // from here on the end of the worker is the end of the socket
    auto process = std::unique_ptr<WorkerProcess>(new WorkerProcess(*pid, std::move(ours)));
    if (auto hello = process->greet(setup); !hello) return pass_on(hello, "starting a parser");
    return process;
  }
  ~WorkerProcess() { end(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int socket() const { return socket_.get(); }

  // True when an answer, or the end of the worker, can be read before `deadline`.
  bool readable_before(Stopwatch::time_point deadline) const {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Stopwatch::now());
      pollfd wait{socket_.get(), POLLIN, 0};
      const int ready = poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

  // Ends the process and says how it ended: "signal 11", "exit code 1".
  std::string end() {
    if (pid_ < 0) return "ended";
    socket_.reset();
    kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    const int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128 : 0;
    if (signal_number != 0) return "signal " + std::to_string(signal_number);
    return "exit code " + std::to_string(WEXITSTATUS(status));
  }

  // After its socket closed a worker ends by itself: its own way of ending is the better reason than our kill.
  std::string reason_of_end() {
    siginfo_t info{};
    const auto deadline = Stopwatch::now() + stop_patience;
    while (Stopwatch::now() < deadline) {
      info.si_pid = 0;
      if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0) break;
      std::this_thread::yield();
    }
    return end();
  }

 private:
  WorkerProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}

  static Result<pid_t> spawn(const std::vector<std::string>& command, int socket) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char locale[] = "LC_ALL=C.UTF-8";
    char* environment[] = {locale, nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, worker_socket);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, arguments.front(), &actions, nullptr, arguments.data(), environment);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return system_failure("starting " + command.front(), error);
    return pid;
  }

  Result<void> greet(const std::string& setup) {
    if (auto sent = send_frame(socket_.get(), setup); !sent) return sent;
    if (!readable_before(Stopwatch::now() + hello_patience)) return fail(ErrorCode::unavailable, "it does not answer");
    const auto hello = receive_frame(socket_.get());
    if (!hello) return fail(ErrorCode::unavailable, "it ended at once (" + reason_of_end() + ")");
    if (hello->payload != "ready") return fail(ErrorCode::corrupt, "it is not one of ours");
    return {};
  }

  pid_t pid_;
  UniqueFd socket_;
};

constexpr int crashes_until_blamed = 2;

struct InFlight {
  ParseJob job;
  struct stat before {};
  int crashes = 0;  // workers that ended while this document was at the front
};

bool same_stamp(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

class Pool final : public ParserPool {
 public:
  Pool(ParserPoolOptions options, std::function<void(ParseAnswer)> on_answer)
      : options_(std::move(options)), on_answer_(std::move(on_answer)), setup_(setup_of(options_)), queue_(options_.queue_bound) {}
  ~Pool() override { stop(); }

  Result<void> begin() {
    auto first = WorkerProcess::start(options_, true, setup_);
    if (!first) {
      log_info("parser_sandbox_without_bubblewrap", {{"reason", first.error().text()}});
      through_bubblewrap_ = false;
      first = WorkerProcess::start(options_, false, setup_);
      if (!first) return pass_on(first);
    }
    // A worker ends with the thread that started it (PDEATHSIG), so each thread starts its own; the first one was
    // the test that starting works.
    first->reset();
    for (std::size_t i = 0; i < options_.worker_count; ++i) threads_.emplace_back([this] { run(); });
    return {};
  }

  bool submit(ParseJob job) override { return queue_.push(std::move(job)); }

  void stop() override {
    const std::lock_guard lock(stop_mutex_);
    stopping_ = true;
    queue_.close();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::string sandbox() const override { return through_bubblewrap_ ? "bubblewrap + rlimits + seccomp" : "rlimits + seccomp"; }
  std::uint64_t workers_replaced() const override { return replaced_; }

 private:
  // What one thread knows of its worker.
  struct Desk {
    std::unique_ptr<WorkerProcess> process;
    std::deque<InFlight> in_flight;
    Stopwatch::time_point oldest_since;
  };

  static std::string setup_of(const ParserPoolOptions& options) {
    WorkerSetup setup;
    setup.memory_max = options.memory_max;
    setup.file_size_max = options.file_size_max;
    setup.time_max_ms = static_cast<std::uint64_t>(options.time_max.count());
    setup.hash_method = options.hash_method;
    setup.profile_toml = to_toml(options.profile);
    return encode(setup);
  }

  void run() {
    Desk desk;
    while (true) {
      if (!fill(desk)) return;
      if (!desk.in_flight.empty()) take_answer(desk);
    }
  }

  // Hands documents to the worker until two are under way. False when the pool stops and nothing is under way.
  bool fill(Desk& desk) {
    while (desk.in_flight.size() < in_flight_max) {
      std::optional<ParseJob> job;
      if (desk.in_flight.empty()) {
        job = queue_.pop();
        if (!job || stopping_) return false;  // what waits is dropped
      } else if (!stopping_) {
        job = queue_.try_pop();
      }
      if (!job) return true;
      InFlight item{std::move(*job), {}, 0};
      if (fstat(item.job.file.get(), &item.before) != 0) {
        answer(item, refusal("the file cannot be read: " + std::string(std::strerror(errno)), feed::Outcome::held));
        continue;
      }
      if (item.before.st_size > 0 && static_cast<std::uint64_t>(item.before.st_size) > options_.file_size_max) {
        answer(item, refusal("the file has " + std::to_string(item.before.st_size) + " bytes, the limit for a document is " +
                             std::to_string(options_.file_size_max) + " (file_size_max)"));
        continue;
      }
      if (desk.in_flight.empty()) desk.oldest_since = Stopwatch::now();
      desk.in_flight.push_back(std::move(item));
      if (!ensure_worker(desk)) return true;
      send(desk, desk.in_flight.back());
    }
    return true;
  }

  bool ensure_worker(Desk& desk) {
    if (desk.process != nullptr) return true;
    auto started = WorkerProcess::start(options_, through_bubblewrap_, setup_);
    if (started) {
      desk.process = std::move(*started);
      return true;
    }
    // Nothing is wrong with the documents: they are held, not refused, and asked for again later.
    log_error("parser_cannot_start", {{"reason", started.error().text()}});
    for (InFlight& item : desk.in_flight) answer(item, refusal("no parser can be started: " + started.error().text(), feed::Outcome::held));
    desk.in_flight.clear();
    return false;
  }

  // A worker that is gone is noticed when its answer is awaited.
  static void send(Desk& desk, const InFlight& item) {
    (void)send_frame(desk.process->socket(), encode(WorkerRequest{item.job.name, item.job.known_hash}), item.job.file.get());
  }

  void take_answer(Desk& desk) {
    if (!desk.process->readable_before(desk.oldest_since + options_.time_max)) {
      desk.process->end();
      blame_front(desk, "reading the document takes longer than " + std::to_string(options_.time_max.count()) + " ms");
      return;
    }
    const auto frame = receive_frame(desk.process->socket());
    auto answered = frame ? decode_worker_answer(frame->payload) : Result<WorkerAnswer>(pass_on(frame));
    if (!answered) {
      // The worker may have been ended from outside, or before it saw this document: only a second end is its fault.
      const std::string reason = desk.process->reason_of_end();
      if (++desk.in_flight.front().crashes < crashes_until_blamed) {
        log_warning("parser_ended", {{"document", printable(desk.in_flight.front().job.name)}, {"reason", reason}});
        ++replaced_;
        replace_worker(desk);
      } else {
        blame_front(desk, "the document makes its parser crash (" + reason + ")");
      }
      return;
    }
    InFlight item = std::move(desk.in_flight.front());
    desk.in_flight.pop_front();
    desk.oldest_since = Stopwatch::now();
    answer(item, std::move(*answered));
  }

  // The document at the front is blamed; the one behind it goes to the next worker.
  void blame_front(Desk& desk, std::string reason) {
    InFlight blamed = std::move(desk.in_flight.front());
    desk.in_flight.pop_front();
    log_warning("parser_replaced", {{"document", printable(blamed.job.name)}, {"reason", reason}});
    ++replaced_;  // before the answer: who has it finds the count that goes with it
    answer(blamed, refusal(std::move(reason)));
    replace_worker(desk);
  }

  void replace_worker(Desk& desk) {
    desk.process.reset();
    desk.oldest_since = Stopwatch::now();
    if (desk.in_flight.empty() || !ensure_worker(desk)) return;
    for (const InFlight& item : desk.in_flight) send(desk, item);
  }

  static WorkerAnswer refusal(std::string reason, feed::Outcome outcome = feed::Outcome::reject) {
    WorkerAnswer answer;
    answer.document.is_order_document = true;
    answer.document.findings.push_back({outcome, "", std::move(reason), "", ""});
    return answer;
  }

  void answer(InFlight& item, WorkerAnswer worker) {
    struct stat after {};
    ParseAnswer answer;
    answer.id = item.job.id;
    answer.unchanged = worker.unchanged;
    answer.moved_while_read = worker.moved_while_read || fstat(item.job.file.get(), &after) != 0 || !same_stamp(item.before, after);
    answer.hash = worker.hash;
    answer.bytes = worker.bytes;
    answer.document = std::move(worker.document);
    item.job.file.reset();
    on_answer_(std::move(answer));
  }

  const ParserPoolOptions options_;
  const std::function<void(ParseAnswer)> on_answer_;
  const std::string setup_;
  bool through_bubblewrap_ = true;  // fixed before the threads start
  // locked inside themselves
  BoundedQueue<ParseJob> queue_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> replaced_{0};
  std::mutex stop_mutex_;
  // guarded by stop_mutex_ once started
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<ParserPool>> ParserPool::start(ParserPoolOptions options, std::function<void(ParseAnswer)> on_answer) {
  check(options.worker_count > 0 && options.queue_bound > 0, "a parser pool has workers and a queue");
  auto pool = std::make_unique<Pool>(std::move(options), std::move(on_answer));
  if (auto begun = pool->begin(); !begun) return pass_on(begun);
  return pool;
}

}  // namespace millrace::ingest
