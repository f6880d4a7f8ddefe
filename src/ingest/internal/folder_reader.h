// Reads files of a slow share into memory with many round trips in flight, so that neither the source's thread nor a
// parser ever waits for the share.
//
//   submit ──> queue ──> up to `thread_count_max` threads: open, stamp, read, stamp ──> answers ──> try_take
//
// Invariants
//   * Threads are started while requests wait and end when there is nothing to do.
//   * A thread that hangs in the kernel holds nothing of the owner: it is left behind when the reader goes, and its
//     answer is dropped.
//   * Contents in memory stay below `bytes_max` (one file may be larger): a thread waits before it reads.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "ingest/folder.h"

namespace millrace::ingest {

struct FolderReaderOptions {
  std::size_t thread_count_max = 64;
  std::uint64_t bytes_max = 128ull << 20;  // of contents read and not released yet
  std::uint64_t file_size_max = 64ull << 20;  // larger files are opened and not read: who parses refuses them unread
};

class FolderReader {
 public:
  struct Request {
    std::uint64_t id = 0;
    std::string path;
    std::optional<FileStamp> unread_when;   // with this stamp the content is not needed
    std::optional<FileStamp> only_when;     // only with this stamp it is
  };
  struct Answer {
    std::uint64_t id = 0;
    Result<OpenedFile> file;        // the stamp is the file's; the descriptor holds its content in memory
    bool moved_while_read = false;
    std::uint64_t bytes_held = 0;   // give them back by `release`
  };

  // `wake` is called from the reader's threads when there is an answer.
  FolderReader(std::string root, FolderReaderOptions options, std::function<void()> wake);
  ~FolderReader();
  FolderReader(const FolderReader&) = delete;
  FolderReader& operator=(const FolderReader&) = delete;

  // False when the machine has no thread to give. The queue is bounded by its caller.
  bool submit(Request request);
  std::optional<Answer> try_take();
  void release(std::uint64_t bytes);
  // Since when the request that has been under way longest waits for the share.
  std::optional<Stopwatch::time_point> waiting_since() const;

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);
  const std::shared_ptr<Shared> shared_;
};

}  // namespace millrace::ingest
