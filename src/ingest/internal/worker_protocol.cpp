#include "ingest/internal/worker_protocol.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t head_bytes = 4;
constexpr std::size_t receive_bytes = 256 * 1024;   // what one call may bring
constexpr std::size_t buffer_kept_max = 1024 * 1024;  // a larger one was needed once and is given back

Failure gone(std::string_view doing, int error) {
  return fail(ErrorCode::unavailable, std::string(doing) + ": " + (error == 0 ? "the other side closed" : std::strerror(error)));
}
Failure damaged() { return fail(ErrorCode::corrupt, "a message between server and parser is damaged"); }

void put_hash(ByteWriter& writer, const ContentHash& hash) {
  for (const std::uint8_t byte : hash.bytes) writer.u8(byte);
}
ContentHash take_hash(ByteReader& reader) {
  ContentHash hash;
  for (std::uint8_t& byte : hash.bytes) byte = reader.u8();
  return hash;
}

Result<void> read_exactly(int socket, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t n = recv(socket, to, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return gone("receiving", n < 0 ? errno : 0);
    to += n;
    size -= static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace

Result<void> send_frame(int socket, std::string_view payload, int descriptor) {
  if (payload.size() > frame_bytes_max) return fail(ErrorCode::limit_reached, "a message is larger than 512 MB");
  std::array<char, 4> head;
  for (std::size_t i = 0; i < 4; ++i) head[i] = static_cast<char>(payload.size() >> (8 * i));
  std::array<iovec, 2> parts{iovec{head.data(), head.size()}, iovec{const_cast<char*>(payload.data()), payload.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  std::size_t left = head.size() + payload.size();
  while (left > 0) {
    ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return gone("sending", errno);
    left -= static_cast<std::size_t>(n);
    message.msg_control = nullptr;
    message.msg_controllen = 0;
    for (iovec& part : parts) {
      const std::size_t taken = std::min(part.iov_len, static_cast<std::size_t>(n));
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      n -= static_cast<ssize_t>(taken);
    }
  }
  return {};
}

Result<Frame> receive_frame(int socket) {
  Frame frame;
  std::array<char, 4> head;
  iovec part{head.data(), head.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = 0;
  do {
    n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return gone("receiving", n < 0 ? errno : 0);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
    frame.descriptor.reset(descriptor);
  }
  if (auto rest = read_exactly(socket, head.data() + n, head.size() - static_cast<std::size_t>(n)); !rest) return pass_on(rest);
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= std::uint32_t{static_cast<unsigned char>(head[i])} << (8 * i);
  if (size > frame_bytes_max) return damaged();
  frame.payload.resize(size);
  if (auto rest = read_exactly(socket, frame.payload.data(), size); !rest) return pass_on(rest);
  return frame;
}

Result<void> FrameSender::add(std::string_view payload) {
  if (payload.size() > frame_bytes_max) return fail(ErrorCode::limit_reached, "a message is larger than 512 MB");
  for (std::size_t i = 0; i < head_bytes; ++i) buffer_.push_back(static_cast<char>(payload.size() >> (8 * i)));
  buffer_.append(payload);
  return {};
}

Result<void> FrameSender::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t n = send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return gone("sending", errno);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
  if (buffer_.capacity() > buffer_kept_max) buffer_.shrink_to_fit();
  return {};
}

std::optional<std::uint32_t> FrameReceiver::size_of_next() const {
  if (end_ - begin_ < head_bytes) return std::nullopt;
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < head_bytes; ++i) size |= std::uint32_t{static_cast<unsigned char>(buffer_[begin_ + i])} << (8 * i);
  return size;
}

bool FrameReceiver::ready() const {
  const auto size = size_of_next();
  return size && (*size > frame_bytes_max || end_ - begin_ >= head_bytes + *size);
}

Result<void> FrameReceiver::receive() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > buffer_kept_max) buffer_ = std::string();
  } else if (begin_ > 0) {  // the rest of a frame moves to the front, to grow there
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t wanted = std::max(receive_bytes, head_bytes + size_of_next().value_or(0));
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  while (true) {
    const ssize_t n = recv(socket_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return gone("receiving", n < 0 ? errno : 0);
    end_ += static_cast<std::size_t>(n);
    return {};
  }
}

Result<std::string_view> FrameReceiver::take() {
  const auto size = size_of_next();
  if (!size || *size > frame_bytes_max) return damaged();
  const std::string_view payload(buffer_.data() + begin_ + head_bytes, *size);
  begin_ += head_bytes + *size;
  return payload;
}

std::string encode(const WorkerSetup& setup) {
  std::string out;
  ByteWriter writer(out);
  writer.varint(setup.memory_max);
  writer.varint(setup.file_size_max);
  writer.varint(setup.time_max_ms);
  writer.varint(setup.shared_bytes);
  writer.u8(static_cast<std::uint8_t>(setup.hash_method));
  writer.text(setup.profile_toml);
  return out;
}

Result<WorkerSetup> decode_worker_setup(std::string_view bytes) {
  ByteReader reader(bytes);
  WorkerSetup setup;
  setup.memory_max = reader.varint();
  setup.file_size_max = reader.varint();
  setup.time_max_ms = reader.varint();
  setup.shared_bytes = reader.varint();
  setup.hash_method = reader.u8() == 0 ? HashMethod::xxh3_128 : HashMethod::md5;
  setup.profile_toml = reader.text();
  if (!reader.ok() || !reader.at_end()) return damaged();
  return setup;
}

//   count (name flags [offset size] [hash])*   flags: 1 in memory, 2 a hash is known
std::string encode(const std::vector<WorkerDocument>& batch) {
  std::string out;
  ByteWriter writer(out);
  writer.varint(batch.size());
  for (const WorkerDocument& document : batch) {
    writer.text(document.name);
    writer.u8(static_cast<std::uint8_t>((document.in_memory ? 1 : 0) | (document.known_hash ? 2 : 0)));
    if (document.in_memory) {
      writer.varint(document.offset);
      writer.varint(document.size);
    }
    if (document.known_hash) put_hash(writer, *document.known_hash);
  }
  return out;
}

Result<std::vector<WorkerDocument>> decode_worker_batch(std::string_view bytes) {
  ByteReader reader(bytes);
  std::vector<WorkerDocument> batch(std::min(reader.count(2), documents_per_batch_max + 1));
  if (batch.empty() || batch.size() > documents_per_batch_max) return damaged();
  for (WorkerDocument& document : batch) {
    document.name = reader.text();
    const std::uint8_t flags = reader.u8();
    if (flags > 3) return damaged();
    document.in_memory = (flags & 1) != 0;
    if (document.in_memory) {
      document.offset = reader.varint();
      document.size = reader.varint();
    }
    if ((flags & 2) != 0) document.known_hash = take_hash(reader);
    if (!document.in_memory && batch.size() > 1) return damaged();
  }
  if (!reader.ok() || !reader.at_end()) return damaged();
  return batch;
}

std::string encode(const WorkerAnswer& answer) {
  std::string out;
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>((answer.unchanged ? 1 : 0) | (answer.moved_while_read ? 2 : 0)));
  put_hash(writer, answer.hash);
  writer.varint(answer.bytes);
  writer.text(encode(answer.document));
  return out;
}

Result<WorkerAnswer> decode_worker_answer(std::string_view bytes) {
  ByteReader reader(bytes);
  WorkerAnswer answer;
  const std::uint8_t flags = reader.u8();
  answer.unchanged = (flags & 1) != 0;
  answer.moved_while_read = (flags & 2) != 0;
  answer.hash = take_hash(reader);
  answer.bytes = reader.varint();
  const std::string_view document = reader.text();
  if (!reader.ok() || !reader.at_end() || flags > 3) return damaged();
  auto decoded = decode_parsed_document(document);
  if (!decoded) return pass_on(decoded);
  answer.document = std::move(*decoded);
  return answer;
}

}  // namespace millrace::ingest
