#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "base/check.h"
#include "base/fd.h"
#include "ingest/folder_test_tree.h"
#include "ingest/sandbox.h"

namespace millrace::ingest {
namespace {

// What `attempt` answers behind the walls of a directly started worker; -1 when the walls could not be put up.
int behind_the_walls(const std::function<int()>& attempt) {
  const pid_t child = ::fork();
  check(child >= 0, "a test can start a process");
  if (child == 0) {
    const auto walls = enter_sandbox(1ull << 32, 1 << 20, false);
    ::_exit(walls ? attempt() : 255);
  }
  int status = 0;
  check(::waitpid(child, &status, 0) == child, "it ends");
  return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

int opens(const std::string& path, int flags = O_RDONLY) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  return fd < 0 ? errno : 0;
}

TEST_CASE("behind its walls a parser that was started directly reads libraries, and no file of the company") {
  if (!landlock_works()) return;  // an older kernel: seccomp and rlimits only, and `doctor` says so
  const folder::TestTree tree;
  tree.file("SO7.json");
  CHECK(behind_the_walls([] { return opens("/usr/bin/env"); }) == 0);
  CHECK(behind_the_walls([&] { return opens(tree.at("SO7.json")); }) == EACCES);
  CHECK(behind_the_walls([] { return opens("/etc/passwd"); }) == EACCES);
  CHECK(behind_the_walls([] { return opens("/proc/self/environ"); }) == EACCES);
  CHECK(behind_the_walls([&] { return opens(tree.root(), O_RDONLY | O_DIRECTORY); }) == EACCES);
}

TEST_CASE("behind its walls a parser writes no file, removes none and reaches no network") {
  const folder::TestTree tree;
  tree.file("SO7.json");
  CHECK(behind_the_walls([&] { return opens(tree.at("new"), O_WRONLY | O_CREAT); }) == EPERM);
  CHECK(behind_the_walls([&] { return opens(tree.at("SO7.json"), O_RDWR); }) == EPERM);
  CHECK(behind_the_walls([&] { return ::unlink(tree.at("SO7.json").c_str()) == 0 ? 0 : errno; }) == EPERM);
  CHECK(behind_the_walls([] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno; }) == EPERM);
  CHECK(behind_the_walls([] { return ::kill(::getppid(), 0) == 0 ? 0 : errno; }) == EPERM);
}

TEST_CASE("a document that was opened before is read behind the walls") {
  const folder::TestTree tree;
  tree.file("SO7.json", "seven");
  const UniqueFd file(::open(tree.at("SO7.json").c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(behind_the_walls([&] {
          char bytes[8];
          return static_cast<int>(::pread(file.get(), bytes, sizeof bytes, 0));
        }) == 5);
}

}  // namespace
}  // namespace millrace::ingest
