#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "ingest/folder.h"
#include "ingest/folder_open.h"
#include "ingest/folder_test_tree.h"

namespace millrace::ingest {
namespace {

using folder::TestTree;
using Kind = FolderEvent::Kind;
using namespace std::chrono_literals;

std::unique_ptr<FolderWatch> watch(const TestTree& tree) {
  auto started = FolderWatch::start(tree.root());
  REQUIRE_MESSAGE(started.has_value(), started.error().text());
  return std::move(*started);
}

// Events are in the queue before the call that caused them returns, so no patience is needed.
std::vector<FolderEvent> all(FolderWatch& watching) {
  std::vector<FolderEvent> events;
  for (;;) {
    auto more = watching.step(0ms);
    if (more.empty()) return events;
    std::move(more.begin(), more.end(), std::back_inserter(events));
  }
}

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::file_changed: return "changed";
    case Kind::file_touched: return "touched";
    case Kind::file_closed: return "closed";
    case Kind::file_gone: return "gone";
    case Kind::folder_appeared: return "folder appeared";
    case Kind::folder_gone: return "folder gone";
    case Kind::overflow: return "overflow";
    case Kind::root_gone: return "root gone";
  }
  return "";
}

std::string story(const std::vector<FolderEvent>& events) {
  std::string out;
  std::string before;
  for (const auto& event : events) {
    const std::string line = std::string(word_of(event.kind)) + " " + event.path + "\n";
    if (line != before) out += line;
    before = line;
  }
  return out;
}

// What a careful caller does with the events: the files it believes in.
class Believer {
 public:
  explicit Believer(const TestTree& tree) : tree_(tree), watch_(watch(tree)) { list_all(); }

  void step(std::chrono::milliseconds patience) {
    for (const auto& event : watch_->step(patience)) take(event);
  }
  void drain() {
    for (;;) {
      const auto events = watch_->step(0ms);
      if (events.empty()) return;
      for (const auto& event : events) take(event);
    }
  }
  const std::map<std::string, FileStamp>& files() const { return files_; }
  FolderWatch& watching() { return *watch_; }
  std::size_t overflows() const { return overflows_; }

 private:
  void take(const FolderEvent& event) {
    switch (event.kind) {
      case Kind::file_changed:
      case Kind::file_touched:
      case Kind::file_closed:
      case Kind::file_gone: {
        const auto stamp = stamp_below(tree_.root(), event.path);
        if (stamp) {
          files_[event.path] = *stamp;
        } else {
          files_.erase(event.path);
        }
        break;
      }
      case Kind::folder_appeared: {
        forget_below(event.path);
        const auto listing = list_subfolder(tree_.root(), event.path, one_thread_, stop_);
        if (listing) {
          for (const auto& file : listing->files) files_[file.path] = file.stamp;
        }
        break;
      }
      case Kind::folder_gone: forget_below(event.path); break;
      case Kind::overflow:
        ++overflows_;
        list_all();
        break;
      case Kind::root_gone: files_.clear(); break;
    }
  }
  void forget_below(const std::string& path) {
    auto at = files_.lower_bound(path + '/');
    while (at != files_.end() && at->first.starts_with(path + '/')) at = files_.erase(at);
  }
  void list_all() {
    files_.clear();
    const auto listing = list_folder(tree_.root(), one_thread_, stop_, {});
    REQUIRE(listing.has_value());
    for (const auto& file : listing->files) files_[file.path] = file.stamp;
  }

  const TestTree& tree_;
  std::unique_ptr<FolderWatch> watch_;
  std::map<std::string, FileStamp> files_;
  std::size_t overflows_ = 0;
  const std::atomic<bool> stop_{false};
  const ListOptions one_thread_{.thread_count = 1};
};

std::map<std::string, FileStamp> on_disk(const TestTree& tree, std::uint64_t* directories = nullptr) {
  const std::atomic<bool> stop{false};
  const auto listing = list_folder(tree.root(), {}, stop, {});
  REQUIRE(listing.has_value());
  if (directories) *directories = listing->directories;
  std::map<std::string, FileStamp> files;
  for (const auto& file : listing->files) files[file.path] = file.stamp;
  return files;
}

