#include "store/internal/backup_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "store/internal/commit_mark.h"

namespace millrace::store {
namespace {

constexpr std::string_view magic = "MILLRACE-BACKUP-1\n";
constexpr std::size_t block_bytes = 1 << 20;
constexpr std::size_t manifest_bytes_max = 64 << 10;
constexpr int compression_level = 3;
constexpr std::uint8_t manifest_version = 1;

void put_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return number;
}

std::uint64_t checksum_of(std::uint64_t index, std::string_view bytes) {
  return static_cast<std::uint64_t>(RowChecksum(RowOf::mark).add(static_cast<std::int64_t>(index)).add(bytes).value());
}

std::string encode(const PackedManifest& manifest) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(manifest_version);
  out.signed_varint(manifest.made_at.time_since_epoch().count());
  for (const std::uint64_t number : {std::uint64_t{manifest.schema_version}, manifest.database_bytes, manifest.blocks, manifest.blocks_sum})
    out.varint(number);
  out.text(store::encode(manifest.state));
  return bytes;
}

std::optional<PackedManifest> decode_manifest(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.u8() != manifest_version) return std::nullopt;
  PackedManifest manifest;
  manifest.made_at = Instant{std::chrono::milliseconds{in.signed_varint()}};
  manifest.schema_version = static_cast<std::uint32_t>(in.varint());
  for (std::uint64_t* number : {&manifest.database_bytes, &manifest.blocks, &manifest.blocks_sum}) *number = in.varint();
  auto state = decode_state(in.text());
  if (!state || !in.ok() || !in.at_end()) return std::nullopt;
  manifest.state = *state;
  return manifest;
}

// Sequential bytes of a file, with the errors of this module.
class Output {
 public:
  static Result<Output> create(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (!file) return Failure(storage_error(errno, "creating " + path));
    return Output(std::move(file), path);
  }
  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(file_.get(), bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return Failure(storage_error(errno, "writing " + path_));
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
  }
  Result<void> flush() {
    if (::fsync(file_.get()) != 0) return Failure(storage_error(errno, "flushing " + path_));
    return {};
  }

 private:
  Output(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  UniqueFd file_;
  std::string path_;
};

class Input {
 public:
  static Result<Input> open(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && errno == ENOENT) return fail(ErrorCode::not_found, "there is no file " + path);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) return fail(ErrorCode::unavailable, path + " cannot be read: " + std::strerror(errno));
    return Input(std::move(file), static_cast<std::uint64_t>(status.st_size));
  }
  // Up to `count` bytes, fewer only at the end.
  Result<std::string> read(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t have = 0;
    while (have < count) {
      const ssize_t got = ::read(file_.get(), bytes.data() + have, count - have);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(ErrorCode::unavailable, std::string("reading failed: ") + std::strerror(errno));
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    done_ += have;
    return bytes;
  }
  std::uint64_t done() const { return done_; }
  std::uint64_t size() const { return size_; }

 private:
  Input(UniqueFd file, std::uint64_t size) : file_(std::move(file)), size_(size) {}
  UniqueFd file_;
  std::uint64_t size_ = 0, done_ = 0;
};

Failure not_whole(const std::string& file, const std::string& what) {
  return fail(ErrorCode::corrupt, "the backup " + file + " is not whole: " + what + "; take another one");
}

// One block behind its 'B' into `out`.
Result<void> unpack_block(Input& in, Output& out, PackedManifest& seen, const std::string& file) {
  const auto head = in.read(16);
  if (!head) return pass_on(head);
  if (head->size() != 16) return not_whole(file, "it ends in the middle");
  const std::uint64_t stored = number_of(std::string_view(*head).substr(0, 4)), plain = number_of(std::string_view(*head).substr(4, 4));
  if (plain == 0 || plain > block_bytes || stored > ZSTD_compressBound(block_bytes)) return not_whole(file, "a block has an impossible size");
  const auto packed = in.read(stored);
  if (!packed) return pass_on(packed);
  std::string bytes(plain, '\0');
  if (packed->size() != stored || ZSTD_decompress(bytes.data(), bytes.size(), packed->data(), packed->size()) != plain)
    return not_whole(file, "block " + std::to_string(seen.blocks + 1) + " cannot be unpacked");
  const std::uint64_t checksum = checksum_of(seen.blocks, bytes);
  if (checksum != number_of(std::string_view(*head).substr(8, 8)))
    return not_whole(file, "block " + std::to_string(seen.blocks + 1) + " is not what was written");
  ++seen.blocks, seen.blocks_sum += checksum, seen.database_bytes += plain;
  return out.write(bytes);
}

