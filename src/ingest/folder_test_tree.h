// A real folder for tests: made empty, removed with everything in it, however deep.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/fd.h"

namespace millrace::ingest::folder {

class TestTree {
 public:
  TestTree() {
    const char* place = std::getenv("TMPDIR");
    path_ = std::string(place && *place ? place : "/tmp") + "/millrace-folder-XXXXXX";
    check(::mkdtemp(path_.data()) != nullptr, "a temporary folder can be made");
    root_ = path_ + "/orders";
    folder("");
  }
  TestTree(const TestTree&) = delete;
  TestTree& operator=(const TestTree&) = delete;
  ~TestTree() {
    // rm follows no links and needs no descriptor per level.
    char* const command[] = {const_cast<char*>("rm"), const_cast<char*>("-rf"), const_cast<char*>("--"), path_.data(),
                             nullptr};
    pid_t child = 0;
    if (::posix_spawnp(&child, "rm", nullptr, nullptr, command, environ) == 0) ::waitpid(child, nullptr, 0);
  }

  const std::string& root() const { return root_; }
  const std::string& outside() const { return path_; }  // beside the root, for what must stay untouched
  std::string at(std::string_view relative) const { return root_ + '/' + std::string(relative); }

  // With all folders on the way.
  void folder(std::string_view relative) const {
    std::string path = root_;
    ::mkdir(path.c_str(), 0755);
    while (!relative.empty()) {
      const auto slash = relative.find('/');
      path.append("/").append(relative.substr(0, slash));
      ::mkdir(path.c_str(), 0755);
      relative = slash == std::string_view::npos ? std::string_view{} : relative.substr(slash + 1);
    }
  }
  void file(std::string_view relative, std::string_view content = "{}") const {
    const auto slash = relative.rfind('/');
    if (slash != std::string_view::npos) folder(relative.substr(0, slash));
    write(at(relative), content);
  }
  static void write(const std::string& path, std::string_view content) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    check(static_cast<bool>(fd), "a test file can be made");
    check(::write(fd.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()), "it is written");
  }
  // Empty, in one call: for tests with tens of thousands of files. The folder is there.
  void empty_file(const std::string& relative) const {
    check(::mknod(at(relative).c_str(), S_IFREG | 0644, 0) == 0, "an empty test file can be made");
  }
  void link(std::string_view relative, const std::string& target) const {
    check(::symlink(target.c_str(), at(relative).c_str()) == 0, "a link can be made");
  }
  void move(std::string_view from, std::string_view to) const {
    check(::rename(at(from).c_str(), at(to).c_str()) == 0, "it can be renamed");
  }

  // A chain of `depth` folders called `name`, deeper than any path may be long, with one file at its end. Answers
  // the relative path of the file. With `side` every folder of the chain also has two folders with a file each.
  std::string chain(const std::string& name, std::size_t depth, const std::string& file_name, bool side = false) const {
    UniqueFd at_folder(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::string relative;
    for (std::size_t i = 0; i < depth; ++i) {
      for (const std::string branch : {"a", "z"}) {
        if (!side) continue;
        check(::mkdirat(at_folder.get(), branch.c_str(), 0755) == 0, "a side folder can be made");
        file_in(at_folder.get(), branch + '/' + file_name);
      }
      check(::mkdirat(at_folder.get(), name.c_str(), 0755) == 0, "a folder of the chain can be made");
      at_folder = UniqueFd(::openat(at_folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      check(static_cast<bool>(at_folder), "and opened");
      relative += name + '/';
    }
    file_in(at_folder.get(), file_name);
    return relative + file_name;
  }

 private:
  static void file_in(int parent, const std::string& name) {
    UniqueFd fd(::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    check(::write(fd.get(), "{}", 2) == 2, "a file in the chain can be made");
  }

  std::string path_;
  std::string root_;
};

}  // namespace millrace::ingest::folder
