#include "testing/temporary_folder.h"

#include <stdlib.h>

#include <fstream>

#include "base/check.h"

namespace millrace::testing {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "millrace-test-XXXXXX").string();
  check(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // a test that took rights away leaves its folder to the system's own cleaning
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryFolder::write(std::string_view name, std::string_view content) const {
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  check(out.good(), "a test file can be written");
}

void TemporaryFolder::replace(std::string_view name, std::string_view content) const {
  const std::string temporary = std::string(name) + ".tmp";
  write(temporary, content);
  std::filesystem::rename(path_ / temporary, path_ / name);
}

void TemporaryFolder::move(std::string_view from, std::string_view to) const {
  const std::filesystem::path target = path_ / to;
  std::filesystem::create_directories(target.parent_path());
  std::filesystem::rename(path_ / from, target);
}

void TemporaryFolder::remove(std::string_view name) const { std::filesystem::remove_all(path_ / name); }

}  // namespace millrace::testing
