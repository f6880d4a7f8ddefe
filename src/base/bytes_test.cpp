#include "base/bytes.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>
#include <vector>

using namespace millrace;

TEST_CASE("Numbers and texts read back as they were written") {
  CHECK(
      rc::check("round trip", [](std::uint64_t large, std::int64_t number, const std::string& text, std::uint8_t byte) {
        std::string bytes;
        ByteWriter out(bytes);
        out.varint(large);
        out.signed_varint(number);
        out.text(text);
        out.u8(byte);
        ByteReader in(bytes);
        RC_ASSERT(in.varint() == large);
        RC_ASSERT(in.signed_varint() == number);
        RC_ASSERT(in.text() == text);
        RC_ASSERT(in.u8() == byte);
        RC_ASSERT(in.ok());
        RC_ASSERT(in.at_end());
      }));
}

TEST_CASE("The ends of the number range survive and small numbers take one byte") {
  for (const std::int64_t number : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                                    std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{-64}}) {
    std::string bytes;
    ByteWriter(bytes).signed_varint(number);
    CHECK(ByteReader(bytes).signed_varint() == number);
    if (number >= -64 && number <= 63) CHECK(bytes.size() == 1);
  }
}

TEST_CASE("After the first failure every read is empty and the reader says so") {
  ByteReader in(
      std::string_view("\x05"
                       "ab",
                       3));  // claims five bytes, has two
  CHECK(in.text() == "");
  CHECK_FALSE(in.ok());
  CHECK(in.varint() == 0);
  CHECK(in.u8() == 0);
  CHECK(in.text() == "");
  CHECK(in.count() == 0);
}

TEST_CASE("A claimed count larger than the bytes can hold is a failure, not an allocation") {
  std::string bytes;
  ByteWriter(bytes).varint(std::numeric_limits<std::uint64_t>::max());
  ByteReader in(bytes);
  CHECK(in.count() == 0);
  CHECK_FALSE(in.ok());

  std::string three;
  ByteWriter(three).varint(3);
  three.append(5, 'x');
  CHECK(ByteReader(three).count(1) == 3);
  ByteReader pairs(three);
  CHECK(pairs.count(2) == 0);  // three pairs need six bytes
  CHECK_FALSE(pairs.ok());
}

TEST_CASE("A number without an end is a failure") {
  const std::string endless(20, '\xFF');
  ByteReader in(endless);
  CHECK(in.varint() == 0);
  CHECK_FALSE(in.ok());
}

TEST_CASE("Any bytes can be read in any order without leaving them") {
  CHECK(rc::check("hostile bytes", [](const std::string& bytes, const std::vector<std::uint8_t>& reads) {
    ByteReader in(bytes);
    for (const std::uint8_t read : reads) {
      switch (read % 5) {
        case 0:
          in.u8();
          break;
        case 1:
          in.varint();
          break;
        case 2:
          in.signed_varint();
          break;
        case 3:
          RC_ASSERT(in.text().size() <= bytes.size());
          break;
        default:
          RC_ASSERT(in.count(2) <= bytes.size() / 2);
          break;
      }
    }
    RC_ASSERT(in.ok() || in.at_end());
  }));
}
