// A shared folder of order files: listing it, opening files in it, hearing about changes.
//
// Invariants
//   * Everything is reached relative to open directories (openat, O_NOFOLLOW): no link is followed, nothing outside
//     the root is touched, paths may be longer than PATH_MAX and names are any bytes.
//   * Listing never opens a file and never blocks on FIFOs, sockets or devices.
//   * A directory that cannot be read, or vanished while it was listed, is a `FolderFault`, and its known files must
//     be kept by the caller.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace millrace::ingest {

struct FileStamp {  // equal stamps mean: not touched since
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;
};

struct ListedFile {
  std::string path;  // relative, '/' between, bytes
  FileStamp stamp;
};

struct FolderFault {
  std::string path;    // of the directory or file
  std::string reason;  // "permission denied: ..." as a sentence with what to do
  bool directory = true;
};

enum class SkipReason : std::uint8_t { temporary_name, link, special_file, system_file, hidden, not_a_document, too_deep };
std::string_view word(SkipReason reason);

struct Listing {
  std::vector<ListedFile> files;   // sorted by path
  std::vector<FolderFault> faults;
  std::uint64_t directories = 0;
  std::uint64_t skipped[8] = {};   // by SkipReason
  std::uint64_t root_device = 0;
  std::uint64_t root_inode = 0;
  std::size_t threads_used = 1;
};

// A local folder is listed fastest by about as many threads as processors. Over a share every directory is a round
// trip that waits, not works: once trips take longer than `trip_slow`, threads are added up to `thread_count_max`.
struct ListOptions {
  std::size_t thread_count = 2;
  std::size_t thread_count_max = 64;
  std::chrono::microseconds trip_slow{300};
  // Set to the steady clock's now whenever the folder answered: who looks from outside sees a share that hangs.
  std::atomic<std::chrono::steady_clock::rep>* pulse = nullptr;
  std::size_t directories_max = 1'000'000;
  std::size_t files_max = 5'000'000;
  std::size_t depth_max = 8192;
};

// Temporary, lock and system names and file kinds we never read (drawings): by rule, before any open.
// `.json .csv .txt .xlsx .pdf` and names without an extension we know are documents; other extensions are not.
// An extension is a last dot and one to ten letters or digits with at least one letter: "offer 2.1" has none.
std::optional<SkipReason> skip_by_name(std::string_view file_name);

// Folders nobody files orders in: hidden ones and the bins, snapshots and thumbnails that file servers keep beside
// the real files (a NetApp `.snapshot` holds a copy of every order there ever was).
std::optional<SkipReason> skip_folder_by_name(std::string_view folder_name);

// Lists the tree with several threads. `stop` ends it early with `cancelled`. `progress` (may be empty) hears the
// number of files seen so far, now and then and at the end, always on the calling thread.
// Errors   unavailable    the root cannot be opened or read; the text says why and what to check
//          limit_reached  more files or directories than allowed: never a silent cut. A directory below `depth_max`
//                         is a fault and a skip (`too_deep`).
//          cancelled      `stop` was set
Result<Listing> list_folder(const std::string& root, const ListOptions& options, const std::atomic<bool>& stop,
                            const std::function<void(std::uint64_t files)>& progress);

// Lists one subdirectory (relative, "" is the root) and all below it. Same rules; paths stay relative to the root.
// Errors   also not_found (no such directory now), denied, invalid_input (a link)
Result<Listing> list_subfolder(const std::string& root, std::string_view below, const ListOptions& options,
                               const std::atomic<bool>& stop);

struct OpenedFile {
  UniqueFd fd;
  FileStamp stamp;
};
// Opens a regular file below the root for reading: no links anywhere on the way, O_NONBLOCK, checked by fstat.
// Errors   not_found, denied, invalid_input (not a regular file), unavailable (EIO, ESTALE)
Result<OpenedFile> open_below(const std::string& root, std::string_view relative_path);
Result<FileStamp> stamp_below(const std::string& root, std::string_view relative_path);

// ---- hearing about changes
// An event is a hint in the order the kernel gave it; the file decides (`stamp_below`): two names exchanged in one
// step say `file_gone` for names that still exist. Names that `skip_by_name` refuses are not reported.
struct FolderEvent {
  enum class Kind : std::uint8_t {
    file_changed,   // created or written: somebody may still be writing
    file_touched,   // times, rights or owner changed, not the content
    file_closed,    // closed after writing, or renamed into place: complete as far as the writer is concerned
    file_gone,      // deleted or moved out
    folder_appeared,  // a directory was created or moved in: list it
    folder_gone,
    overflow,       // events were lost: list everything
    root_gone,      // the root itself was deleted, moved or unmounted
  };
  Kind kind = Kind::file_changed;
  std::string path;
  std::uint32_t cookie = 0;  // the two halves of a rename share it, 0 when none
};

class FolderWatch {
 public:
  virtual ~FolderWatch() = default;
  // Watches every directory of the tree; directories that appear later are added by the watch itself.
  // Errors   limit_reached  fs.inotify.max_user_watches is too low; the text says the number and the command
  //          unavailable    the root cannot be watched here (then poll)
  static Result<std::unique_ptr<FolderWatch>> start(const std::string& root);

  // One step: waits up to `patience`, answers what happened since, in order. Never blocks longer.
  virtual std::vector<FolderEvent> step(std::chrono::milliseconds patience) = 0;
  virtual std::uint64_t watch_count() const = 0;
  // Ends a waiting `step` from another thread.
  virtual void wake() = 0;
  // Directories that could not be watched (watch limit after the start, input/output errors). While it is not 0 the
  // caller must list now and then; `unwatched_reason` says why and what to do. Tried again by itself; success says
  // `overflow`. A folder without the right to read is a FolderFault instead, and `folder_appeared` once it is given.
  virtual std::uint64_t unwatched_count() const { return 0; }
  virtual std::string unwatched_reason() const { return {}; }
};

}  // namespace millrace::ingest
