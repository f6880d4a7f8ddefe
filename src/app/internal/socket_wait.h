// Waiting for a socket, for the two small clients and servers of this module that need no event loop.
#pragma once
#include <poll.h>

#include <cerrno>
#include <chrono>

#include "base/time.h"

namespace millrace::app {

// Waits until `fd` can be read or written (POLLIN, POLLOUT). False when the deadline is over first.
inline bool wait_for(int fd, short events, Stopwatch::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Stopwatch::now()).count();
    if (left <= 0) return false;
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace millrace::app
