// What a parser pool and its worker processes say to each other over one socketpair.
//
//   frame     length (4 bytes, little-endian) payload
//   parent    setup with the descriptor of the shared memory, then batches of documents. Small documents lie in the
//             shared memory, which the worker can only read; a large one travels as a descriptor, alone in its batch
//   worker    hello after the walls are up, then one answer per document, in order; answers are sent when some have
//             gathered, or a little time has passed
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"
#include "ingest/document.h"
#include "ingest/parser_pool.h"

namespace millrace::ingest {

inline constexpr std::uint32_t frame_bytes_max = 512u << 20;

// Errors of all   unavailable  the other side is gone
//                 corrupt      not a frame of ours
Result<void> send_frame(int socket, std::string_view payload, int descriptor = -1);
struct Frame {
  std::string payload;
  UniqueFd descriptor;
};
Result<Frame> receive_frame(int socket);

// Frames that are sent together: many answers cost one call.
class FrameSender {
 public:
  explicit FrameSender(int socket) : socket_(socket) {}
  Result<void> add(std::string_view payload);
  Result<void> flush();
  std::size_t waiting() const { return buffer_.size(); }  // bytes

 private:
  int socket_;
  std::string buffer_;
};

// Frames without descriptors, received as many at a time as have arrived.
class FrameReceiver {
 public:
  explicit FrameReceiver(int socket) : socket_(socket) {}
  // A whole frame, or the head of one that is too large, can be taken.
  bool ready() const;
  // One call to the socket: waits for bytes, not for a whole frame.
  Result<void> receive();
  // When `ready`. Lives until the next `receive`.
  Result<std::string_view> take();

 private:
  std::optional<std::uint32_t> size_of_next() const;
  int socket_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not handed out yet
  std::size_t end_ = 0;    // of what was received
};

struct WorkerSetup {
  std::uint64_t memory_max = 0;
  std::uint64_t file_size_max = 0;
  std::uint64_t time_max_ms = 0;
  std::uint64_t shared_bytes = 0;  // of the memory whose descriptor comes along
  HashMethod hash_method = HashMethod::xxh3_128;
  std::string profile_toml;
};
std::string encode(const WorkerSetup& setup);
Result<WorkerSetup> decode_worker_setup(std::string_view bytes);

struct WorkerDocument {
  std::string name;
  bool in_memory = false;    // content is [offset, offset + size) of the shared memory; else read the descriptor
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::optional<ContentHash> known_hash;  // of a descriptor only: the pool knows the hashes of what it read itself
};
inline constexpr std::size_t documents_per_batch_max = 64;
std::string encode(const std::vector<WorkerDocument>& batch);
Result<std::vector<WorkerDocument>> decode_worker_batch(std::string_view bytes);

// Hash, bytes, `unchanged` and `moved_while_read` are said of descriptors only.
struct WorkerAnswer {
  bool unchanged = false;
  bool moved_while_read = false;
  ContentHash hash;
  std::uint64_t bytes = 0;
  ParsedDocument document;
};
std::string encode(const WorkerAnswer& answer);
Result<WorkerAnswer> decode_worker_answer(std::string_view bytes);

}  // namespace millrace::ingest
