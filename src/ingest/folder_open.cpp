#include "ingest/folder_open.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <cerrno>
#include <limits>
#include <system_error>

#include "base/text.h"

namespace millrace::ingest {
namespace folder {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
constexpr int step_flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

UniqueFd open_retrying(int parent, const char* name, int flags) {
  for (;;) {
    UniqueFd fd(::openat(parent, name, flags));
    if (fd || errno != EINTR) return fd;
  }
}

// A link in the middle of a path answers ENOTDIR; say what it is, as openat2 does.
void name_the_link(int parent, const char* name) {
  if (errno != ENOTDIR) return;
  FileStatus status;
  const bool link = status_at(parent, name, status) && S_ISLNK(status.mode);
  errno = link ? ELOOP : ENOTDIR;
}

}  // namespace

UniqueFd open_by_components(int base, std::string_view path, int flags) {
  UniqueFd held;
  int from = base;
  std::string name;
  for (;;) {
    const auto slash = path.find('/');
    name.assign(path.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    UniqueFd next = open_retrying(from, name.c_str(), last ? flags | O_NOFOLLOW : step_flags);
    if (!next) {
      name_the_link(from, name.c_str());
      return next;
    }
    if (last) return next;
    held = std::move(next);
    from = held.get();
    path.remove_prefix(slash + 1);
  }
}

namespace {

// The kernel walks the whole path and refuses every link. Where openat2 is missing (old kernels) or forbidden
// (containers answer EPERM) we walk ourselves.
UniqueFd open_below_base(int base, const std::string& path, int flags) {
  static std::atomic<bool> missing{false};
  if (!missing.load(std::memory_order_relaxed)) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    // EAGAIN: a rename somewhere made the kernel unsure; it also means a held lease, which the caller reports.
    for (int tries = 0; tries < 8; ++tries) {
      UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, base, path.c_str(), &how, sizeof how)));
      if (fd) return fd;
      if (errno != EINTR && errno != EAGAIN) break;
    }
    // ENOTDIR: a link at the end or a file on the way; the walk below tells them apart.
    if (errno != ENOSYS && errno != EPERM && errno != ENOTDIR) return {};
    if (errno == ENOSYS) missing.store(true, std::memory_order_relaxed);
  }
  return open_by_components(base, path, flags);
}

}  // namespace

bool status_at(int folder, const char* name, FileStatus& status) {
  struct statx facts {};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  while (::statx(folder, name, flags, STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME | STATX_INO, &facts) != 0) {
    if (errno != EINTR) return false;
  }
  status = {facts.stx_mode, stamp_of(facts)};
  return true;
}