// One person who tidies a share at random: makes, writes, moves, exchanges and removes files and folders.
class Tidier {
 public:
  Tidier(const TestTree& tree, std::uint64_t seed) : tree_(tree), random_(seed) {}

  void act() {
    const auto from = folder();
    const auto to = folder();
    switch (random_() % 10) {
      case 0: ::mkdir(tree_.at(to).c_str(), 0755); break;
      case 1:  // mkdir -p with a file at once
        ::mkdir(tree_.at(to).c_str(), 0755);
        ::mkdir(tree_.at(to + "/n").c_str(), 0755);
        ::mkdir(tree_.at(to + "/n/m").c_str(), 0755);
        touch(to + "/n/m/SO1.json");
        break;
      case 2: touch(file()); break;
      case 3: {  // as a careful program saves
        const auto path = file();
        const auto temporary = path + ".tmp";
        touch(temporary);
        ::rename(tree_.at(temporary).c_str(), tree_.at(path).c_str());
        break;
      }
      case 4: ::unlink(tree_.at(file()).c_str()); break;
      case 5: ::rename(tree_.at(file()).c_str(), tree_.at(file()).c_str()); break;
      case 6:
      case 7: ::rename(tree_.at(from).c_str(), tree_.at(to).c_str()); break;
      case 8:
        ::renameat2(AT_FDCWD, tree_.at(from).c_str(), AT_FDCWD, tree_.at(to).c_str(), RENAME_EXCHANGE);
        break;
      case 9: {
        std::error_code ignored;
        std::filesystem::remove_all(tree_.at(from), ignored);
        break;
      }
    }
  }

 private:
  std::string folder() {
    static constexpr std::string_view names[] = {"a", "b", "c", "n"};
    std::string path(names[random_() % 4]);
    for (auto depth = random_() % 3; depth > 0; --depth) path.append("/").append(names[random_() % 4]);
    return path;
  }
  std::string file() {
    const auto name = "SO" + std::to_string(random_() % 3) + ".json";
    return random_() % 5 == 0 ? name : folder() + '/' + name;
  }
  void touch(const std::string& path) {
    std::ofstream out(tree_.at(path), std::ios::app);
    out << "x";
  }

  const TestTree& tree_;
  std::mt19937_64 random_;
};

// Everything agrees now, and every folder is still heard under its true path.
void check_agreement(const TestTree& tree, Believer& believer) {
  believer.drain();
  std::uint64_t directories = 0;
  REQUIRE(believer.files() == on_disk(tree, &directories));
  REQUIRE(believer.watching().watch_count() == directories);
  REQUIRE(believer.watching().unwatched_count() == 0);
  std::set<std::string> wanted{"probe.json"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree.root())) {
    if (entry.is_directory()) wanted.insert(std::filesystem::relative(entry.path(), tree.root()).string() + "/probe.json");
  }
  for (const auto& path : wanted) TestTree::write(tree.at(path), "x");
  std::set<std::string> heard;
  for (const auto& event : all(believer.watching())) heard.insert(event.path);
  REQUIRE(heard == wanted);
  for (const auto& path : wanted) ::unlink(tree.at(path).c_str());
  believer.drain();
}

}  // namespace

TEST_CASE("a saved file is heard when it is written and when it is complete") {
  TestTree tree;
  tree.folder("Open/2026");
  const auto watching = watch(tree);
  CHECK(watching->watch_count() == 3);
  tree.file("Open/2026/SO1.json", "{}");
  CHECK(story(all(*watching)) == "changed Open/2026/SO1.json\nclosed Open/2026/SO1.json\n");
  ::unlink(tree.at("Open/2026/SO1.json").c_str());
  CHECK(story(all(*watching)) == "gone Open/2026/SO1.json\n");
}

TEST_CASE("a file whose times or rights change is touched, not changed") {
  TestTree tree;
  tree.file("Open/SO1.json");
  const auto watching = watch(tree);
  REQUIRE(::chmod(tree.at("Open/SO1.json").c_str(), 0600) == 0);
  REQUIRE(::utimensat(AT_FDCWD, tree.at("Open/SO1.json").c_str(), nullptr, 0) == 0);
  CHECK(story(all(*watching)) == "touched Open/SO1.json\n");
}

