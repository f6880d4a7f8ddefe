// Reaching directories and files relative to open directories: what listing, opening and watching share.
//
// Invariants
//   * No function follows a link below the root; paths may be longer than PATH_MAX.
//   * Functions that answer a UniqueFd answer an empty one on failure and leave the reason in errno.
#pragma once
#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "ingest/folder.h"

namespace millrace::ingest::folder {

// What we need to know of a name, and no more: asking for the access time costs a round trip on some shares.
struct FileStatus {
  unsigned mode = 0;  // S_ISREG(mode), ...
  FileStamp stamp;
};
// Of `name` in the open directory `folder`, links not followed; "" is the open file itself. False: errno says why.
bool status_at(int folder, const char* name, FileStatus& status);
// A time no calendar holds is kept at the border.
FileStamp stamp_of(const struct statx& facts);

// The root as configured; a link there is the owner's wish and is followed.
// Errors   unavailable  it cannot be opened, whatever the reason: a missing root says nothing about its orders
Result<UniqueFd> open_root(const std::string& root);

// One directory by its name in `parent`.
UniqueFd open_folder_at(int parent, const char* name);

// `path` below `base`, component by component where the kernel cannot promise to stay below. "" is `base` itself.
UniqueFd open_path(int base, std::string_view path, int flags);
UniqueFd open_folder_path(int base, std::string_view path);
// The same one name at a time, for kernels and containers without openat2; `path` is not empty.
UniqueFd open_by_components(int base, std::string_view path, int flags);

// No empty, "." or ".." component, no NUL byte, not absolute.
bool is_plain_relative(std::string_view path);

// What happened to a directory or file, and what a person can do, as one sentence.
std::string reason_of(int error);
// The Error for one path below the root.
Error error_of(int error, std::string_view relative_path);

// A bound on descriptors kept open for later. Over the bound nothing is kept and the directory is reached again by
// its path: slower, and independent of the shape of the tree.
class HandleBudget {
 public:
  struct Kept {
    Kept(UniqueFd folder, std::atomic<std::size_t>& count) : fd(std::move(folder)), kept(count) {}
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() { kept.fetch_sub(1, std::memory_order_relaxed); }
    UniqueFd fd;
    std::atomic<std::size_t>& kept;
  };
  using Handle = std::shared_ptr<Kept>;

  explicit HandleBudget(std::size_t bound) : bound_(bound) {}

  // Takes `fd` when there is room; otherwise leaves it with the caller and answers nothing.
  Handle keep(UniqueFd& fd);

 private:
  const std::size_t bound_;
  std::atomic<std::size_t> kept_{0};
};

// The entries of one directory, a block of the kernel's answer at a time.
class EntryReader {
 public:
  struct Entry {
    const char* name;  // ends with NUL; valid until the next read
    std::string_view text() const { return name; }
    unsigned char type;  // DT_REG, DT_DIR, ...; DT_UNKNOWN is resolved by the caller
  };

  explicit EntryReader(std::size_t block_bytes = 64 * 1024) : block_(block_bytes) {}

  // 1: a block is there; 0: end of the directory; -1: errno says why.
  int read_block(int folder);
  // The next entry of the block without "." and "..", or false.
  bool next(Entry& entry);

 private:
  std::vector<char> block_;
  std::size_t used_ = 0;
  std::size_t at_ = 0;
};

}  // namespace millrace::ingest::folder
