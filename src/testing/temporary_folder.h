// A folder of its own for one test, removed at the end.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace millrace::testing {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path() const { return path_.string(); }
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  // Creates missing folders; the old content is replaced.
  void write(std::string_view name, std::string_view content) const;
  // Whole under a temporary name, then renamed, as careful programs write.
  void replace(std::string_view name, std::string_view content) const;
  void move(std::string_view from, std::string_view to) const;
  void remove(std::string_view name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace millrace::testing
