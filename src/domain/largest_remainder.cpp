#include "domain/largest_remainder.h"

#include <algorithm>
#include <numeric>

#include "domain/decimal.h"

namespace millrace {

std::vector<std::int64_t> split_by_largest_remainder(std::int64_t amount, std::span<const std::int64_t> weights) {
  std::vector<std::int64_t> parts(weights.size(), 0);
  if (weights.empty()) return parts;
  Int128 sum = 0;
  for (const std::int64_t weight : weights) sum += weight;
  if (sum == 0) {
    parts[0] = amount;
    return parts;
  }
  std::vector<Int128> rest(weights.size());
  Int128 left = amount;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    // Rounded down also below zero, so that what is left is never negative and below the number of parts.
    const Int128 product = static_cast<Int128>(amount) * weights[i];
    Int128 part = product / sum;
    rest[i] = product % sum;
    if (rest[i] != 0 && (rest[i] < 0) != (sum < 0)) --part, rest[i] += sum;
    if (sum < 0) rest[i] = -rest[i];
    parts[i] = static_cast<std::int64_t>(part);
    left -= part;
  }
  if (left == 0) return parts;
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return rest[a] > rest[b]; });
  for (std::size_t i = 0; i < static_cast<std::size_t>(left); ++i) ++parts[order[i]];
  return parts;
}

}  // namespace millrace
