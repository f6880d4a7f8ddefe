#include "ingest/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/fd.h"

namespace millrace::ingest {
namespace {

// The sanitizers reserve terabytes of address space: a limit on it would stop the program itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool address_space_can_be_limited = false;
#else
constexpr bool address_space_can_be_limited = true;
#endif

Failure refused(std::string_view what, int error) {
  return fail(ErrorCode::unavailable, "sandbox: " + std::string(what) + ": " + std::strerror(error));
}

Result<void> limit(__rlimit_resource kind, std::uint64_t value, std::string_view what) {
  const rlimit both{value, value};
  if (setrlimit(kind, &both) != 0) return refused(what, errno);
  return {};
}

bool exists(const char* path) {
  struct stat status {};
  return stat(path, &status) == 0;
}

// What a parser, its memory and pdftotext need. A missing call answers EPERM and the document is refused; so the
// list errs on the short side.
constexpr std::array allowed_calls{
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
    SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fcntl), SCMP_SYS(fadvise64), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe2),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(memfd_create), SCMP_SYS(futex), SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(vfork),
    SCMP_SYS(fork), SCMP_SYS(execve), SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getpid),
    SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times),
    SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(setrlimit), SCMP_SYS(restart_syscall)};

Result<void> filter_calls(bool inside_bubblewrap) {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release);
  if (filter == nullptr) return refused("seccomp", ENOMEM);
  int error = 0;
  for (const int call : allowed_calls) {
    if (error == 0) error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  constexpr scmp_datum_t changes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
  if (error == 0) error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, changes, O_RDONLY));
  if (error == 0) error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(open), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, changes, O_RDONLY));
  if (error == 0 && inside_bubblewrap) error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, SCMP_A1(SCMP_CMP_EQ, SIGKILL));
  if (error == 0) error = seccomp_load(filter.get());
  if (error != 0) return refused("seccomp", -error);
  return {};
}

constexpr std::uint64_t landlock_reads = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// All that the first version of Landlock knows; seccomp refuses what came later.
constexpr std::uint64_t landlock_everything = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

// Of the files only what bubblewrap would show stays visible: libraries, fonts, pdftotext.
Result<void> hide_files() {
  const landlock_ruleset_attr wish{.handled_access_fs = landlock_everything};
  const UniqueFd rules(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &wish, sizeof wish, 0)));
  if (!rules) return refused("landlock", errno);
  for (const char* path : {"/usr", "/lib", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/dev/null", "/dev/urandom"}) {
    const UniqueFd place(::open(path, O_PATH | O_CLOEXEC));
    if (!place) continue;  // a system without it needs none
    struct stat status {};
    if (::fstat(place.get(), &status) != 0) return refused("landlock", errno);
    const landlock_path_beneath_attr rule{.allowed_access = S_ISDIR(status.st_mode) ? landlock_reads : landlock_reads & ~LANDLOCK_ACCESS_FS_READ_DIR,
                                          .parent_fd = place.get()};
    if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) return refused("landlock", errno);
  }
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return refused("landlock", errno);
  return {};
}

}  // namespace

bool landlock_works() { return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0; }

std::vector<std::string> worker_command(const std::string& executable, bool through_bubblewrap) {
  if (!through_bubblewrap) return {executable, "parse-worker", "--direct"};
  std::vector<std::string> command{"/usr/bin/bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
                                   "--setenv", "LC_ALL", "C.UTF-8", "--ro-bind", "/usr/lib", "/usr/lib"};
  for (const char* path : {"/usr/lib64", "/usr/share/poppler", "/usr/share/fonts", "/etc/fonts", "/etc/ld.so.cache", "/usr/bin/pdftotext"}) {
    if (exists(path)) command.insert(command.end(), {"--ro-bind", path, path});
  }
  for (const auto& [link, target] : {std::pair{"/lib", "usr/lib"}, std::pair{"/lib64", "usr/lib64"}}) {
    struct stat status {};
    if (lstat(link, &status) != 0) continue;
    if (S_ISLNK(status.st_mode)) {
      command.insert(command.end(), {"--symlink", target, link});
    } else {
      command.insert(command.end(), {"--ro-bind", link, link});
    }
  }
  command.insert(command.end(), {"--tmpfs", "/tmp", "--dev", "/dev", "--ro-bind", executable, "/millrace", "--chdir", "/", "--", "/millrace",
                                 "parse-worker", "--bubblewrap"});
  return command;
}

Result<void> enter_sandbox(std::uint64_t memory_max, std::uint64_t file_size_max, bool inside_bubblewrap) {
  if (address_space_can_be_limited) {
    if (auto done = limit(RLIMIT_AS, memory_max, "address space"); !done) return done;
  }
  if (auto done = limit(RLIMIT_NOFILE, 64, "descriptors"); !done) return done;
  if (auto done = limit(RLIMIT_CORE, 0, "core files"); !done) return done;
  if (auto done = limit(RLIMIT_FSIZE, file_size_max, "file size"); !done) return done;
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return refused("no tracing", errno);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return refused("end with the parent", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no new rights", errno);
  if (!inside_bubblewrap && landlock_works()) {
    if (auto done = hide_files(); !done) return done;
  }
  return filter_calls(inside_bubblewrap);
}

Result<void> renew_processor_limit(std::uint64_t seconds) {
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) != 0) return refused("processor time", errno);
  rlimit current{};
  if (getrlimit(RLIMIT_CPU, &current) != 0) return refused("processor time", errno);
  current.rlim_cur = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + seconds + 1;
  if (setrlimit(RLIMIT_CPU, &current) != 0) return refused("processor time", errno);
  return {};
}

}  // namespace millrace::ingest
