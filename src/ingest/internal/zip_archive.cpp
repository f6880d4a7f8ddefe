#include "ingest/internal/zip_archive.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t entries_max = 1000;
constexpr std::uint64_t inflated_max = 256ull << 20;
constexpr std::uint64_t ratio_free_bytes = 10ull << 20;
constexpr std::uint64_t ratio_max = 100;
constexpr std::uint64_t at_once_max = 1u << 20;
constexpr std::size_t local_header_bytes = 30;
constexpr std::size_t central_header_bytes = 46;
constexpr std::size_t end_record_bytes = 22;

using Entry = ZipArchive::Entry;

std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return value;
}

Failure damaged(std::string what) { return fail(ErrorCode::invalid_input, "damaged workbook: " + std::move(what)); }
Failure damaged(const Entry& entry, std::string_view what) {
  return damaged("entry '" + printable(entry.name) + "' " + std::string(what));
}
Failure bomb(const Entry& entry) {
  return fail(ErrorCode::limit_reached, "the workbook unpacks to far more than it is (entry '" + printable(entry.name) +
                                            "'): more than 100 times its size or 256 MB are refused");
}

bool is_safe_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos || name.find('\0') != std::string_view::npos) return false;
  if (name.size() >= 2 && name[1] == ':') return false;
  for (const std::string_view part : split(name, '/')) {
    if (part == "..") return false;
  }
  return true;
}

Result<std::vector<Entry>> central_directory(std::string_view zip) {
  if (zip.size() < end_record_bytes) return damaged("too short for a ZIP archive; the file is cut off");
  const std::size_t lowest = zip.size() > end_record_bytes + 0xFFFF ? zip.size() - end_record_bytes - 0xFFFF : 0;
  std::size_t end = zip.rfind(std::string_view("PK\x05\x06", 4));
  if (end == std::string_view::npos || end < lowest || end + end_record_bytes > zip.size()) {
    return damaged("the ZIP directory at the end is missing; the file is cut off");
  }
  const std::size_t count = little(zip, end + 10, 2);
  const std::uint64_t size = little(zip, end + 12, 4);
  const std::uint64_t start = little(zip, end + 16, 4);
  if (count > entries_max) return fail(ErrorCode::limit_reached, "the workbook has more than 1,000 entries");
  if (start > end || size > end - start) return damaged("the ZIP directory points outside the file");
  std::vector<Entry> entries;
  std::size_t at = start;
  for (std::size_t i = 0; i < count; ++i) {
    if (at + central_header_bytes > end || little(zip, at, 4) != 0x02014b50) return damaged("the ZIP directory is broken");
    Entry entry;
    entry.flags = static_cast<std::uint16_t>(little(zip, at + 8, 2));
    entry.method = static_cast<std::uint16_t>(little(zip, at + 10, 2));
    entry.checksum = static_cast<std::uint32_t>(little(zip, at + 16, 4));
    entry.packed = little(zip, at + 20, 4);
    entry.unpacked = little(zip, at + 24, 4);
    entry.offset = little(zip, at + 42, 4);
    const std::size_t name = little(zip, at + 28, 2);
    const std::size_t more = little(zip, at + 30, 2) + little(zip, at + 32, 2);
    if (at + central_header_bytes + name + more > end) return damaged("the ZIP directory is broken");
    entry.name = zip.substr(at + central_header_bytes, name);
    at += central_header_bytes + name + more;
    entries.push_back(entry);
  }
  return entries;
}

Result<void> check_entry(std::string_view zip, Entry& entry) {
  if (!is_safe_name(entry.name)) return damaged(entry, "has a name that leaves the archive");
  if (entry.packed == 0xFFFFFFFF || entry.unpacked == 0xFFFFFFFF || entry.offset == 0xFFFFFFFF) return bomb(entry);
  if ((entry.flags & 1) != 0) return damaged(entry, "is encrypted; save the workbook without a password");
  if (entry.method != 0 && entry.method != 8) return damaged(entry, "is packed in an unknown way");
  if (entry.offset + local_header_bytes > zip.size() || little(zip, entry.offset, 4) != 0x04034b50) return damaged(entry, "is not where the directory says");
  const std::size_t name_bytes = little(zip, entry.offset + 26, 2);
  const std::size_t data = entry.offset + local_header_bytes + name_bytes + little(zip, entry.offset + 28, 2);
  if (data > zip.size() || entry.packed > zip.size() - data) return damaged(entry, "reaches beyond the end of the file");
  if (zip.substr(entry.offset + local_header_bytes, name_bytes) != entry.name) return damaged(entry, "has two names");
  entry.data = zip.substr(data, entry.packed);
  if (entry.unpacked > ratio_free_bytes && entry.unpacked / ratio_max > entry.packed) return bomb(entry);
  return {};
}

Result<void> check_overlap(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i - 1].data.data() + entries[i - 1].data.size() > entries[i].data.data() - local_header_bytes) {
      return damaged(entries[i], "overlaps another one");
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].name == entries[i - 1].name) return damaged(entries[i], "is there twice");
  }
  return {};
}

