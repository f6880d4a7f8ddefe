#include "base/section_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "testing/temporary_folder.h"

namespace millrace {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void put(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void write_three(const std::string& path) {
  auto writer = SectionWriter::create(path, "test", 3);
  REQUIRE(writer);
  writer->section(1, "one");
  writer->section(2, std::string(5000, 'x'));
  writer->section(1, "");
  REQUIRE(writer->commit());
}

// Everything a reader would use: nothing when any of it is refused.
std::optional<std::string> read_whole(const std::string& path) {
  const auto file = SectionFile::open(path, "test", 3);
  if (!file) return std::nullopt;
  std::string all, bytes;
  for (const SectionEntry& entry : file->table()) {
    if (!file->read(entry, bytes)) return std::nullopt;
    all += std::to_string(entry.number) + ":" + bytes + "\n";
  }
  return all;
}

TEST_CASE("what was written in sections is read in sections") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/kept";
  write_three(path);
  CHECK(read_whole(path) == "1:one\n2:" + std::string(5000, 'x') + "\n1:\n");
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("sections of every small length are read into one buffer") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/kept";
  auto writer = SectionWriter::create(path, "test", 3);
  REQUIRE(writer);
  std::string expected;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string bytes(i * 37 % 101, static_cast<char>('a' + i % 26));
    writer->section(static_cast<std::uint32_t>(i), bytes);
    expected += std::to_string(i) + ":" + bytes + "\n";
  }
  REQUIRE(writer->commit());
  CHECK(read_whole(path) == expected);
}

TEST_CASE("a writer that ends early leaves the old file and no trace") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/kept";
  write_three(path);
  const std::string before = slurp(path);
  {
    auto writer = SectionWriter::create(path, "test", 3);
    REQUIRE(writer);
    writer->section(9, "half");
  }
  CHECK(slurp(path) == before);
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_CASE("another version, another kind and a missing file are told apart") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/kept";
  CHECK(SectionFile::open(path, "test", 3).error().code() == ErrorCode::not_found);
  write_three(path);
  CHECK(SectionFile::open(path, "test", 4).error().code() == ErrorCode::conflict);
  CHECK(SectionFile::open(path, "other", 3).error().code() == ErrorCode::corrupt);
  put(path, "a letter to the editor");
  CHECK(SectionFile::open(path, "test", 3).error().code() == ErrorCode::corrupt);
  put(path, "");
  CHECK(SectionFile::open(path, "test", 3).error().code() == ErrorCode::corrupt);
}

TEST_CASE("a disk that is full is told, and the old file stays") {
  // /dev/full cannot be renamed over: a folder in the way of the new file stands for a place that cannot be written.
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/kept";
  write_three(path);
  std::filesystem::create_directory(path + ".new");
  CHECK(SectionWriter::create(path, "test", 3).error().code() == ErrorCode::unavailable);
  CHECK(read_whole(path).has_value());
}

TEST_CASE("any changed byte, any cut and any bytes behind the end are noticed") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/kept";
  write_three(path);
  const std::string whole = slurp(path);
  std::mt19937_64 random(17);
  for (int i = 0; i < 400; ++i) {
    std::string bytes = whole;
    switch (i % 4) {
      case 0: bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8); break;
      case 1: bytes.resize(random() % bytes.size()); break;
      case 2: bytes += std::string(1 + random() % 100, '\0'); break;
      case 3: {
        const std::size_t at = random() % bytes.size(), size = std::min<std::size_t>(1 + random() % 64, bytes.size() - at);
        bytes.replace(at, size, std::string(size, '\0'));
        break;
      }
    }
    if (bytes == whole) continue;
    put(path, bytes);
    CAPTURE(i);
    CHECK_FALSE(read_whole(path).has_value());
  }
}

}  // namespace
}  // namespace millrace