Result<PackedManifest> read_manifest(Input& in, const PackedManifest& seen, const std::string& file) {
  const auto length = in.read(4);
  if (!length) return pass_on(length);
  const std::uint64_t bytes = number_of(*length);
  if (length->size() != 4 || bytes > manifest_bytes_max) return not_whole(file, "its manifest has an impossible size");
  const auto text = in.read(bytes), checksum = in.read(8), rest = in.read(1);
  if (!text || !checksum || !rest) return pass_on(!text ? text : !checksum ? checksum : rest);
  const auto manifest = decode_manifest(*text);
  if (!manifest || checksum->size() != 8 || number_of(*checksum) != checksum_of(seen.blocks, *text)) return not_whole(file, "its manifest is damaged");
  if (!rest->empty()) return not_whole(file, "something was appended to it");
  if (manifest->blocks != seen.blocks || manifest->blocks_sum != seen.blocks_sum || manifest->database_bytes != seen.database_bytes)
    return not_whole(file, "blocks are missing or not its own");
  return *manifest;
}

}  // namespace

Result<void> pack_database(const std::string& database, const std::string& file, PackedManifest manifest, const BackupProgress& progress) {
  auto in = Input::open(database);
  if (!in) return pass_on(in);
  auto out = Output::create(file);
  if (!out) return pass_on(out);
  if (const auto begun = out->write(magic); !begun) return begun;
  std::string packed(ZSTD_compressBound(block_bytes), '\0');
  for (;;) {
    const auto plain = in->read(block_bytes);
    if (!plain) return pass_on(plain);
    if (plain->empty()) break;
    const std::size_t stored = ZSTD_compress(packed.data(), packed.size(), plain->data(), plain->size(), compression_level);
    if (ZSTD_isError(stored)) return fail(ErrorCode::internal, std::string("zstd: ") + ZSTD_getErrorName(stored));
    const std::uint64_t checksum = checksum_of(manifest.blocks, *plain);
    std::string head = "B";
    put_number(head, stored, 4), put_number(head, plain->size(), 4), put_number(head, checksum, 8);
    if (const auto wrote = out->write(head); !wrote) return wrote;
    if (const auto wrote = out->write(std::string_view(packed).substr(0, stored)); !wrote) return wrote;
    ++manifest.blocks, manifest.blocks_sum += checksum, manifest.database_bytes += plain->size();
    if (progress && !progress("packing", in->done(), in->size())) return fail(ErrorCode::cancelled, "the backup was stopped");
  }
  const std::string text = encode(manifest);
  std::string tail = "M";
  put_number(tail, text.size(), 4);
  tail += text;
  put_number(tail, checksum_of(manifest.blocks, text), 8);
  if (const auto wrote = out->write(tail); !wrote) return wrote;
  return out->flush();
}

Result<PackedManifest> unpack_database(const std::string& file, const std::string& database, const BackupProgress& progress) {
  auto in = Input::open(file);
  if (!in) return pass_on(in);
  const auto begin = in->read(magic.size());
  if (!begin) return pass_on(begin);
  if (*begin != magic) return fail(ErrorCode::corrupt, file + " is not a backup of Millrace");
  auto out = Output::create(database);
  if (!out) return pass_on(out);
  PackedManifest seen;
  for (;;) {
    const auto kind = in->read(1);
    if (!kind) return pass_on(kind);
    if (*kind == "M") break;
    if (*kind != "B") return not_whole(file, kind->empty() ? "it ends in the middle" : "a block begins with something else");
    if (const auto block = unpack_block(*in, *out, seen, file); !block) return pass_on(block);
    if (progress && !progress("unpacking", in->done(), in->size())) return fail(ErrorCode::cancelled, "unpacking the backup was stopped");
  }
  auto manifest = read_manifest(*in, seen, file);
  if (!manifest) return manifest;
  if (const auto flushed = out->flush(); !flushed) return pass_on(flushed);
  return manifest;
}

}  // namespace millrace::store
