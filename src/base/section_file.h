// A file of numbered sections that is either whole and ours, or refused: what we keep beside the record to be quick.
//
//   header (96 bytes)   magic, byte order, kind of file, version, file size, place of the table, checksums
//   section bytes ...   written one after the other, each with an XXH3-128 checksum of its own
//   table               number, place, length and checksum of every section, in the order they were written
//
// Invariants
//   * The file appears under its name only when every byte of it is on stable storage: written beside it, fsync,
//     rename, fsync of the folder. A writer that ends early leaves no trace.
//   * Nothing is believed unchecked: the header by its checksum, the table by the header's, a section by the table's.
//     Whoever decodes a section still checks every length in it: a checksum proves who wrote, not that he was right.
//   * Bytes are read, not mapped: a bad sector is an error, not a signal.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"

namespace millrace {

struct SectionEntry {
  std::uint32_t number = 0;  // what it holds; may repeat
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  ContentHash checksum;
};

class SectionWriter {
 public:
  // `kind` (up to 8 bytes) and `version` say what the sections mean.
  // Errors   unavailable  the file beside `path` cannot be made
  static Result<SectionWriter> create(const std::string& path, std::string_view kind, std::uint32_t version);
  SectionWriter(SectionWriter&&) noexcept = default;
  SectionWriter& operator=(SectionWriter&&) = delete;
  ~SectionWriter();

  // Writes one section. Nothing is said before `commit`: the first failure is remembered and the rest is skipped.
  void section(std::uint32_t number, std::string_view bytes);
  std::uint64_t bytes_written() const { return offset_; }
  // Errors   unavailable  disk full, read-only or input/output error; nothing is left behind
  Result<void> commit();

 private:
  SectionWriter(std::string path, UniqueFd file, std::string_view kind, std::uint32_t version);
  void write_all(std::string_view bytes, std::uint64_t offset);

  std::string path_, path_new_;
  UniqueFd file_;
  std::string kind_;
  std::uint32_t version_;
  std::uint64_t offset_;
  std::vector<SectionEntry> table_;
  int error_ = 0;  // errno of the first failure
};

class SectionFile {
 public:
  // Errors   not_found    there is no such file
  //          conflict     another version of the same kind, or another byte order
  //          corrupt      damaged, cut short or something else altogether
  //          unavailable  cannot be read
  static Result<SectionFile> open(const std::string& path, std::string_view kind, std::uint32_t version);

  const std::vector<SectionEntry>& table() const { return table_; }
  // Reads one section into `bytes` and proves it. Any thread may call.
  // Errors   corrupt, unavailable
  Result<void> read(const SectionEntry& entry, std::string& bytes) const;

 private:
  UniqueFd file_;
  std::vector<SectionEntry> table_;
};

}  // namespace millrace
