#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "ingest/folder.h"
#include "ingest/folder_test_tree.h"

namespace millrace::ingest {
namespace {

using folder::TestTree;

Result<Listing> list(const TestTree& tree, const ListOptions& options = {}) {
  const std::atomic<bool> stop{false};
  return list_folder(tree.root(), options, stop, {});
}

std::vector<std::string> paths(const Listing& listing) {
  std::vector<std::string> out;
  for (const auto& file : listing.files) out.push_back(file.path);
  return out;
}

std::uint64_t skipped(const Listing& listing, SkipReason reason) {
  return listing.skipped[static_cast<std::size_t>(reason)];
}

}  // namespace

TEST_CASE("a listing holds every order file once, sorted by path, with its stamp") {
  TestTree tree;
  tree.file("Open/2026/ACME/SO1.json", "{\"n\":1}");
  tree.file("Open/2026/ACME/SO2.pdf");
  tree.file("Open/2026.json");
  tree.file("Open/2026 old/SO3.csv");
  tree.file("README.txt");
  tree.folder("Closed/empty");
  const auto listing = list(tree);
  REQUIRE(listing.has_value());
  CHECK(paths(*listing) == std::vector<std::string>{"Open/2026 old/SO3.csv", "Open/2026.json",
                                                    "Open/2026/ACME/SO1.json", "Open/2026/ACME/SO2.pdf", "README.txt"});
  CHECK(listing->faults.empty());
  CHECK(listing->directories == 7);
  struct stat root {};
  REQUIRE(::stat(tree.root().c_str(), &root) == 0);
  CHECK(listing->root_device == root.st_dev);
  CHECK(listing->root_inode == root.st_ino);
  struct stat file {};
  REQUIRE(::stat(tree.at("Open/2026/ACME/SO1.json").c_str(), &file) == 0);
  CHECK(listing->files[2].stamp.size == 7);
  CHECK(listing->files[2].stamp.inode == file.st_ino);
  CHECK(listing->files[2].stamp.mtime_ns == file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec);
}

TEST_CASE("one folder is listed with paths that start at the root") {
  TestTree tree;
  tree.file("Open/2026/ACME/SO1.json");
  tree.file("Open/2025/SO2.json");
  tree.file("Closed/SO3.json");
  const std::atomic<bool> stop{false};
  const auto below = list_subfolder(tree.root(), "Open/2026", {}, stop);
  REQUIRE(below.has_value());
  CHECK(paths(*below) == std::vector<std::string>{"Open/2026/ACME/SO1.json"});
  CHECK(list_subfolder(tree.root(), "", {}, stop)->files.size() == 3);
  CHECK(list_subfolder(tree.root(), "Open/2024", {}, stop).error().code() == ErrorCode::not_found);
  CHECK(list_subfolder(tree.root(), "../orders", {}, stop).error().code() == ErrorCode::invalid_input);
  tree.link("shortcut", "Open");
  CHECK(list_subfolder(tree.root(), "shortcut", {}, stop).error().code() == ErrorCode::invalid_input);
}

TEST_CASE("names are bytes: newlines, invalid UTF-8, 255 bytes and dashes are listed and opened as they are") {
  TestTree tree;
  const std::string longest = std::string(250, 'x') + ".json";
  std::vector<std::string> names{"new\nline.json", "SO1\xff\xfe.json", longest, "a..json", "-rf.json", "--help.csv",
                                 "\xe2\x80\xae" "nosj.json", " blank .json", "'; DROP TABLE orders.json", "\x01.json"};
  for (const auto& name : names) tree.file("Open/" + name);
  const auto listing = list(tree);
  REQUIRE(listing.has_value());
  std::sort(names.begin(), names.end());
  for (auto& name : names) name.insert(0, "Open/");
  CHECK(paths(*listing) == names);
  for (const auto& file : listing->files) {
    const auto opened = open_below(tree.root(), file.path);
    REQUIRE(opened.has_value());
    CHECK(opened->stamp == file.stamp);
  }
}

TEST_CASE("temporary files, hidden files, system files and drawings are skipped and counted") {
  TestTree tree;
  for (const std::string_view name : {"SO1.json", "~$SO1.xlsx", ".~lock.SO1.xlsx#", "SO2.json.tmp", "Thumbs.db",
                                      ".DS_Store", ".hidden.json", "frame.dwg", "frame.step"}) {
    tree.file(name);
  }
  tree.file(".snapshot/daily/SO1.json");
  tree.file("#recycle/SO1.json");
  const auto listing = list(tree);
  REQUIRE(listing.has_value());
  CHECK(paths(*listing) == std::vector<std::string>{"SO1.json"});
  CHECK(skipped(*listing, SkipReason::temporary_name) == 3);
  CHECK(skipped(*listing, SkipReason::system_file) == 3);
  CHECK(skipped(*listing, SkipReason::hidden) == 2);
  CHECK(skipped(*listing, SkipReason::not_a_document) == 2);
}

TEST_CASE("a path 4,096 folders deep is walked without loss and with few open descriptors") {
  TestTree tree;
  const auto path = tree.chain("archive", 4096, "SO1.json");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{std::min<rlim_t>(before.rlim_max, 400), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto listing = list(tree);
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(listing.has_value());
  CHECK(listing->faults.empty());
  CHECK(paths(*listing) == std::vector<std::string>{path});
  CHECK(listing->directories == 4097);
}

TEST_CASE("a tree with side branches at every depth needs no descriptor per level") {
  TestTree tree;
  tree.chain("d", 1000, "SO1.json", true);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{std::min<rlim_t>(before.rlim_max, 400), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto listing = list(tree);
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(listing.has_value());
  CHECK(listing->faults.empty());
  CHECK(listing->files.size() == 2001);
  CHECK(listing->directories == 1 + 1000 * 3);
}

TEST_CASE("a folder deeper than allowed is a fault and a skip, never a silent cut") {
  TestTree tree;
  tree.file("a/b/SO1.json");
  tree.file("a/b/c/SO2.json");
  ListOptions options;
  options.depth_max = 2;
  const auto listing = list(tree, options);
  REQUIRE(listing.has_value());
  CHECK(paths(*listing) == std::vector<std::string>{"a/b/SO1.json"});
  CHECK(skipped(*listing, SkipReason::too_deep) == 1);
  REQUIRE(listing->faults.size() == 1);
  CHECK(listing->faults[0].path == "a/b/c");
  CHECK(listing->faults[0].directory);
}

TEST_CASE("more files or folders than allowed end the listing with the limit's name") {
  TestTree tree;
  for (int i = 0; i < 30; ++i) tree.file("f" + std::to_string(i) + "/SO1.json");
  ListOptions options;
  options.files_max = 29;
  CHECK(list(tree, options).error().code() == ErrorCode::limit_reached);
  options.files_max = 30;
  CHECK(list(tree, options).has_value());
  options.directories_max = 30;
  const auto refused = list(tree, options);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == ErrorCode::limit_reached);
  CHECK(refused.error().text().find("30 folders") != std::string::npos);
}

TEST_CASE("links are counted, never followed: loops end, other folders stay unread") {
  TestTree tree;
  tree.file("Open/SO1.json");
  TestTree::write(tree.outside() + "/secret.json", "secret");
  tree.link("Open/loop to parent", "..");
  tree.link("self", "self");
  tree.link("system", "/etc");
  tree.link("secret.json", "../secret.json");
  tree.link("dangling.json", "gone");
  const auto listing = list(tree);
  REQUIRE(listing.has_value());
  CHECK(paths(*listing) == std::vector<std::string>{"Open/SO1.json"});
  CHECK(skipped(*listing, SkipReason::link) == 5);
}

TEST_CASE("a folder that turns into a link and back during the scan never lets the scan out") {
  TestTree tree;
  tree.file("Open/SO1.json");
  for (int i = 0; i < 20; ++i) tree.file("more" + std::to_string(i) + "/SO1.json");
  REQUIRE(::mkdir((tree.outside() + "/elsewhere").c_str(), 0755) == 0);
  TestTree::write(tree.outside() + "/elsewhere/SO666.json", "secret");
  REQUIRE(::symlink("../elsewhere", (tree.outside() + "/trap").c_str()) == 0);
  std::atomic<bool> done{false};
  std::jthread swapper([&] {
    while (!done.load()) {
      ::renameat2(AT_FDCWD, tree.at("Open").c_str(), AT_FDCWD, (tree.outside() + "/trap").c_str(), RENAME_EXCHANGE);
    }
  });
  std::size_t seen_folder = 0;
  bool escaped = false;
  for (int i = 0; i < 300; ++i) {
    const auto listing = list(tree);
    if (!listing) continue;
    for (const auto& file : listing->files) {
      if (file.path.ends_with("SO666.json")) escaped = true;
      if (file.path == "Open/SO1.json") ++seen_folder;
    }
    if (open_below(tree.root(), "Open/SO666.json")) escaped = true;
  }
  done.store(true);
  swapper.join();
  CHECK_FALSE(escaped);
  MESSAGE("the real folder was seen in ", seen_folder, " of 300 scans");
}

TEST_CASE("pipes and sockets are counted and never opened") {
  TestTree tree;
  tree.file("SO1.json");
  REQUIRE(::mkfifo(tree.at("SO900000.json").c_str(), 0644) == 0);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, tree.at("S.json").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const auto listing = list(tree);
  REQUIRE(listing.has_value());
  CHECK(paths(*listing) == std::vector<std::string>{"SO1.json"});
  CHECK(skipped(*listing, SkipReason::special_file) == 2);
}

TEST_CASE("a folder without the right to read is one fault, the rest is listed") {
  if (::geteuid() == 0) return;  // root reads everything
  TestTree tree;
  tree.file("locked/SO1.json");
  tree.file("names only/SO3.json");
  tree.file("Open/SO2.json");
  REQUIRE(::chmod(tree.at("locked").c_str(), 0) == 0);
  REQUIRE(::chmod(tree.at("names only").c_str(), 0444) == 0);
  const auto listing = list(tree);
  ::chmod(tree.at("locked").c_str(), 0755);
  ::chmod(tree.at("names only").c_str(), 0755);
  REQUIRE(listing.has_value());
  CHECK(paths(*listing) == std::vector<std::string>{"Open/SO2.json"});
  REQUIRE(listing->faults.size() == 2);
  CHECK(listing->faults[0].path == "locked");
  CHECK(listing->faults[1].path == "names only");
  CHECK(listing->faults[1].directory);
}

TEST_CASE("folders that vanish during the scan are faults, files that vanish are absent, nothing else is lost") {
  TestTree tree;
  for (int i = 0; i < 50; ++i) tree.file("stay" + std::to_string(i) + "/SO1.json");
  std::atomic<bool> done{false};
  std::jthread churn([&] {
    for (int i = 0; !done.load(); ++i) {
      const auto name = "go" + std::to_string(i % 7);
      tree.file(name + "/SO2.json");
      ::unlink(tree.at(name + "/SO2.json").c_str());
      ::rmdir(tree.at(name).c_str());
    }
  });
  for (int i = 0; i < 200; ++i) {
    const auto listing = list(tree);
    REQUIRE(listing.has_value());
    const auto stayed = std::count_if(listing->files.begin(), listing->files.end(),
                                      [](const ListedFile& file) { return file.path.starts_with("stay"); });
    CHECK(stayed == 50);
    for (const auto& fault : listing->faults) CHECK(fault.path.starts_with("go"));
  }
  done.store(true);
}

TEST_CASE("a root that is missing or is a file is unavailable, an empty one is an empty listing") {
  TestTree tree;
  const std::atomic<bool> stop{false};
  CHECK(list(tree)->files.empty());
  const auto missing = list_folder(tree.root() + "-away", {}, stop, {});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code() == ErrorCode::unavailable);
  CHECK(missing.error().text().find("mounted") != std::string::npos);
  tree.file("SO1.json");
  CHECK(list_folder(tree.at("SO1.json"), {}, stop, {}).error().code() == ErrorCode::unavailable);
}

TEST_CASE("20,000 files in one folder and 2,000 folders are listed with progress, and the same by any thread count") {
  TestTree tree;
  for (int i = 0; i < 20'000; ++i) tree.empty_file("SO" + std::to_string(i) + ".json");
  for (int i = 0; i < 2'000; ++i) tree.folder("year/" + std::to_string(i));
  const std::atomic<bool> stop{false};
  std::uint64_t heard = 0;
  const auto caller = std::this_thread::get_id();
  const auto listing = list_folder(tree.root(), {}, stop, [&](std::uint64_t files) {
    CHECK(std::this_thread::get_id() == caller);
    CHECK(files >= heard);
    heard = files;
  });
  REQUIRE(listing.has_value());
  CHECK(listing->files.size() == 20'000);
  CHECK(heard == 20'000);
  CHECK(listing->directories == 2'002);
  CHECK(std::is_sorted(listing->files.begin(), listing->files.end(),
                       [](const ListedFile& left, const ListedFile& right) { return left.path < right.path; }));
  ListOptions alone;
  alone.thread_count = 1;
  CHECK(paths(*list(tree, alone)) == paths(*listing));
}

TEST_CASE("a listing that is told to stop says cancelled") {
  TestTree tree;
  tree.file("SO1.json");
  const std::atomic<bool> stop{true};
  CHECK(list_folder(tree.root(), {}, stop, {}).error().code() == ErrorCode::cancelled);
}

}  // namespace millrace::ingest