// Watches a stream of XML pieces for a document type or entity, also across the seam of two pieces.
class DtdWatch {
 public:
  bool hear(std::string_view piece) {
    if (first_) {
      first_ = false;
      if (piece.starts_with("\xFF\xFE") || piece.starts_with("\xFE\xFF")) return false;  // UTF-16 would hide the words
    }
    tail_.append(piece.substr(0, 16));
    if (has_word(tail_) || has_word(piece)) return false;
    tail_ = piece.size() >= 8 ? std::string(piece.substr(piece.size() - 8)) : tail_.substr(tail_.size() - std::min<std::size_t>(8, tail_.size()));
    return true;
  }

 private:
  static bool has_word(std::string_view text) {
    // The exclamation mark is what sheets do not have; '<' they have everywhere.
    for (std::size_t at = text.find('!'); at != std::string_view::npos; at = text.find('!', at + 1)) {
      const std::string_view rest = text.substr(at + 1);
      if (at > 0 && text[at - 1] == '<' && (rest.starts_with("DOCTYPE") || rest.starts_with("ENTITY"))) return true;
    }
    return false;
  }
  bool first_ = true;
  std::string tail_;
};

class Inflater {
 public:
  Inflater() { good_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (good_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool good() const { return good_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool good_ = false;
};

Failure declares_dtd(const Entry& entry) { return damaged(entry, "declares a document type or entities, which is refused"); }

// One flipped bit may turn a 1 into a 3 and stay a sound workbook: the checksum is what tells.
Result<std::string> whole(const Entry& entry, std::string bytes) {
  const auto sum = libdeflate_crc32(0, bytes.data(), bytes.size());
  if (sum != entry.checksum) return damaged(entry, "does not match its checksum; copy the file again");
  return bytes;
}

// Small entries, which is nearly all: in one go into the memory they say they need, two to three times as fast.
Result<std::string> inflated_at_once(const Entry& entry) {
  struct Free {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
  };
  static thread_local const std::unique_ptr<libdeflate_decompressor, Free> decompressor(libdeflate_alloc_decompressor());
  if (decompressor == nullptr) throw std::bad_alloc();
  std::string out(entry.unpacked, '\0');
  std::size_t made = 0;
  const auto status = libdeflate_deflate_decompress(decompressor.get(), entry.data.data(), entry.data.size(), out.data(), out.size(), &made);
  if (status == LIBDEFLATE_BAD_DATA) return damaged(entry, "cannot be unpacked");
  if (status != LIBDEFLATE_SUCCESS || made != entry.unpacked) return damaged(entry, "lies about its size");
  DtdWatch watch;
  if (!watch.hear(out)) return declares_dtd(entry);
  return whole(entry, std::move(out));
}

Result<std::string> inflated(const Entry& entry) {
  if (entry.unpacked <= at_once_max) return inflated_at_once(entry);
  Inflater inflater;
  if (!inflater.good()) return fail(ErrorCode::internal, "zlib could not be started");
  DtdWatch watch;
  z_stream& stream = inflater.stream();
  // zlib's interface predates const
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(entry.data.data()));
  stream.avail_in = static_cast<uInt>(entry.data.size());
  std::array<char, 64 * 1024> window;
  std::string out;
  out.reserve(std::min<std::uint64_t>(entry.unpacked, ratio_free_bytes));
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    stream.next_out = reinterpret_cast<Bytef*>(window.data());
    stream.avail_out = window.size();
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) return damaged(entry, "cannot be unpacked");
    const std::string_view made(window.data(), window.size() - stream.avail_out);
    if (out.size() + made.size() > entry.unpacked) return damaged(entry, "lies about its size");
    if (!watch.hear(made)) return declares_dtd(entry);
    out.append(made);
  }
  if (out.size() != entry.unpacked) return damaged(entry, "lies about its size");
  return whole(entry, std::move(out));
}

}  // namespace

Result<ZipArchive> ZipArchive::open(std::string_view content) {
  auto entries = central_directory(content);
  if (!entries) return pass_on(entries);
  std::uint64_t total = 0;
  for (Entry& entry : *entries) {
    if (auto fine = check_entry(content, entry); !fine) return pass_on(fine);
    total += entry.unpacked;
    if (total > inflated_max) return bomb(entry);
  }
  if (auto fine = check_overlap(*entries); !fine) return pass_on(fine);
  return ZipArchive(std::move(*entries));
}

bool ZipArchive::has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
}

Result<std::string> ZipArchive::unpack(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name != name) continue;
    if (entry.method == 8) return inflated(entry);
    if (entry.packed != entry.unpacked) return damaged(entry, "lies about its size");
    DtdWatch watch;
    if (!watch.hear(entry.data)) return declares_dtd(entry);
    return whole(entry, std::string(entry.data));
  }
  return damaged("entry '" + printable(name) + "' is missing");
}

}  // namespace millrace::ingest
