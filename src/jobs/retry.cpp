#include "jobs/retry.h"

#include <algorithm>

namespace millrace::jobs {

std::chrono::milliseconds retry_delay(TryEnd end, std::uint32_t tries, double chance) {
  const std::chrono::milliseconds first(end == TryEnd::died ? 250 : 1'000);
  const std::chrono::milliseconds most = end == TryEnd::died ? died_delay_max : failed_delay_max;
  const std::uint32_t doublings = std::min<std::uint32_t>(std::max<std::uint32_t>(tries, 1) - 1, 20);
  const auto whole = std::min<std::int64_t>(most.count(), first.count() << doublings);
  return std::chrono::milliseconds(whole / 2 + static_cast<std::int64_t>(static_cast<double>(whole - whole / 2) * chance));
}

}  // namespace millrace::jobs
