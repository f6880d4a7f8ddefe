// What server and worker say to each other, over one socket:
//
//   frame    bytes (u32, little-endian, of what follows), type (u8), content
//
//   server -> worker                             worker -> server
//   job      id lease kind payload brief path    hello
//   cancel                                       heartbeat  lease
//   answer   ok status type | error text         progress   lease done total unit text
//   block    bytes; an empty one is the last     ask        path of our own API
//                                                next       one more block of the answer
//                                                done       lease result file? name type
//                                                failed     lease again text
//
// Invariants
//   * No frame is larger than `frame_bytes_max`; a peer that announces more is cut off.
//   * A block is sent only when it was asked for, so no side ever waits while the other one talks.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jobs/kind.h"

namespace millrace::jobs {

inline constexpr int worker_socket = 3;  // the only descriptor a worker inherits besides 0, 1 and 2
inline constexpr std::size_t frame_bytes_max = 1 << 20;
inline constexpr std::size_t block_bytes_max = 256 << 10;
inline constexpr std::chrono::milliseconds heartbeat_period{1'000};

enum class FrameType : std::uint8_t { job = 1, cancel, answer, block, hello = 16, heartbeat, progress, ask, next, done, failed };

struct Frame {
  FrameType type = FrameType::hello;
  std::string content;
};

// Errors   unavailable  the other side is gone, or took nothing for too long
Result<void> send_frame(int socket, FrameType type, std::string_view content);

// Frames as they arrive. Errors of both: unavailable  the other side is gone;  corrupt  it says nonsense
class FrameReader {
 public:
  // Reads what is there, without waiting.
  Result<void> receive(int socket);
  Result<std::optional<Frame>> take();

 private:
  std::string buffer_;
};

struct JobMessage {
  std::string id, kind, payload, brief, result_path;
  std::uint64_t lease = 0;
};
std::string encode(const JobMessage& message);
Result<JobMessage> decode_job_message(std::string_view content);

struct ProgressMessage {
  std::uint64_t lease = 0;
  Progress progress;
};
std::string encode(const ProgressMessage& message);
Result<ProgressMessage> decode_progress(std::string_view content);

// How a try ended in the worker: `error` when it failed.
struct EndMessage {
  std::uint64_t lease = 0;
  Outcome outcome;
  std::optional<std::string> error;
  bool again = false;
};
std::string encode(const EndMessage& message);
Result<EndMessage> decode_end(std::string_view content);

struct AnswerMessage {
  int status = 0;
  std::string type;
  std::string error;  // "" there is an answer
};
std::string encode(const AnswerMessage& message);
Result<AnswerMessage> decode_answer(std::string_view content);

}  // namespace millrace::jobs
