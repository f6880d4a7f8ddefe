// A ZIP archive in memory that nobody vouches for.
//
// Refused before anything is unpacked: overlapping or doubled entries, names that leave the archive, encrypted or
// ZIP64 entries, more than 1,000 entries, a ratio over 100 beyond 10 MB, more than 256 MB in all. Refused while
// unpacking: sizes that lie, a checksum that differs, XML with a document type or entities. Nothing is ever written to disk.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

class ZipArchive {
 public:
  struct Entry {
    std::string_view name;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint32_t checksum = 0;
    std::uint64_t packed = 0;
    std::uint64_t unpacked = 0;
    std::uint64_t offset = 0;
    std::string_view data;
  };

  // `content` outlives the archive.
  // Errors   invalid_input  damaged or dishonest; the text says what and names the entry
  //          limit_reached  a bomb
  static Result<ZipArchive> open(std::string_view content);

  bool has(std::string_view name) const;
  // The entries of a workbook that are read are XML; each is checked as such, whatever its name ends in.
  Result<std::string> unpack(std::string_view name) const;

 private:
  explicit ZipArchive(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  std::vector<Entry> entries_;
};

}  // namespace millrace::ingest
