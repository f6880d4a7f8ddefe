#include <doctest/doctest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "ingest/folder_test_tree.h"
#include "ingest/internal/folder_reader.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;
using folder::TestTree;

// Waits for answers as the source does: woken, then takes what is there.
class Desk {
 public:
  explicit Desk(const std::string& root, FolderReaderOptions options = {})
      : reader(root, options, [this] {
          const std::lock_guard lock(mutex_);
          ++woken_;
          changed_.notify_all();
        }) {}

  std::map<std::uint64_t, FolderReader::Answer> take(std::size_t count, bool release = true) {
    std::map<std::uint64_t, FolderReader::Answer> answers;
    while (answers.size() < count) {
      {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, 20s, [&] { return woken_ > 0; }));
        --woken_;
      }
      while (auto answer = reader.try_take()) {
        if (release) reader.release(answer->bytes_held);
        const auto id = answer->id;
        answers.emplace(id, std::move(*answer));
      }
    }
    return answers;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int woken_ = 0;

 public:
  FolderReader reader;
};

std::string content_of(const FolderReader::Answer& answer) {
  std::string bytes(answer.file->stamp.size + 10, '\0');
  const auto got = ::pread(answer.file->fd.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

TEST_CASE("files are read into memory whole, and stay readable when the folder is gone") {
  const TestTree tree;
  std::string big(300'000, 'x');
  big.back() = 'y';
  tree.file("Open/a.json", "{\"DocNum\":1}");
  tree.file("Open/big.csv", big);
  tree.file("Open/empty.txt", "");
  Desk desk(tree.root());
  CHECK(desk.reader.submit({1, "Open/a.json", {}, {}}));
  CHECK(desk.reader.submit({2, "Open/big.csv", {}, {}}));
  CHECK(desk.reader.submit({3, "Open/empty.txt", {}, {}}));
  const auto answers = desk.take(3);
  for (const char* name : {"Open/a.json", "Open/big.csv", "Open/empty.txt"}) ::unlink(tree.at(name).c_str());
  CHECK(content_of(answers.at(1)) == "{\"DocNum\":1}");
  CHECK(content_of(answers.at(2)) == big);
  CHECK(content_of(answers.at(3)).empty());
  CHECK_FALSE(answers.at(2).moved_while_read);
  CHECK_FALSE(desk.reader.waiting_since().has_value());
}

TEST_CASE("a file whose stamp says that its content is not needed is not read") {
  const TestTree tree;
  tree.file("a.json");
  tree.file("b.json");
  const FileStamp stamp = stamp_below(tree.root(), "a.json").value();
  FileStamp other = stamp;
  ++other.size;
  Desk desk(tree.root());
  CHECK(desk.reader.submit({1, "a.json", stamp, {}}));   // known: unchanged
  CHECK(desk.reader.submit({2, "a.json", other, {}}));   // known: changed
  CHECK(desk.reader.submit({3, "b.json", {}, other}));   // it was seen otherwise: still moving
  const auto answers = desk.take(3, false);
  CHECK(answers.at(1).bytes_held == 0);
  CHECK(answers.at(1).file->stamp == stamp);
  CHECK(answers.at(2).bytes_held == 2);
  CHECK(answers.at(3).bytes_held == 0);
}

TEST_CASE("what cannot be opened is answered with its reason, and larger files are handed over unread") {
  const TestTree tree;
  tree.file("a.json");
  REQUIRE(::truncate(tree.at("a.json").c_str(), 1'000'000'000'000) == 0);
  Desk desk(tree.root());
  CHECK(desk.reader.submit({1, "gone.json", {}, {}}));
  CHECK(desk.reader.submit({2, "a.json", {}, {}}));
  CHECK(desk.reader.submit({3, "../a.json", {}, {}}));
  const auto answers = desk.take(3);
  CHECK(answers.at(1).file.error().code() == ErrorCode::not_found);
  CHECK(answers.at(2).bytes_held == 0);
  CHECK(answers.at(2).file->stamp.size == 1'000'000'000'000);
  CHECK(answers.at(3).file.error().code() == ErrorCode::invalid_input);
}

TEST_CASE("contents in memory stay below their bound: reading goes on when some are given back") {
  const TestTree tree;
  for (int i = 0; i < 10; ++i) tree.file("f" + std::to_string(i), std::string(1000, 'x'));
  Desk desk(tree.root(), {.bytes_max = 3500});
  for (std::uint64_t i = 0; i < 10; ++i) CHECK(desk.reader.submit({i, "f" + std::to_string(i), {}, {}}));
  const auto first = desk.take(3, false);
  CHECK(first.size() == 3);
  CHECK_FALSE(desk.reader.try_take().has_value());
  for (const auto& [id, answer] : first) desk.reader.release(answer.bytes_held);
  CHECK(desk.take(7).size() == 7);
}

}  // namespace
}  // namespace millrace::ingest
