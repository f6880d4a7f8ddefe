#include "base/section_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/check.h"

namespace millrace {
namespace {

constexpr std::uint64_t magic = 0x0A1A0A0D4C4C494DULL;  // "MILL\r\n\x1a\n": text tools break it at once
constexpr std::uint32_t byte_order = 0x01020304;
constexpr std::size_t kind_size = 8;
constexpr std::uint64_t table_entries_max = 1u << 24;

struct Header {
  std::uint64_t magic_bytes = magic;
  std::uint32_t order = byte_order;
  std::uint32_t version = 0;
  std::array<char, kind_size> kind{};
  std::uint64_t file_size = 0;
  std::uint64_t table_offset = 0;
  std::uint64_t table_count = 0;
  std::array<std::uint8_t, 16> table_checksum{};
  std::array<std::uint8_t, 16> reserved{};
  std::array<std::uint8_t, 16> checksum{};  // of all before it
};
static_assert(sizeof(Header) == 96 && std::has_unique_object_representations_v<Header>);

struct TableRow {
  std::uint32_t number = 0;
  std::uint32_t reserved = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::array<std::uint8_t, 16> checksum{};
};
static_assert(sizeof(TableRow) == 40 && std::has_unique_object_representations_v<TableRow>);

std::string_view bytes_of(const Header& header) {
  return {reinterpret_cast<const char*>(&header), offsetof(Header, checksum)};
}

std::array<char, kind_size> padded(std::string_view kind) {
  check(kind.size() <= kind_size, "a kind of section file has at most eight bytes");
  std::array<char, kind_size> bytes{};
  std::copy(kind.begin(), kind.end(), bytes.begin());
  return bytes;
}

Failure not_ours(const std::string& path, std::string_view why) {
  return fail(ErrorCode::corrupt, path + " " + std::string(why));
}

// 0 when all of it was read, else an errno; EIO-like shortness is told as `short_read`.
constexpr int short_read = -1;
int read_all(int fd, char* to, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return short_read;
    to += got, offset += static_cast<std::uint64_t>(got), size -= static_cast<std::size_t>(got);
  }
  return 0;
}

Failure read_failure(const std::string& what, int error) {
  if (error == short_read) return fail(ErrorCode::corrupt, what + " ends too early");
  return fail(ErrorCode::unavailable, what + " cannot be read: " + std::strerror(error));
}

}  // namespace

// ---- writing

Result<SectionWriter> SectionWriter::create(const std::string& path, std::string_view kind, std::uint32_t version) {
  const std::string path_new = path + ".new";
  UniqueFd file(::open(path_new.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file) return fail(ErrorCode::unavailable, "cannot write " + path_new + ": " + std::strerror(errno));
  return SectionWriter(path, std::move(file), kind, version);
}

SectionWriter::SectionWriter(std::string path, UniqueFd file, std::string_view kind, std::uint32_t version)
    : path_(std::move(path)), path_new_(path_ + ".new"), file_(std::move(file)), kind_(kind), version_(version), offset_(sizeof(Header)) {}

SectionWriter::~SectionWriter() {
  if (file_) ::unlink(path_new_.c_str());
}

void SectionWriter::write_all(std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty() && error_ == 0) {
    const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      error_ = errno;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

void SectionWriter::section(std::uint32_t number, std::string_view bytes) {
  table_.push_back({number, offset_, bytes.size(), content_hash(bytes)});
  write_all(bytes, offset_);
  offset_ += bytes.size();
}

Result<void> SectionWriter::commit() {
  std::string table;
  for (const SectionEntry& entry : table_) {
    const TableRow row{entry.number, 0, entry.offset, entry.length, entry.checksum.bytes};
    table.append(reinterpret_cast<const char*>(&row), sizeof(row));
  }
  Header header;
  header.version = version_;
  header.kind = padded(kind_);
  header.table_offset = offset_;
  header.table_count = table_.size();
  header.file_size = offset_ + table.size();
  header.table_checksum = content_hash(table).bytes;
  header.checksum = content_hash(bytes_of(header)).bytes;
  write_all(table, offset_);
  write_all({reinterpret_cast<const char*>(&header), sizeof(header)}, 0);
  if (error_ == 0 && ::fsync(file_.get()) != 0) error_ = errno;
  if (error_ == 0 && ::rename(path_new_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) return fail(ErrorCode::unavailable, "writing " + path_new_ + ": " + std::strerror(error_));
  file_.reset();
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const UniqueFd parent(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fsync(parent.get()) != 0)
    return fail(ErrorCode::unavailable, "the folder of " + path_ + " cannot be synced: " + std::strerror(errno));
  return {};
}

// ---- reading

Result<SectionFile> SectionFile::open(const std::string& path, std::string_view kind, std::uint32_t version) {
  SectionFile opened;
  opened.file_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!opened.file_) {
    if (errno == ENOENT) return fail(ErrorCode::not_found, "there is no " + path);
    return fail(ErrorCode::unavailable, path + " cannot be opened: " + std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(opened.file_.get(), &status) != 0) return read_failure(path, errno);
  if (!S_ISREG(status.st_mode)) return not_ours(path, "is not a regular file");
  Header header;
  if (const int error = read_all(opened.file_.get(), reinterpret_cast<char*>(&header), sizeof(header), 0); error != 0) return read_failure(path, error);
  if (header.magic_bytes != magic) return not_ours(path, "is something else");
  if (header.checksum != content_hash(bytes_of(header)).bytes) return not_ours(path, "has a damaged header");
  if (header.order != byte_order) return fail(ErrorCode::conflict, path + " was written by a machine with another byte order");
  if (header.kind != padded(kind)) return not_ours(path, "is another kind of file");
  if (header.version != version)
    return fail(ErrorCode::conflict, path + " has version " + std::to_string(header.version) + ", this program writes " + std::to_string(version));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t table_bytes = header.table_count * sizeof(TableRow);
  if (header.file_size != size || header.table_count > table_entries_max || header.table_offset > size ||
      size - header.table_offset != table_bytes)
    return not_ours(path, "does not have the size its header says");
  std::vector<TableRow> rows(header.table_count);
  if (const int error = read_all(opened.file_.get(), reinterpret_cast<char*>(rows.data()), table_bytes, header.table_offset); error != 0)
    return read_failure(path, error);
  if (content_hash({reinterpret_cast<const char*>(rows.data()), table_bytes}).bytes != header.table_checksum)
    return not_ours(path, "has a damaged table");
  for (const TableRow& row : rows) {
    if (row.offset < sizeof(Header) || row.offset > header.table_offset || row.length > header.table_offset - row.offset)
      return not_ours(path, "names a section outside of itself");
    opened.table_.push_back({row.number, row.offset, row.length, ContentHash{row.checksum}});
  }
  return opened;
}

Result<void> SectionFile::read(const SectionEntry& entry, std::string& bytes) const {
  int error = 0;
  // Our own length, not the size handed in: libstdc++ 12 hands in what it allocated, which may be more.
  bytes.resize_and_overwrite(entry.length, [&](char* to, std::size_t) {
    error = read_all(file_.get(), to, entry.length, entry.offset);
    return error == 0 ? entry.length : 0;
  });
  const std::string what = "section " + std::to_string(entry.number) + " at byte " + std::to_string(entry.offset);
  if (error != 0) return read_failure(what, error);
  if (content_hash(bytes) != entry.checksum) return fail(ErrorCode::corrupt, what + " is damaged");
  return {};
}

}  // namespace millrace
