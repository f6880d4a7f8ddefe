// How long a job waits after a try that did not end well. Pure: the chance is given.
#pragma once
#include <chrono>
#include <cstdint>

namespace millrace::jobs {

enum class TryEnd : std::uint8_t {
  failed,  // the job said so: what it needs may be away for a while
  died,    // its worker or the server ended under it: soon again
};

inline constexpr std::chrono::milliseconds failed_delay_max{std::chrono::minutes(5)};
inline constexpr std::chrono::milliseconds died_delay_max{2'000};  // picked up within five seconds of the death

// Doubles from try to try up to its bound; `chance` in 0..1 spreads it over the upper half, so that jobs that failed
// together do not come back together.
std::chrono::milliseconds retry_delay(TryEnd end, std::uint32_t tries, double chance);

}  // namespace millrace::jobs
