#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "ingest/folder.h"
#include "ingest/folder_open.h"
#include "ingest/folder_test_tree.h"

namespace millrace::ingest {
namespace {

using folder::TestTree;

std::string content_of(const OpenedFile& file) {
  char bytes[64];
  const auto size = ::read(file.fd.get(), bytes, sizeof bytes);
  return std::string(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
}

std::string refusal(const TestTree& tree, std::string_view path) {
  const auto opened = open_below(tree.root(), path);
  const auto stamped = stamp_below(tree.root(), path);
  if (opened.has_value() != stamped.has_value()) return "opening and stamping disagree";
  if (opened) return "opened";
  if (opened.error().code() != stamped.error().code()) return "opening and stamping disagree";
  return std::string(traits(opened.error().code()).name);
}

}  // namespace

TEST_CASE("an order file is opened with the stamp that the listing shows") {
  TestTree tree;
  tree.file("Open/2026/SO1.json", "{\"a\":1}");
  const auto opened = open_below(tree.root(), "Open/2026/SO1.json");
  REQUIRE(opened.has_value());
  CHECK(content_of(*opened) == "{\"a\":1}");
  CHECK(opened->stamp.size == 7);
  std::atomic<bool> stop{false};
  const auto listing = list_folder(tree.root(), {}, stop, {});
  REQUIRE(listing.has_value());
  REQUIRE(listing->files.size() == 1);
  CHECK(listing->files[0].stamp == opened->stamp);
  CHECK(stamp_below(tree.root(), "Open/2026/SO1.json").value() == opened->stamp);
}

TEST_CASE("no path and no link leads outside the folder") {
  TestTree tree;
  TestTree::write(tree.outside() + "/secret.json", "secret");
  tree.file("Open/SO1.json");
  tree.link("to file", "Open/SO1.json");
  tree.link("up", "..");
  tree.link("system", "/etc");
  tree.link("passwd.json", "/etc/passwd");
  tree.link("self", "self");
  tree.link("Open/dangling.json", "gone");
  for (const std::string_view path : {"../secret.json", "Open/../../secret.json", "/etc/passwd", "", ".", "Open//SO1.json",
                                      "Open/./SO1.json", "Open/", "to file", "up/secret.json", "up/orders/Open/SO1.json",
                                      "system/passwd", "passwd.json", "self", "self/a", "Open/dangling.json"}) {
    CAPTURE(path);
    CHECK(refusal(tree, path) == "invalid_input");
  }
  CHECK(refusal(tree, std::string_view("Open/SO1.json\0x", 15)) == "invalid_input");
}

TEST_CASE("walking component by component refuses the same links as the kernel") {
  TestTree tree;
  tree.file("Open/SO1.json");
  tree.link("up", "..");
  tree.link("Open/link.json", "SO1.json");
  const auto base = folder::open_root(tree.root());
  REQUIRE(base.has_value());
  CHECK(folder::open_path(base->get(), "Open/SO1.json", O_RDONLY | O_CLOEXEC));
  CHECK_FALSE(folder::open_path(base->get(), "up/orders/Open/SO1.json", O_RDONLY | O_CLOEXEC));
  CHECK(errno == ELOOP);
  CHECK_FALSE(folder::open_by_components(base->get(), "up/orders/Open/SO1.json", O_RDONLY | O_CLOEXEC));
  CHECK(errno == ELOOP);
  CHECK_FALSE(folder::open_by_components(base->get(), "Open/link.json", O_RDONLY | O_CLOEXEC));
  CHECK(errno == ELOOP);
  CHECK_FALSE(folder::open_by_components(base->get(), "Open/SO1.json/x", O_RDONLY | O_CLOEXEC));
  CHECK(errno == ENOTDIR);
  CHECK(folder::open_by_components(base->get(), "Open/SO1.json", O_RDONLY | O_CLOEXEC));
}

TEST_CASE("a pipe, a socket, a device or a folder is refused at once, never waited for") {
  TestTree tree;
  tree.folder("Open/SO2.json");
  REQUIRE(::mkfifo(tree.at("SO900000.json").c_str(), 0644) == 0);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, tree.at("S.json").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(refusal(tree, "SO900000.json") == "invalid_input");
  CHECK(refusal(tree, "S.json") == "invalid_input");
  CHECK(refusal(tree, "Open/SO2.json") == "invalid_input");
  CHECK(open_below("/dev", "null").error().code() == ErrorCode::invalid_input);
}

TEST_CASE("what is not there is not found, what has an impossible name is refused") {
  TestTree tree;
  tree.file("SO1.json");
  CHECK(refusal(tree, "SO2.json") == "not_found");
  CHECK(refusal(tree, "Open/SO2.json") == "not_found");
  CHECK(refusal(tree, "SO1.json/SO2.json") == "not_found");
  CHECK(refusal(tree, std::string(300, 'a')) == "invalid_input");
  CHECK(refusal(tree, std::string(5000, 'a')) == "invalid_input");
}

TEST_CASE("a root that is gone says unavailable, not that its files are gone") {
  TestTree tree;
  tree.file("SO1.json");
  const std::string gone = tree.root() + "-unmounted";
  CHECK(open_below(gone, "SO1.json").error().code() == ErrorCode::unavailable);
  CHECK(stamp_below(gone, "SO1.json").error().code() == ErrorCode::unavailable);
  CHECK(open_below(tree.at("SO1.json"), "SO1.json").error().code() == ErrorCode::unavailable);
}

TEST_CASE("a file without the right to read is denied with a sentence that helps") {
  if (::geteuid() == 0) return;  // root reads everything
  TestTree tree;
  tree.file("SO1.json");
  REQUIRE(::chmod(tree.at("SO1.json").c_str(), 0) == 0);
  const auto opened = open_below(tree.root(), "SO1.json");
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code() == ErrorCode::denied);
  CHECK(opened.error().text().find("right to read") != std::string::npos);
}

TEST_CASE("a file 4,096 folders deep is opened, whatever length its path has") {
  TestTree tree;
  const auto path = tree.chain("archive", 4096, "SO1.json");
  CHECK(path.size() > 4096 * 7);
  const auto opened = open_below(tree.root(), path);
  REQUIRE_MESSAGE(opened.has_value(), opened.error().text());
  CHECK(content_of(*opened) == "{}");
  CHECK(stamp_below(tree.root(), path).value() == opened->stamp);
}

TEST_CASE("a time that no calendar holds is kept at the border") {
  struct statx status {};
  status.stx_mtime.tv_sec = std::numeric_limits<std::int64_t>::max();
  CHECK(folder::stamp_of(status).mtime_ns == std::numeric_limits<std::int64_t>::max());
  status.stx_mtime.tv_sec = std::numeric_limits<std::int64_t>::min();
  CHECK(folder::stamp_of(status).mtime_ns == std::numeric_limits<std::int64_t>::min());
  status.stx_mtime.tv_sec = -1;
  status.stx_mtime.tv_nsec = 5;
  CHECK(folder::stamp_of(status).mtime_ns == -999'999'995);
}

}  // namespace millrace::ingest
