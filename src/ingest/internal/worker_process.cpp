#include "ingest/internal/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "ingest/sandbox.h"

namespace millrace::ingest {
namespace {

constexpr std::chrono::milliseconds hello_patience{10'000};
constexpr std::chrono::milliseconds stop_patience{100};

Failure system_failure(std::string_view doing, int error) {
  return fail(ErrorCode::unavailable, std::string(doing) + ": " + std::strerror(error));
}

// The worker leads a process group of its own and inherits nothing but its socket and where errors are written: what
// is ended while its sandbox is still being set up leaves nobody behind who keeps our files and pipes open.
Result<pid_t> spawn(const std::vector<std::string>& command, int socket) {
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
  posix_spawn_file_actions_addclosefrom_np(&actions, worker_socket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, arguments.front(), &actions, &attributes, arguments.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_failure("starting " + command.front(), error);
  return pid;
}

}  // namespace

Result<std::unique_ptr<SharedMemory>> SharedMemory::create(std::size_t bytes) {
  UniqueFd file(memfd_create("documents", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return system_failure("memory for documents", errno);
  void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return system_failure("memory for documents", errno);
  std::unique_ptr<SharedMemory> memory(new SharedMemory(std::move(file), static_cast<char*>(data), bytes));
  // Our mapping stays writable; every later one, the worker's, can only read. A kernel before 5.1 does not know the
  // seal: there a worker could spoil what it is about to read, which nobody else reads.
  if (fcntl(memory->descriptor(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0 && errno != EINVAL)
    return system_failure("sealing the memory for documents", errno);
  return memory;
}

SharedMemory::~SharedMemory() { munmap(data_, size_); }

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const std::string& executable, bool through_bubblewrap, const std::string& setup,
                                                            int shared_memory) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_failure("a socket for a parser", errno);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  auto pid = spawn(worker_command(executable, through_bubblewrap), theirs.get());
  if (!pid) return pass_on(pid);
  theirs.reset();  // from here on the end of the worker is the end of the socket
  auto process = std::unique_ptr<WorkerProcess>(new WorkerProcess(*pid, std::move(ours)));
  if (auto hello = process->greet(setup, shared_memory); !hello) return pass_on(hello, "starting a parser");
  return process;
}

Result<void> WorkerProcess::greet(const std::string& setup, int shared_memory) {
  if (auto sent = send_frame(socket_.get(), setup, shared_memory); !sent) return sent;
  const auto hello = answer_before(Stopwatch::now() + hello_patience);
  if (!hello && hello.error().code() == ErrorCode::limit_reached) return fail(ErrorCode::unavailable, "it does not answer");
  if (!hello) return fail(ErrorCode::unavailable, "it ended at once (" + reason_of_end() + ")");
  if (*hello != "ready") return fail(ErrorCode::corrupt, "it is not one of ours");
  return {};
}

Result<std::string_view> WorkerProcess::answer_before(Stopwatch::time_point deadline) {
  while (!receiver_.ready()) {
    if (!readable_before(deadline)) return fail(ErrorCode::limit_reached, "no answer in time");
    if (auto received = receiver_.receive(); !received) return pass_on(received);
  }
  return receiver_.take();
}

bool WorkerProcess::readable_before(Stopwatch::time_point deadline) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Stopwatch::now());
    pollfd wait{socket_.get(), POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

std::string WorkerProcess::end() {
  if (pid_ < 0) return "ended";
  socket_.reset();
  kill(-pid_, SIGKILL);  // with what bubblewrap started and has not yet tied to itself
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  const int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128 : 0;
  if (signal_number != 0) return "signal " + std::to_string(signal_number);
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

std::string WorkerProcess::reason_of_end() {
  siginfo_t info{};
  const auto deadline = Stopwatch::now() + stop_patience;
  while (Stopwatch::now() < deadline) {
    info.si_pid = 0;
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0) break;
    std::this_thread::yield();
  }
  return end();
}

}  // namespace millrace::ingest