FileStamp stamp_of(const struct statx& facts) {
  std::int64_t ns = 0;  // touch -d @9e18 works on some file systems
  if (__builtin_mul_overflow(std::int64_t{facts.stx_mtime.tv_sec}, std::int64_t{1'000'000'000}, &ns) ||
      __builtin_add_overflow(ns, std::int64_t{facts.stx_mtime.tv_nsec}, &ns)) {
    ns = facts.stx_mtime.tv_sec < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
  }
  return {facts.stx_size, ns, facts.stx_ino};
}

Result<UniqueFd> open_root(const std::string& root) {
  UniqueFd fd = open_retrying(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
  if (fd) return fd;
  const int error = errno;
  const std::string where = "the folder " + printable(root);
  switch (error) {
    case ENOENT:
      return fail(ErrorCode::unavailable, where + " is not there: check the path and whether the share is mounted");
    case ENOTDIR:
      return fail(ErrorCode::unavailable, where + " is not a folder: give the folder that holds the order files");
    default:
      return fail(ErrorCode::unavailable, where + " cannot be opened: " + reason_of(error));
  }
}

UniqueFd open_folder_at(int parent, const char* name) {
  UniqueFd fd = open_retrying(parent, name, folder_flags);
  if (!fd) name_the_link(parent, name);
  return fd;
}

UniqueFd open_path(int base, std::string_view path, int flags) {
  if (path.empty()) return open_retrying(base, ".", flags);
  UniqueFd held;
  int from = base;
  std::string part;
  while (path.size() >= PATH_MAX) {
    const auto slash = path.rfind('/', PATH_MAX - 1);
    if (slash == std::string_view::npos) {
      errno = ENAMETOOLONG;
      return {};
    }
    part.assign(path.substr(0, slash));
    UniqueFd next = open_below_base(from, part, step_flags);
    if (!next) return next;
    held = std::move(next);
    from = held.get();
    path.remove_prefix(slash + 1);
  }
  part.assign(path);
  return open_below_base(from, part, flags | O_NOFOLLOW);
}

UniqueFd open_folder_path(int base, std::string_view path) { return open_path(base, path, folder_flags); }

bool is_plain_relative(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  for (;;) {
    const auto slash = path.find('/');
    const auto name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string reason_of(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "permission denied: give the account that runs millrace the right to read it and to enter its folders";
    case ENOENT:
      return "no longer there: it was removed or renamed meanwhile";
    case ENOTDIR:
      return "not a folder: something on the way there is a file";
    case ELOOP:
      return "a link: links are not followed, put the real file or folder there";
    case EXDEV:
      return "outside the folder: only what lies below the configured folder is read";
    case ENAMETOOLONG:
      return "a name longer than the file system allows";
    case ENXIO:
    case ENODEV:
      return "not a regular file: it is a pipe, socket or device";
    case EIO:
      return "input/output error: check the disk or the connection to the file server";
    case ESTALE:
      return "stale handle: the file server replaced it, mount the share again if this stays";
    case ETIMEDOUT:
    case EHOSTDOWN:
    case ECONNREFUSED:
      return "the file server does not answer: check the network and the share";
    case EAGAIN:
      return "held by another program: it is tried again";
    case EMFILE:
    case ENFILE:
      return "too many open files: raise the limit (ulimit -n, LimitNOFILE= of the service)";
    default:
      return std::generic_category().message(error) + ": check the file system";
  }
}

Error error_of(int error, std::string_view relative_path) {
  ErrorCode code = ErrorCode::unavailable;
  switch (error) {
    case ENOENT:
    case ENOTDIR: code = ErrorCode::not_found; break;
    case EACCES:
    case EPERM:
    case EXDEV: code = ErrorCode::denied; break;
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
    case ENODEV: code = ErrorCode::invalid_input; break;
    default: break;
  }
  return {code, printable(relative_path) + ": " + reason_of(error)};
}

HandleBudget::Handle HandleBudget::keep(UniqueFd& fd) {
  if (kept_.fetch_add(1, std::memory_order_relaxed) >= bound_) {
    kept_.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  return std::make_shared<Kept>(std::move(fd), kept_);
}

int EntryReader::read_block(int folder) {
  at_ = used_ = 0;
  for (;;) {
    const auto bytes = ::getdents64(folder, block_.data(), block_.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return static_cast<int>(bytes);
    used_ = static_cast<std::size_t>(bytes);
    return 1;
  }
}

bool EntryReader::next(Entry& entry) {
  while (at_ < used_) {
    const auto* raw = reinterpret_cast<const dirent64*>(block_.data() + at_);
    at_ += raw->d_reclen;
    const char* name = raw->d_name;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
    entry = {name, raw->d_type};
    return true;
  }
  return false;
}

}  // namespace folder

namespace {

Result<UniqueFd> open_checked(const std::string& root, std::string_view relative_path, int flags, folder::FileStatus& status) {
  if (!folder::is_plain_relative(relative_path)) {
    return fail(ErrorCode::invalid_input, printable(relative_path) + ": not a path below the folder");
  }
  const auto base = folder::open_root(root);
  if (!base) return pass_on(base);
  UniqueFd fd = folder::open_path(base->get(), relative_path, flags);
  if (!fd || !folder::status_at(fd.get(), "", status)) return Failure(folder::error_of(errno, relative_path));
  if (S_ISLNK(status.mode)) return Failure(folder::error_of(ELOOP, relative_path));
  if (S_ISDIR(status.mode)) return fail(ErrorCode::invalid_input, printable(relative_path) + ": a folder, not a file");
  if (!S_ISREG(status.mode)) return Failure(folder::error_of(ENXIO, relative_path));
  return fd;
}

}  // namespace

Result<OpenedFile> open_below(const std::string& root, std::string_view relative_path) {
  folder::FileStatus status;
  auto fd = open_checked(root, relative_path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, status);
  if (!fd) return pass_on(fd);
  return OpenedFile{std::move(*fd), status.stamp};
}

Result<FileStamp> stamp_below(const std::string& root, std::string_view relative_path) {
  folder::FileStatus status;
  const auto fd = open_checked(root, relative_path, O_PATH | O_CLOEXEC, status);
  if (!fd) return pass_on(fd);
  return status.stamp;
}

}  // namespace millrace::ingest
