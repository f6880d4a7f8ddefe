#include "ingest/folder_pace.h"

#include <doctest/doctest.h>

namespace millrace::ingest {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a folder in which things happen is listed at the shortest interval, a quiet one less and less") {
  PollPace pace({2s, 60s});
  CHECK(pace.interval() == 2s);
  for (int i = 0; i < 20; ++i) pace.listed(10ms, true);
  CHECK(pace.interval() == 2s);
  auto before = pace.interval();
  for (int i = 0; i < 3; ++i) {
    pace.listed(10ms, false);
    CHECK(pace.interval() > before);
    before = pace.interval();
  }
  for (int i = 0; i < 50; ++i) pace.listed(10ms, false);
  CHECK(pace.interval() > 9s);
  CHECK(pace.interval() <= 10s);
  pace.listed(10ms, true);
  CHECK(pace.interval() < 9s);
}

TEST_CASE("a listing that is expensive is made less often, at most a twentieth of the time") {
  PollPace pace({2s, 60s});
  for (int i = 0; i < 20; ++i) pace.listed(400ms, true);
  CHECK(pace.interval() >= 8s);
  CHECK(pace.interval() < 9s);
  for (int i = 0; i < 20; ++i) pace.listed(30s, true);
  CHECK(pace.interval() == 60s);
  CHECK(pace.cost() == 30s);
}

}  // namespace
}  // namespace millrace::ingest
