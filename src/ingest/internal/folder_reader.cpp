#include "ingest/internal/folder_reader.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "ingest/folder_open.h"

namespace millrace::ingest {
namespace {

constexpr auto idle_patience = std::chrono::seconds(10);
constexpr std::size_t piece_bytes = 128 * 1024;  // what NFS, SMB and FUSE fetch in one trip

bool write_all(int to, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(to, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// Replaces the share's descriptor by one of memory with the same content. Answers false when the file has another
// size now than `file.stamp` says.
Result<bool> take_into_memory(OpenedFile& file, std::string_view path, std::vector<char>& piece) {
  UniqueFd memory(::memfd_create("order", MFD_CLOEXEC));
  if (!memory) return fail(ErrorCode::unavailable, printable(path) + ": no memory to read it into: " + folder::reason_of(errno));
  std::uint64_t done = 0;
  while (done < file.stamp.size) {
    const auto wanted = std::min<std::uint64_t>(piece.size(), file.stamp.size - done);
    const ssize_t got = ::pread(file.fd.get(), piece.data(), wanted, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure(folder::error_of(errno, path));
    if (got == 0) break;
    if (!write_all(memory.get(), piece.data(), static_cast<std::size_t>(got)))
      return fail(ErrorCode::unavailable, printable(path) + ": no memory to read it into: " + folder::reason_of(errno));
    done += static_cast<std::uint64_t>(got);
  }
  folder::FileStatus after;
  if (!folder::status_at(file.fd.get(), "", after)) return Failure(folder::error_of(errno, path));
  file.fd = std::move(memory);
  return done == file.stamp.size && after.stamp == file.stamp;
}

}  // namespace

struct FolderReader::Shared {
  Shared(std::string folder, FolderReaderOptions wanted, std::function<void()> call)
      : root(std::move(folder)), options(wanted), wake(std::move(call)) {}

  Answer read(const Request& request, std::vector<char>& piece) {
    auto opened = open_below(root, request.path);
    if (!opened) return {request.id, pass_on(opened), false, 0};
    const FileStamp& stamp = opened->stamp;
    const bool unneeded = request.unread_when == stamp || (request.only_when && *request.only_when != stamp) || stamp.size > options.file_size_max;
    if (unneeded) return {request.id, std::move(opened), false, 0};
    const std::uint64_t bytes = stamp.size;
    if (!reserve(request.id, bytes)) return {request.id, fail(ErrorCode::cancelled, "reading the folder was stopped"), false, 0};
    const auto whole = take_into_memory(*opened, request.path, piece);
    if (whole) return {request.id, std::move(opened), !*whole, bytes};
    release(bytes);
    return {request.id, pass_on(whole), false, 0};
  }

  // False when the reader is gone. Waiting for room is not waiting for the share.
  bool reserve(std::uint64_t id, std::uint64_t bytes) {
    std::unique_lock lock(mutex);
    const auto fits = [&] { return closed || held == 0 || held + bytes <= options.bytes_max; };
    if (!fits()) {
      under_way.erase(id);
      room.wait(lock, fits);
      under_way.emplace(id, Stopwatch::now());
    }
    if (closed) return false;
    held += bytes;
    return true;
  }
  void release(std::uint64_t bytes) {
    {
      const std::lock_guard lock(mutex);
      held -= bytes;
    }
    room.notify_all();
  }

  // fixed after construction
  const std::string root;
  const FolderReaderOptions options;
  mutable std::mutex mutex;
  // guarded by mutex
  std::condition_variable changed;  // a request, or the end
  std::condition_variable room;     // bytes were released, or the end
  std::deque<Request> requests;
  std::deque<Answer> answers;
  std::map<std::uint64_t, Stopwatch::time_point> under_way;
  std::size_t threads = 0;
  std::size_t idle = 0;
  std::uint64_t held = 0;
  bool closed = false;
  // guarded by wake_mutex, which is held during the call: after `closed` nobody is called any more
  std::mutex wake_mutex;
  std::function<void()> wake;
};

FolderReader::FolderReader(std::string root, FolderReaderOptions options, std::function<void()> wake)
    : shared_(std::make_shared<Shared>(std::move(root), options, std::move(wake))) {}

FolderReader::~FolderReader() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closed = true;
    shared_->requests.clear();
    shared_->answers.clear();
  }
  shared_->changed.notify_all();
  shared_->room.notify_all();
  const std::lock_guard lock(shared_->wake_mutex);
  shared_->wake = nullptr;
}

bool FolderReader::submit(Request request) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->idle <= shared_->requests.size() && shared_->threads < shared_->options.thread_count_max) {
    try {
      std::thread([shared = shared_] { work(shared); }).detach();
      ++shared_->threads;
    } catch (const std::system_error& error) {
      log_warning("share_reader_cannot_start", {{"reason", error.what()}});
      if (shared_->threads == 0) return false;
    }
  }
  shared_->requests.push_back(std::move(request));
  shared_->changed.notify_one();
  return true;
}

void FolderReader::work(const std::shared_ptr<Shared>& shared) {
  ::pthread_setname_np(::pthread_self(), "share");
  std::vector<char> piece(piece_bytes);
  std::unique_lock lock(shared->mutex);
  for (;;) {
    ++shared->idle;
    const bool found = shared->changed.wait_for(lock, idle_patience, [&] { return shared->closed || !shared->requests.empty(); });
    --shared->idle;
    if (!found || shared->closed) break;
    const Request request = std::move(shared->requests.front());
    shared->requests.pop_front();
    shared->under_way.emplace(request.id, Stopwatch::now());
    lock.unlock();
    Answer answer = shared->read(request, piece);
    lock.lock();
    shared->under_way.erase(request.id);
    if (shared->closed) break;
    shared->answers.push_back(std::move(answer));
    lock.unlock();
    {
      const std::lock_guard calling(shared->wake_mutex);
      if (shared->wake) shared->wake();
    }
    lock.lock();
  }
  --shared->threads;
}

std::optional<FolderReader::Answer> FolderReader::try_take() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->answers.empty()) return std::nullopt;
  std::optional<Answer> answer(std::move(shared_->answers.front()));
  shared_->answers.pop_front();
  return answer;
}

void FolderReader::release(std::uint64_t bytes) {
  if (bytes > 0) shared_->release(bytes);
}

std::optional<Stopwatch::time_point> FolderReader::waiting_since() const {
  const std::lock_guard lock(shared_->mutex);
  std::optional<Stopwatch::time_point> oldest;
  for (const auto& [id, since] : shared_->under_way) oldest = oldest ? std::min(*oldest, since) : since;
  return oldest;
}

}  // namespace millrace::ingest
