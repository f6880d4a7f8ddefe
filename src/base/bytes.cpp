#include "base/bytes.h"

namespace millrace {

std::uint8_t ByteReader::u8() {
  if (in_.empty()) {
    fail();
    return 0;
  }
  const auto value = static_cast<std::uint8_t>(in_.front());
  in_.remove_prefix(1);
  return value;
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return ok_ ? value : 0;
  }
  fail();
  return 0;
}

std::string_view ByteReader::text() {
  const std::uint64_t size = varint();
  if (size > in_.size()) {
    fail();
    return {};
  }
  const std::string_view value = in_.substr(0, size);
  in_.remove_prefix(size);
  return value;
}

std::size_t ByteReader::count(std::size_t bytes_each) {
  const std::uint64_t claimed = varint();
  if (claimed > in_.size() / bytes_each) {
    fail();
    return 0;
  }
  return claimed;
}

}  // namespace millrace
