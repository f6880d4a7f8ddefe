// A file share with bad manners, for tests: shows SOURCE at MOUNT, read-only, through FUSE.
//
//   millrace_slow_share SOURCE MOUNT [DELAY_US]
//
// Every round trip (look-up, listing, open, read) takes DELAY_US. SIGUSR1 makes it hang: trips wait until the next
// SIGUSR1. SIGUSR2 makes every trip fail with EIO until the next SIGUSR2. Changes are made in SOURCE, as another
// machine would. Ends when MOUNT is unmounted; prints the number of trips.
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

namespace {

class Manners {
 public:
  // One round trip; 0 or what it fails with.
  int trip() {
    trips.fetch_add(1, std::memory_order_relaxed);
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !hangs_; });
    return fails_ ? -EIO : 0;
  }
  // Takes the signals that change them; one thread, for ever.
  void listen(const sigset_t& signals) {
    for (int signal = 0; sigwait(&signals, &signal) == 0;) {
      const std::lock_guard lock(mutex_);
      (signal == SIGUSR1 ? hangs_ : fails_) ^= true;
      changed_.notify_all();
    }
  }

  std::string source;
  std::chrono::microseconds delay{0};
  std::atomic<std::uint64_t> trips{0};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
  bool fails_ = false;
};

Manners& manners() { return *static_cast<Manners*>(fuse_get_context()->private_data); }
std::string at(const char* path) { return manners().source + path; }
int result(int done) { return done < 0 ? -errno : done; }

int share_getattr(const char* path, struct stat* status, fuse_file_info*) {
  if (const int failed = manners().trip()) return failed;
  return result(lstat(at(path).c_str(), status));
}

int share_readdir(const char* path, void* to, fuse_fill_dir_t fill, off_t from, fuse_file_info*, fuse_readdir_flags) {
  if (const int failed = manners().trip()) return failed;
  DIR* folder = opendir(at(path).c_str());
  if (folder == nullptr) return -errno;
  off_t place = 0;
  while (const dirent* entry = readdir(folder)) {
    if (++place <= from) continue;
    struct stat status {};
    if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (fill(to, entry->d_name, &status, place, FUSE_FILL_DIR_PLUS) != 0) break;
  }
  closedir(folder);
  return 0;
}

int share_open(const char* path, fuse_file_info* file) {
  if (const int failed = manners().trip()) return failed;
  const int fd = open(at(path).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -errno;
  file->fh = static_cast<std::uint64_t>(fd);
  return 0;
}

int share_read(const char*, char* to, std::size_t size, off_t from, fuse_file_info* file) {
  if (const int failed = manners().trip()) return failed;
  return result(static_cast<int>(pread(static_cast<int>(file->fh), to, size, from)));
}

int share_release(const char*, fuse_file_info* file) { return result(close(static_cast<int>(file->fh))); }

void* share_init(fuse_conn_info* connection, fuse_config* config) {
  connection->want |= connection->capable & (FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ);
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS_AUTO);
  connection->max_background = 128;
  config->attr_timeout = config->entry_timeout = 0.2;
  return fuse_get_context()->private_data;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: millrace_slow_share SOURCE MOUNT [DELAY_US]\n");
    return 2;
  }
  Manners bad;
  bad.source = argv[1];
  bad.delay = std::chrono::microseconds(argc > 3 ? std::atol(argv[3]) : 0);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([&bad, signals] { bad.listen(signals); }).detach();
  fuse_operations operations{};
  operations.getattr = share_getattr;
  operations.readdir = share_readdir;
  operations.open = share_open;
  operations.read = share_read;
  operations.release = share_release;
  operations.init = share_init;
  std::string words[] = {argv[0], argv[2], "-f", "-o", "max_threads=64,max_idle_threads=64"};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), words[4].data(), nullptr};
  const int code = fuse_main(5, arguments, &operations, &bad);
  std::printf("%llu trips\n", static_cast<unsigned long long>(bad.trips.load()));
  std::fflush(stdout);
  std::_Exit(code);  // the listener waits for a signal for ever
}
