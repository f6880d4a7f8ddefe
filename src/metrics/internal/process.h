// What the kernel says about this process, read at the moment of asking.
#pragma once
#include <cstdint>

namespace millrace::metrics {

struct ProcessFigures {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t descriptors_max = 0;
  std::uint64_t threads = 0;
  double cpu_seconds = 0;
  double start_seconds = 0;  // since the epoch
};

// A figure the kernel does not give (no /proc in a jail) stays 0.
ProcessFigures process_figures();

}  // namespace millrace::metrics