TEST_CASE("a temporary name that is renamed into place is one complete file and no noise") {
  TestTree tree;
  tree.folder("Open");
  const auto watching = watch(tree);
  tree.file("Open/.~SO1.json.tmp", "{}");
  tree.move("Open/.~SO1.json.tmp", "Open/SO1.json");
  CHECK(story(all(*watching)) == "closed Open/SO1.json\n");
}

TEST_CASE("an order moved between status folders keeps one cookie for both halves") {
  TestTree tree;
  tree.file("Open/SO1.json");
  tree.folder("Shipped");
  const auto watching = watch(tree);
  tree.move("Open/SO1.json", "Shipped/SO1.json");
  const auto events = all(*watching);
  REQUIRE(events.size() == 2);
  CHECK(story(events) == "gone Open/SO1.json\nclosed Shipped/SO1.json\n");
  CHECK(events[0].cookie != 0);
  CHECK(events[0].cookie == events[1].cookie);
}

TEST_CASE("a folder made with everything in it at once is reported once and heard from then on") {
  TestTree tree;
  const auto watching = watch(tree);
  tree.file("Open/2026/ACME/SO1.json");
  CHECK(story(all(*watching)).find("folder appeared Open\n") == 0);
  CHECK(watching->watch_count() == 4);
  tree.file("Open/2026/ACME/SO2.json");
  CHECK(story(all(*watching)) == "changed Open/2026/ACME/SO2.json\nclosed Open/2026/ACME/SO2.json\n");
}

TEST_CASE("after a folder is renamed its files are heard under the new path, also deep below") {
  TestTree tree;
  tree.file("Open/2026/ACME/SO1.json");
  tree.folder("Archive");
  const auto watching = watch(tree);
  tree.move("Open/2026", "Archive/2026 old");
  CHECK(story(all(*watching)) == "folder gone Open/2026\nfolder appeared Archive/2026 old\n");
  TestTree::write(tree.at("Archive/2026 old/ACME/SO1.json"), "[]");
  CHECK(story(all(*watching)) ==
        "changed Archive/2026 old/ACME/SO1.json\nclosed Archive/2026 old/ACME/SO1.json\n");
  CHECK(watching->watch_count() == 5);
}

TEST_CASE("a folder moved out of the tree is no longer heard, moved back in it is listed again") {
  TestTree tree;
  tree.file("Open/2026/SO1.json");
  const auto watching = watch(tree);
  const std::string away = tree.outside() + "/away";
  REQUIRE(::rename(tree.at("Open").c_str(), away.c_str()) == 0);
  CHECK(story(all(*watching)) == "folder gone Open\n");
  CHECK(watching->watch_count() == 1);
  TestTree::write(away + "/2026/SO2.json", "{}");
  CHECK(all(*watching).empty());
  REQUIRE(::rename(away.c_str(), tree.at("Open").c_str()) == 0);
  CHECK(story(all(*watching)) == "folder appeared Open\n");
  CHECK(watching->watch_count() == 3);
}

TEST_CASE("two folders exchanged in one step are both listed again and heard") {
  TestTree tree;
  tree.file("a/SO1.json");
  tree.file("b/SO2.json");
  Believer believer(tree);
  REQUIRE(::renameat2(AT_FDCWD, tree.at("a").c_str(), AT_FDCWD, tree.at("b").c_str(), RENAME_EXCHANGE) == 0);
  check_agreement(tree, believer);
}

TEST_CASE("hidden folders and links to folders are not watched") {
  TestTree tree;
  tree.folder(".snapshot/daily");
  tree.link("system", "/etc");
  const auto watching = watch(tree);
  CHECK(watching->watch_count() == 1);
  tree.folder(".trash/today");
  tree.link("loop", ".");
  CHECK(story(all(*watching)) == "changed loop\n");
  CHECK(watching->watch_count() == 1);
}

TEST_CASE("a root that is moved or deleted is said once, and afterwards there is silence") {
  TestTree tree;
  tree.file("Open/SO1.json");
  const auto watching = watch(tree);
  SUBCASE("moved") { REQUIRE(::rename(tree.root().c_str(), (tree.outside() + "/away").c_str()) == 0); }
  SUBCASE("deleted") { std::filesystem::remove_all(tree.root()); }
  const auto told = story(all(*watching));
  CHECK(told.ends_with("root gone \n"));
  CHECK(watching->watch_count() == 0);
  CHECK(watching->step(0ms).empty());
}

