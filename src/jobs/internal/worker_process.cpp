#include "jobs/internal/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace millrace::jobs {
namespace {

using namespace std::chrono_literals;

constexpr auto stop_patience = 200ms;  // for a worker whose socket closed
constexpr timeval send_patience{5, 0};

Failure system_failure(std::string_view doing, int error) { return fail(ErrorCode::unavailable, std::string(doing) + ": " + std::strerror(error)); }

// A group of its own, so that Ctrl-C reaches the server alone; no signal blocked, none ignored.
Result<pid_t> spawn(const std::string& executable, int socket) {
  std::string program = executable;
  std::string command = "job-worker";
  std::string locale = "LC_ALL=C.UTF-8";
  std::array<char*, 3> arguments = {program.data(), command.data(), nullptr};
  std::array<char*, 2> environment = {locale.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, worker_socket);
  posix_spawn_file_actions_addclosefrom_np(&actions, worker_socket + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_failure("starting a worker", error);
  return pid;
}

std::string text_of(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const std::string& executable) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_failure("a socket for a worker", errno);
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  // A worker that reads nothing any more must not hold its slot.
  if (setsockopt(ours.get(), SOL_SOCKET, SO_SNDTIMEO, &send_patience, sizeof send_patience) != 0) return system_failure("a socket for a worker", errno);
  auto pid = spawn(executable, theirs.get());
  if (!pid) return pass_on(pid);
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(*pid, std::move(ours)));
}

bool WorkerProcess::readable(std::chrono::milliseconds patience) const {
  pollfd wait{socket_.get(), POLLIN, 0};
  return poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(patience.count(), 0))) > 0;
}

std::string WorkerProcess::end() {
  if (pid_ < 0) return "ended";
  socket_.reset();
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);  // it may not lead its group yet
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return text_of(status);
}

std::string WorkerProcess::reason_of_end() {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (process) {
    pollfd wait{process.get(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(stop_patience.count())) < 0 && errno != EINTR) return end();
  }
  return end();
}

}  // namespace millrace::jobs
