#include "jobs/internal/frames.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace millrace::jobs {
namespace {

constexpr std::size_t head_bytes = 5;

Failure nonsense() { return fail(ErrorCode::corrupt, "a worker and its server do not understand each other: are they of one version?"); }

}  // namespace

Result<void> send_frame(int socket, FrameType type, std::string_view content) {
  const auto size = static_cast<std::uint32_t>(content.size() + 1);
  if (size > frame_bytes_max) return fail(ErrorCode::internal, "a message to or from a worker is larger than 1 MiB");
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(size >> shift);
  bytes += static_cast<char>(type);
  bytes += content;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(ErrorCode::unavailable, std::string("the other side takes nothing: ") + std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> FrameReader::receive(int socket) {
  std::array<char, 64 << 10> block;
  const ssize_t got = ::recv(socket, block.data(), block.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (got <= 0) return fail(ErrorCode::unavailable, "the other side is gone");
  buffer_.append(block.data(), static_cast<std::size_t>(got));
  return {};
}

Result<std::optional<Frame>> FrameReader::take() {
  if (buffer_.size() < head_bytes) return std::nullopt;
  std::uint32_t size = 0;
  for (int i = 0; i < 4; ++i) size |= static_cast<std::uint32_t>(static_cast<unsigned char>(buffer_[static_cast<std::size_t>(i)])) << (8 * i);
  if (size < 1 || size > frame_bytes_max) return nonsense();
  if (buffer_.size() < 4 + std::size_t{size}) return std::nullopt;
  Frame frame{static_cast<FrameType>(buffer_[4]), buffer_.substr(head_bytes, size - 1)};
  buffer_.erase(0, 4 + std::size_t{size});
  return frame;
}

std::string encode(const JobMessage& message) {
  std::string bytes;
  ByteWriter out(bytes);
  for (const std::string* text : {&message.id, &message.kind, &message.payload, &message.brief, &message.result_path}) out.text(*text);
  out.varint(message.lease);
  return bytes;
}

Result<JobMessage> decode_job_message(std::string_view content) {
  ByteReader in(content);
  JobMessage message;
  for (std::string* text : {&message.id, &message.kind, &message.payload, &message.brief, &message.result_path}) *text = in.text();
  message.lease = in.varint();
  if (!in.ok() || !in.at_end()) return nonsense();
  return message;
}

std::string encode(const ProgressMessage& message) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(message.lease);
  out.varint(message.progress.done);
  out.varint(message.progress.total);
  out.text(message.progress.unit);
  out.text(message.progress.text);
  return bytes;
}

Result<ProgressMessage> decode_progress(std::string_view content) {
  ByteReader in(content);
  ProgressMessage message;
  message.lease = in.varint();
  message.progress.done = in.varint();
  message.progress.total = in.varint();
  message.progress.unit = in.text();
  message.progress.text = in.text();
  if (!in.ok() || !in.at_end()) return nonsense();
  return message;
}

std::string encode(const EndMessage& message) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(message.lease);
  out.u8(message.error ? 1 : 0);
  out.text(message.error.value_or(""));
  out.u8(message.again ? 1 : 0);
  out.text(message.outcome.result);
  out.u8(message.outcome.file ? 1 : 0);
  if (message.outcome.file) {
    out.text(message.outcome.file->name);
    out.text(message.outcome.file->type);
  }
  return bytes;
}

Result<EndMessage> decode_end(std::string_view content) {
  ByteReader in(content);
  EndMessage message;
  message.lease = in.varint();
  const bool failed = in.u8() != 0;
  std::string error(in.text());
  if (failed) message.error = std::move(error);
  message.again = in.u8() != 0;
  message.outcome.result = in.text();
  if (in.u8() != 0) {
    ResultFile& file = message.outcome.file.emplace();
    file.name = in.text();
    file.type = in.text();
  }
  if (!in.ok() || !in.at_end()) return nonsense();
  return message;
}

std::string encode(const AnswerMessage& message) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(static_cast<std::uint64_t>(message.status));
  out.text(message.type);
  out.text(message.error);
  return bytes;
}

Result<AnswerMessage> decode_answer(std::string_view content) {
  ByteReader in(content);
  AnswerMessage message;
  message.status = static_cast<int>(in.varint());
  message.type = in.text();
  message.error = in.text();
  if (!in.ok() || !in.at_end()) return nonsense();
  return message;
}

}  // namespace millrace::jobs