TEST_CASE("a root that cannot be watched says unavailable") {
  TestTree tree;
  CHECK(FolderWatch::start(tree.root() + "-away").error().code() == ErrorCode::unavailable);
}

TEST_CASE("more events than the kernel keeps are said as overflow, and the watch covers what came meanwhile") {
  TestTree tree;
  Believer believer(tree);
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  std::size_t queue = 0;
  limit >> queue;
  REQUIRE(queue > 0);
  if (queue > 100'000) return;  // too many files for a test; the nightly run does it
  for (std::size_t i = 0; i <= queue; ++i) tree.empty_file("SO" + std::to_string(i) + ".json");
  tree.file("late/2026/SO1.json");
  tree.folder("also late");
  believer.drain();
  CHECK(believer.overflows() == 1);
  check_agreement(tree, believer);
}

TEST_CASE("a chain of folders longer than any path is watched to its end") {
  TestTree tree;
  const auto path = tree.chain("archive", 1500, "SO1.json");
  const auto watching = watch(tree);
  CHECK(watching->watch_count() == 1501);
  const auto root = folder::open_root(tree.root());
  REQUIRE(root.has_value());
  const UniqueFd file = folder::open_path(root->get(), path, O_WRONLY | O_CLOEXEC);
  REQUIRE(file);
  REQUIRE(::write(file.get(), "[]", 2) == 2);
  CHECK(story(all(*watching)) == "changed " + path + "\n");
  tree.move("archive", "moved");
  all(*watching);
  REQUIRE(::write(file.get(), "[]", 2) == 2);
  CHECK(story(all(*watching)) == "changed moved" + path.substr(7) + "\n");
}

TEST_CASE("a folder that gets its rights later is reported then") {
  if (::geteuid() == 0) return;  // root reads everything
  TestTree tree;
  tree.file("locked/SO1.json");
  REQUIRE(::chmod(tree.at("locked").c_str(), 0) == 0);
  const auto watching = watch(tree);
  CHECK(watching->watch_count() == 1);
  REQUIRE(::chmod(tree.at("locked").c_str(), 0755) == 0);
  CHECK(story(all(*watching)) == "folder appeared locked\n");
}

TEST_CASE("waking ends a waiting step at once, also when it comes first") {
  TestTree tree;
  const auto watching = watch(tree);
  watching->wake();
  CHECK(watching->step(1h).empty());
  std::jthread other([&] { watching->wake(); });
  CHECK(watching->step(1h).empty());
}

TEST_CASE("4,900 folders are watched in well under a second") {
  TestTree tree;
  for (int year = 0; year < 7; ++year) {
    for (int customer = 0; customer < 700; ++customer) {
      tree.folder(std::to_string(2020 + year) + "/C" + std::to_string(customer));
    }
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto watching = watch(tree);
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(watching->watch_count() == 4'908);
  MESSAGE("watching 4,908 folders took ", std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), " ms");
  CHECK(took < 1s);
}

TEST_CASE("after any tidying between steps events and listings together know every file") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    TestTree tree;
    Tidier tidier(tree, seed);
    for (int i = 0; i < 20; ++i) tidier.act();
    Believer believer(tree);
    std::mt19937_64 pauses(seed);
    for (int i = 0; i < 400; ++i) {
      tidier.act();
      if (pauses() % 8 == 0) believer.step(0ms);
      if (i % 100 == 99) check_agreement(tree, believer);
    }
    check_agreement(tree, believer);
  }
}

TEST_CASE("while somebody tidies at full speed nothing is lost in the end") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    TestTree tree;
    Believer believer(tree);
    std::atomic<bool> done{false};
    std::jthread person([&] {
      Tidier tidier(tree, seed);
      for (int i = 0; i < 3'000; ++i) tidier.act();
      done.store(true);
    });
    while (!done.load()) believer.step(1ms);
    person.join();
    check_agreement(tree, believer);
  }
}

}  // namespace millrace::ingest
