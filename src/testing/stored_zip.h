// A zip archive whose entries are stored as they are, for workbooks made of the XML of their sheets.
#pragma once
#include <zlib.h>

#include <cstdint>
#include <string>

namespace millrace::testing {

class StoredZip {
 public:
  void add(const std::string& name, const std::string& body) {
    const std::size_t offset = out_.size();
    put(out_, 0x04034b50, 4);
    describe(out_, name, body);
    out_ += name + body;
    put(directory_, 0x02014b50, 4);
    put(directory_, 20, 2);
    describe(directory_, name, body);
    for (const int width : {2, 2, 2, 4}) put(directory_, 0, width);
    put(directory_, offset, 4);
    directory_ += name;
    ++count_;
  }
  std::string finish() {
    const std::size_t start = out_.size();
    out_ += directory_;
    put(out_, 0x06054b50, 4), put(out_, 0, 4), put(out_, count_, 2), put(out_, count_, 2), put(out_, directory_.size(), 4), put(out_, start, 4), put(out_, 0, 2);
    return out_;
  }

 private:
  static void put(std::string& out, std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
  }
  static void describe(std::string& to, const std::string& name, const std::string& body) {
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    put(to, 20, 2), put(to, 0, 2), put(to, 0, 2), put(to, 0, 4), put(to, sum, 4);
    put(to, body.size(), 4), put(to, body.size(), 4), put(to, name.size(), 2), put(to, 0, 2);
  }
  std::string out_, directory_;
  std::uint64_t count_ = 0;
};

}  // namespace millrace::testing
