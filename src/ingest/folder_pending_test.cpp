#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "ingest/internal/folder_pending.h"

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;
using TimePoint = Stopwatch::time_point;

TimePoint at(int second) { return TimePoint{std::chrono::seconds(second)}; }

TEST_CASE("of the files that wait, the one that is due first is taken first") {
  PendingFiles files;
  files.change("b", [](PendingFile& file) { file.due = at(5); });
  files.change("a", [](PendingFile& file) { file.due = at(9); });
  files.change("c", [](PendingFile& file) { file.due = at(7); });
  CHECK(files.next_due() == at(5));
  CHECK_FALSE(files.first_due(at(4)).has_value());
  CHECK(files.first_due(at(9)) == "b");
  files.change("b", [](PendingFile& file) { file.due = at(20); });
  CHECK(files.take(*files.first_due(at(9))).due == at(7));
  CHECK(files.size() == 2);
}

TEST_CASE("a file that waits for its writer holds up no removal") {
  PendingFiles files;
  files.change("old", [](PendingFile& file) {
    file.since = at(1);
    file.being_written = true;
  });
  files.change("new", [](PendingFile& file) { file.since = at(8); });
  CHECK(files.oldest() == at(8));
  files.change("old", [](PendingFile& file) { file.being_written = false; });
  CHECK(files.oldest() == at(1));
  CHECK(files.ready_count() == 2);
}

TEST_CASE("a removal keeps the moment it was first expected, and is found by its inode until it is cancelled") {
  ExpectedRemovals removals;
  removals.expect("a", at(3), 77);
  removals.expect("a", at(1), 78);
  removals.expect("b", at(2), 77);
  CHECK(removals.next_due() == at(2));
  CHECK(removals.with_inode(77).size() == 2);
  CHECK(removals.take_first() == "b");
  removals.cancel("a");
  CHECK(removals.empty());
  CHECK(removals.with_inode(77).empty());
  CHECK(removals.next_due() == TimePoint::max());
}

TEST_CASE("what was moved is due again at its new moment and knows where it lies, however often it moved on") {
  ExpectedRemovals removals;
  removals.expect("Open/7", at(1), 77);
  removals.moved("Open/7", "Production/7", at(5));
  removals.expect("Open/8", at(6), 78);
  CHECK(removals.first() == "Open/7");
  CHECK(removals.first_target() == "Production/7");
  removals.postpone("Production/7", at(9));  // it is leaving there, too
  CHECK(removals.first() == "Open/8");
  CHECK(removals.first_target() == "");
  removals.moved("Production/7", "Shipped/7", at(3));
  CHECK(removals.first_target() == "Shipped/7");
  removals.postpone("Open/7", at(2));  // never earlier
  CHECK(removals.next_due() == at(3));
  removals.moved("Shipped/7", "Open/7", at(4));
  CHECK(removals.first_target() == "");
  CHECK(removals.take_first() == "Open/7");
  removals.moved("Open/7", "Production/7", at(5));
  CHECK(removals.size() == 1);
}

TEST_CASE("the second half of a move finds the first, unless that is too long ago") {
  HalfMoves halves(2s);
  halves.left(1, "a", at(1));
  halves.left(2, "b", at(1));
  CHECK(halves.arrived(2) == "b");
  CHECK(halves.arrived(2) == std::nullopt);
  halves.left(3, "c", at(9));
  CHECK(halves.arrived(1) == std::nullopt);
  CHECK(halves.arrived(3) == "c");
}

// The same files in a plain map answer the same, whatever was changed, taken and erased before.
TEST_CASE("whatever happens to waiting files, the next one due is the one a look at all of them finds") {
  const bool holds = rc::check([](const std::vector<std::tuple<unsigned char, unsigned char, bool, unsigned char>>& steps) {
    PendingFiles files;
    std::map<std::string, PendingFile> plain;
    for (const auto& [name, due, written, kind] : steps) {
      const std::string path = "f" + std::to_string(name % 8);
      if (kind % 4 == 0) {
        files.erase(path);
        plain.erase(path);
      } else {
        const auto change = [&](PendingFile& file) {
          file.due = due % 5 == 0 ? TimePoint::max() : at(due);
          file.since = at(due / 2);
          file.being_written = written;
        };
        files.change(path, change);
        change(plain[path]);
      }
      TimePoint next = TimePoint::max(), oldest = TimePoint::max();
      for (const auto& [other, file] : plain) {
        next = std::min(next, file.due);
        if (!file.being_written) oldest = std::min(oldest, file.since);
      }
      RC_ASSERT(files.next_due() == next);
      RC_ASSERT(files.oldest() == oldest);
      RC_ASSERT(files.size() == plain.size());
      if (next != TimePoint::max()) RC_ASSERT(plain.at(*files.first_due(next)).due == next);
    }
  });
  CHECK(holds);
}

}  // namespace
}  // namespace millrace::ingest
