#include "base/bounded_queue.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <vector>

using namespace millrace;
using namespace std::chrono_literals;

TEST_CASE("Things leave a queue in the order they came") {
  BoundedQueue<int> queue(3);
  CHECK(queue.try_push(1));
  CHECK(queue.try_push(2));
  CHECK(queue.size() == 2);
  CHECK(queue.try_pop() == 1);
  CHECK(queue.pop() == 2);
  CHECK_FALSE(queue.try_pop().has_value());
}

TEST_CASE("A full queue refuses instead of growing") {
  BoundedQueue<int> queue(2);
  CHECK(queue.bound() == 2);
  CHECK(queue.try_push(1));
  CHECK(queue.try_push(2));
  CHECK_FALSE(queue.try_push(3));
  CHECK(queue.size() == 2);
  CHECK(queue.try_pop() == 1);
  CHECK(queue.try_push(3));
}

TEST_CASE("After closing nothing enters, and what is inside can still be taken") {
  BoundedQueue<int> queue(2);
  CHECK(queue.push(1));
  CHECK_FALSE(queue.closed());
  queue.close();
  CHECK(queue.closed());
  CHECK_FALSE(queue.push(2));
  CHECK_FALSE(queue.try_push(2));
  CHECK(queue.pop() == 1);
  CHECK_FALSE(queue.pop().has_value());
  CHECK_FALSE(queue.pop_for(1h).has_value());
}

TEST_CASE("Waiting on an empty queue ends with the patience") {
  BoundedQueue<int> queue(1);
  CHECK_FALSE(queue.pop_for(0ms).has_value());
  CHECK_FALSE(queue.pop_for(1ms).has_value());
}

TEST_CASE("A queue carries things that cannot be copied") {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  CHECK(queue.push(std::make_unique<int>(7)));
  CHECK(**queue.pop() == 7);
}

TEST_CASE("A slow reader slows the writers and nothing is lost or doubled") {
  BoundedQueue<int> queue(4);
  constexpr int writers = 3, each = 2'000;
  std::vector<int> seen(writers * each, 0);
  {
    std::vector<std::jthread> threads;
    for (int w = 0; w < writers; ++w)
      threads.emplace_back([&queue, w] {
        for (int i = 0; i < each; ++i) queue.push(w * each + i);
      });
    for (int i = 0; i < writers * each; ++i) {
      CHECK(queue.size() <= queue.bound());
      ++seen[static_cast<std::size_t>(*queue.pop())];
    }
  }
  CHECK(seen == std::vector<int>(writers * each, 1));
}

TEST_CASE("Closing wakes whoever waits to put or to take") {
  BoundedQueue<int> full(1), empty(1);
  CHECK(full.push(1));
  bool entered = true;
  bool taken = true;
  {
    std::jthread writer([&] { entered = full.push(2); });
    std::jthread reader([&] { taken = empty.pop().has_value(); });
    full.close();
    empty.close();
  }
  CHECK_FALSE(entered);
  CHECK_FALSE(taken);
}
