/* Stands between a program and its disk (LD_PRELOAD): writes down every change below one folder in its true order, with
 * its bytes, and lets chosen calls fail. `disk_image.py` reads the log and rebuilds the folder as of any moment.
 *
 * TORTURE_DISK_ROOT   folder that is watched, absolute, without a slash at its end
 * TORTURE_DISK_LOG    file that receives the log; outside of the folder; absent: nothing is recorded
 * TORTURE_DISK_FAULT  "sync|write|open:N:COUNT:ERRNO": the Nth such call and COUNT - 1 after it fail
 * TORTURE_DISK_DELAY  microseconds that every sync takes
 * TORTURE_DISK_WHILE  file: the fault holds from the Nth call on for as long as this file exists (COUNT is not looked at)
 *
 * One mutex is held over a call and its record, so that the order of the log is the order on the disk. An event:
 *   u8 kind, u8[3] zero, i32 failed with, u64 inode, i64 offset, u64 begun, u64 done (CLOCK_MONOTONIC ns),
 *   u32 bytes of path, u32 bytes of second path, u64 bytes of data; then path, second path, data.
 * Files whose name ends in -shm are left out: they are memory shared between processes, empty after a power cut. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MAKE = 1, WRITE, RESIZE, SYNC, SYNC_FAILED, RENAME, REMOVE, SYNC_FOLDER, FOLDER };

struct event {
  uint8_t kind, zero[3];
  int32_t failed;
  uint64_t inode;
  int64_t offset;
  uint64_t begun, done;
  uint32_t path_bytes, second_bytes;
  uint64_t data_bytes;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_bytes;
static int log_fd = -1;
static char fault_kind[8], fault_while[PATH_MAX];
static long fault_at, fault_count, fault_seen;
static int fault_errno;
static useconds_t sync_delay;

#define REAL(name) ((__typeof__(&name))real(#name))
static void* real(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char* text = getenv("TORTURE_DISK_ROOT");
  unsetenv("LD_PRELOAD"); /* the parsers inside their sandbox have no business here */
  if (!text) return;
  snprintf(root, sizeof root, "%s", text);
  root_bytes = strlen(root);
  if ((text = getenv("TORTURE_DISK_LOG"))) log_fd = REAL(open)(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if ((text = getenv("TORTURE_DISK_FAULT")) && sscanf(text, "%7[a-z]:%ld:%ld:%d", fault_kind, &fault_at, &fault_count, &fault_errno) != 4) abort();
  if ((text = getenv("TORTURE_DISK_DELAY"))) sync_delay = (useconds_t)atol(text);
  if ((text = getenv("TORTURE_DISK_WHILE"))) snprintf(fault_while, sizeof fault_while, "%s", text);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The path below the root, "" for the root itself, NULL when it is not ours. */
static const char* ours(const char* path) {
  size_t bytes;
  if (root_bytes == 0 || strncmp(path, root, root_bytes) != 0 || (path[root_bytes] != '/' && path[root_bytes] != 0)) return NULL;
  bytes = strlen(path);
  if (bytes > 4 && strcmp(path + bytes - 4, "-shm") == 0) return NULL;
  return path[root_bytes] ? path + root_bytes + 1 : "";
}

static const char* ours_at(int folder, const char* path, char* whole) {
  char link[64];
  ssize_t bytes;
  if (root_bytes == 0) return NULL;
  if (path[0] == '/') return ours(path);
  if (folder == AT_FDCWD) {
    if (!getcwd(whole, PATH_MAX)) return NULL;
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    if ((bytes = readlink(link, whole, PATH_MAX - 1)) < 0) return NULL;
    whole[bytes] = 0;
  }
  if (strlen(whole) + strlen(path) + 2 > PATH_MAX) return NULL;
  strcat(strcat(whole, "/"), path);
  return ours(whole);
}

static const char* ours_fd(int fd, char* whole) {
  char link[64], *deleted;
  ssize_t bytes;
  int kept = errno;
  if (root_bytes == 0) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  bytes = readlink(link, whole, PATH_MAX - 1);
  errno = kept;
  if (bytes < 0) return NULL;
  whole[bytes] = 0;
  if ((deleted = strstr(whole, " (deleted)"))) *deleted = 0;
  return ours(whole);
}

static void note(uint8_t kind, int failed, uint64_t inode, int64_t offset, uint64_t begun, const char* path, const char* second,
                 const void* data, size_t bytes) {
  struct event event = {kind, {0}, failed, inode, offset, begun, now(), (uint32_t)strlen(path), (uint32_t)strlen(second), bytes};
  struct iovec parts[4] = {{&event, sizeof event}, {(void*)path, event.path_bytes}, {(void*)second, event.second_bytes}, {(void*)data, bytes}};
  ssize_t all = (ssize_t)(sizeof event + event.path_bytes + event.second_bytes + bytes);
  if (log_fd >= 0 && REAL(writev)(log_fd, parts, 4) != all) abort(); /* half a log would prove nothing */
}

static uint64_t inode_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* Whether this call has to fail. Called with the turn held. */
static int fails(const char* kind) {
  if (fault_at == 0 || strcmp(kind, fault_kind) != 0 || ++fault_seen < fault_at) return 0;
  if (fault_while[0] ? access(fault_while, F_OK) != 0 : fault_seen >= fault_at + fault_count) return 0;
  errno = fault_errno;
  return 1;
}

static int opened(int fd, const char* name, int existed, int flags, uint64_t begun) {
  if (fd >= 0 && !existed) note(MAKE, 0, inode_of(fd), 0, begun, name, "", NULL, 0);
  if (fd >= 0 && existed && (flags & O_TRUNC)) note(RESIZE, 0, inode_of(fd), 0, begun, name, "", NULL, 0);
  return fd;
}

static int open_any(int folder, const char* path, int flags, mode_t mode) {
  char whole[PATH_MAX];
  const char* name = (flags & (O_CREAT | O_TRUNC)) ? ours_at(folder, path, whole) : NULL;
  int fd, existed;
  uint64_t begun;
  if (!name) return REAL(openat)(folder, path, flags, mode);
  pthread_mutex_lock(&turn);
  begun = now();
  existed = faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  fd = !existed && fails("open") ? -1 : opened(REAL(openat)(folder, path, flags, mode), name, existed, flags, begun);
  pthread_mutex_unlock(&turn);
  return fd;
}

#define OPEN(name, parameters, folder)                     \
  int name parameters {                                    \
    mode_t mode = 0;                                       \
    if (flags & (O_CREAT | O_TMPFILE)) {                   \
      va_list more;                                        \
      va_start(more, flags);                               \
      mode = va_arg(more, mode_t);                         \
      va_end(more);                                        \
    }                                                      \
    return open_any(folder, path, flags, mode);            \
  }
OPEN(open, (const char* path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char* path, int flags, ...), AT_FDCWD)
OPEN(openat, (int folder, const char* path, int flags, ...), folder)
OPEN(openat64, (int folder, const char* path, int flags, ...), folder)

/* libc opens for fopen by itself, out of our sight; its writes through the descriptor are seen when the program makes them. */
static FILE* fopen_any(const char* path, const char* mode, FILE* (*call)(const char*, const char*)) {
  char whole[PATH_MAX];
  const char* name = mode[0] == 'w' || mode[0] == 'a' ? ours_at(AT_FDCWD, path, whole) : NULL;
  FILE* file;
  uint64_t begun;
  int existed;
  if (!name) return call(path, mode);
  pthread_mutex_lock(&turn);
  begun = now();
  existed = access(path, F_OK) == 0;
  file = call(path, mode);
  if (file) opened(fileno(file), name, existed, mode[0] == 'w' ? O_TRUNC : 0, begun);
  pthread_mutex_unlock(&turn);
  return file;
}
FILE* fopen(const char* path, const char* mode) { return fopen_any(path, mode, REAL(fopen)); }
FILE* fopen64(const char* path, const char* mode) { return fopen_any(path, mode, REAL(fopen64)); }

/* One write, wherever it goes: `offset` < 0 means where the descriptor stands. */
static ssize_t write_any(int fd, const struct iovec* parts, int count, int64_t offset) {
  char whole[PATH_MAX];
  const char* name = ours_fd(fd, whole);
  ssize_t written;
  uint64_t begun;
  if (!name) return offset < 0 ? REAL(writev)(fd, parts, count) : REAL(pwritev)(fd, parts, count, offset);
  pthread_mutex_lock(&turn);
  begun = now();
  if (fails("write")) {
    pthread_mutex_unlock(&turn);
    return -1;
  }
  written = offset < 0 ? REAL(writev)(fd, parts, count) : REAL(pwritev)(fd, parts, count, offset);
  if (written > 0) {
    int64_t at = offset < 0 ? (int64_t)lseek(fd, 0, SEEK_CUR) - written : offset;
    ssize_t left = written;
    for (int i = 0; i < count && left > 0; ++i) {
      size_t bytes = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
      note(WRITE, 0, inode_of(fd), at, begun, name, "", parts[i].iov_base, bytes);
      at += (int64_t)bytes;
      left -= (ssize_t)bytes;
    }
  }
  pthread_mutex_unlock(&turn);
  return written;
}

ssize_t write(int fd, const void* data, size_t bytes) {
  struct iovec part = {(void*)data, bytes};
  char whole[PATH_MAX];
  return root_bytes && ours_fd(fd, whole) ? write_any(fd, &part, 1, -1) : REAL(write)(fd, data, bytes);
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t offset) {
  struct iovec part = {(void*)data, bytes};
  return write_any(fd, &part, 1, offset);
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t offset) {
  struct iovec part = {(void*)data, bytes};
  return write_any(fd, &part, 1, offset);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  char whole[PATH_MAX];
  return root_bytes && ours_fd(fd, whole) ? write_any(fd, parts, count, -1) : REAL(writev)(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) { return write_any(fd, parts, count, offset); }
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) { return write_any(fd, parts, count, offset); }

static int sync_any(int fd, int (*call)(int)) {
  char whole[PATH_MAX];
  const char* name = ours_fd(fd, whole);
  struct stat status;
  uint64_t begun;
  int answer;
  if (!name || fstat(fd, &status) != 0) return call(fd);
  pthread_mutex_lock(&turn);
  begun = now();
  /* The real call is not needed: nothing here pulls the plug of the real machine. */
  if (sync_delay) usleep(sync_delay);
  answer = fails("sync") ? -1 : 0;
  if (answer != 0)
    note(SYNC_FAILED, fault_errno, status.st_ino, 0, begun, name, "", NULL, 0);
  else
    note(S_ISDIR(status.st_mode) ? SYNC_FOLDER : SYNC, 0, status.st_ino, 0, begun, name, "", NULL, 0);
  if (answer != 0) errno = fault_errno;
  pthread_mutex_unlock(&turn);
  return answer;
}
int fsync(int fd) { return sync_any(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_any(fd, REAL(fdatasync)); }

static int resize(int fd, int64_t size) {
  char whole[PATH_MAX];
  const char* name = ours_fd(fd, whole);
  uint64_t begun;
  int answer;
  if (!name) return REAL(ftruncate)(fd, size);
  pthread_mutex_lock(&turn);
  begun = now();
  answer = fails("write") ? -1 : REAL(ftruncate)(fd, size);
  if (answer == 0) note(RESIZE, 0, inode_of(fd), size, begun, name, "", NULL, 0);
  pthread_mutex_unlock(&turn);
  return answer;
}
int ftruncate(int fd, off_t size) { return resize(fd, size); }
int ftruncate64(int fd, off64_t size) { return resize(fd, size); }

static int rename_any(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  char from_whole[PATH_MAX], to_whole[PATH_MAX];
  const char *from_name = ours_at(from_folder, from, from_whole), *to_name = ours_at(to_folder, to, to_whole);
  uint64_t begun;
  int answer;
  if (!from_name || !to_name) return REAL(renameat2)(from_folder, from, to_folder, to, flags);
  pthread_mutex_lock(&turn);
  begun = now();
  answer = REAL(renameat2)(from_folder, from, to_folder, to, flags);
  if (answer == 0) note(RENAME, 0, 0, (int64_t)flags, begun, from_name, to_name, NULL, 0);
  pthread_mutex_unlock(&turn);
  return answer;
}
int rename(const char* from, const char* to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) { return rename_any(from_folder, from, to_folder, to, 0); }
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  return rename_any(from_folder, from, to_folder, to, flags);
}

int unlinkat(int folder, const char* path, int flags) {
  char whole[PATH_MAX];
  const char* name = ours_at(folder, path, whole);
  uint64_t begun;
  int answer;
  if (!name) return REAL(unlinkat)(folder, path, flags);
  pthread_mutex_lock(&turn);
  begun = now();
  answer = REAL(unlinkat)(folder, path, flags);
  if (answer == 0) note(REMOVE, 0, 0, 0, begun, name, "", NULL, 0);
  pthread_mutex_unlock(&turn);
  return answer;
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path);
}

int mkdirat(int folder, const char* path, mode_t mode) {
  char whole[PATH_MAX];
  const char* name = ours_at(folder, path, whole);
  uint64_t begun;
  int answer;
  if (!name || !name[0]) return REAL(mkdirat)(folder, path, mode);
  pthread_mutex_lock(&turn);
  begun = now();
  answer = REAL(mkdirat)(folder, path, mode);
  if (answer == 0) note(FOLDER, 0, 0, 0, begun, name, "", NULL, 0);
  pthread_mutex_unlock(&turn);
  return answer;
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
