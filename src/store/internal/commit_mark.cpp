#include "store/internal/commit_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace millrace::store {
namespace {

constexpr std::size_t slot_bytes = 4096;
constexpr std::string_view magic = "MLRMARK1";

void put_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t take_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return number;
}

std::string slot_of(const RecordState& state) {
  const std::string content = encode(state);
  std::string slot(magic);
  put_number(slot, content.size(), 4);
  slot += content;
  put_number(slot, static_cast<std::uint64_t>(RowChecksum(RowOf::mark).add(content).value()), 8);
  slot.resize(slot_bytes);
  return slot;
}

std::optional<RecordState> state_of(std::string_view slot) {
  constexpr std::size_t head = magic.size() + 4, tail = 8;
  if (slot.size() != slot_bytes || !slot.starts_with(magic)) return std::nullopt;
  const std::uint64_t length = take_number(slot.substr(magic.size(), 4));
  if (length > slot_bytes - head - tail) return std::nullopt;
  const std::string_view content = slot.substr(head, length);
  const std::uint64_t checksum = take_number(slot.substr(head + length, tail));
  if (checksum != static_cast<std::uint64_t>(RowChecksum(RowOf::mark).add(content).value())) return std::nullopt;
  auto state = decode_state(content);
  return state ? std::optional(*state) : std::nullopt;
}

bool write_whole(int file, std::string_view bytes, off_t at) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(file, bytes.data(), bytes.size(), at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
    at += wrote;
  }
  return true;
}

}  // namespace

std::string mark_path(const std::string& database_path) { return database_path + ".mark"; }

Error storage_error(int error_number, const std::string& doing) {
  const std::string text = doing + ": " + std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT)
    return Error(ErrorCode::storage_full, text + "; free space on the disk that holds the data folder");
  return Error(ErrorCode::read_only, text + "; check the disk that holds the data folder");
}

Result<void> flush_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const UniqueFd file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) return Failure(storage_error(errno, "flushing the folder " + folder));
  return {};
}

Result<std::optional<RecordState>> CommitMark::read(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<RecordState>();
  if (!file) return fail(ErrorCode::unavailable, "the commit mark " + path + " cannot be read: " + std::strerror(errno));
  std::optional<RecordState> newest;
  for (int slot = 0; slot < 2; ++slot) {
    std::string bytes(slot_bytes, '\0');
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), slot * static_cast<off_t>(slot_bytes));
    if (got < 0) return fail(ErrorCode::unavailable, "the commit mark " + path + " cannot be read: " + std::strerror(errno));
    bytes.resize(static_cast<std::size_t>(got));
    const auto state = state_of(bytes);
    if (state && (!newest || state->revision > newest->revision)) newest = state;
  }
  if (!newest) return fail(ErrorCode::corrupt, "the commit mark " + path + " is damaged");
  return newest;
}

Result<CommitMark> CommitMark::create(const std::string& path, const RecordState& state) {
  const std::string temporary = path + ".new";
  UniqueFd file(::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!file) return Failure(storage_error(errno, "creating the commit mark " + temporary));
  const std::string slot = slot_of(state);
  if (!write_whole(file.get(), slot, 0) || !write_whole(file.get(), slot, slot_bytes) || ::fsync(file.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int cause = errno;
    ::unlink(temporary.c_str());
    return Failure(storage_error(cause, "writing the commit mark " + temporary));
  }
  if (const auto flushed = flush_folder_of(path); !flushed) return pass_on(flushed);
  return CommitMark(std::move(file));
}

Result<CommitMark> CommitMark::open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return Failure(storage_error(errno, "opening the commit mark " + path));
  return CommitMark(std::move(file));
}

Result<void> CommitMark::write(const RecordState& state) {
  const auto at = static_cast<off_t>((state.revision % 2) * slot_bytes);
  if (!write_whole(file_.get(), slot_of(state), at) || ::fdatasync(file_.get()) != 0)
    return Failure(storage_error(errno, "writing the commit mark"));
  return {};
}

}  // namespace millrace::store
