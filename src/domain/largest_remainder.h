// An amount split over parts so that the parts add up to it exactly.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace millrace {

// `amount` in proportion to `weights` by largest remainder: each part is rounded down, what is left goes by one unit to the
// parts that lost most, the first of equals. Parts add up to `amount`. When |amount| <= |sum of weights| and all weights are
// of the sum's sign, no part is larger than its weight. Weights that add up to 0: all goes to the first part.
// Empty only for no weights.
std::vector<std::int64_t> split_by_largest_remainder(std::int64_t amount, std::span<const std::int64_t> weights);

}  // namespace millrace
