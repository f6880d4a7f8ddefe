// The inner loops of the simulation: draws per party and path, adding up paths, quantiles. No rules of cash in here.
//
// Invariants
//   * Whole numbers only, except the tables of normal quantiles, which are made once from the settings.
//   * A draw depends on (seed, key, path) alone; a kernel gives the same sums on every kind of processor.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace millrace::planning::paths {

// A normal number in 1,024 steps from -4 to 4.
inline constexpr std::size_t normal_steps = 1024;
// To which of 256 equally likely parts of a distribution a step belongs.
const std::array<std::uint8_t, normal_steps>& part_of_step();

// What a path adds for a party: the row of numbers that begins at `base + offset[step]`.
using Offsets = std::array<std::int32_t, normal_steps>;

class Draws {
 public:
  Draws(std::uint64_t seed, std::int32_t common_percent, std::size_t paths);
  std::size_t paths() const { return common_.size(); }
  // Offsets of the paths first..first + out.size() for the party of that key.
  void offsets(std::uint64_t key, const Offsets& by_step, std::size_t first, std::span<std::int32_t> out) const;

 private:
  std::uint64_t seed_;
  std::vector<std::int32_t> common_;  // per path, in steps / 32
  std::vector<std::int32_t> own_;     // 4,096 equally likely ones
};

// rows[p * width + i] += sum over n of base[offsets[n * paths + p] + i], for p < paths, i < width (a multiple of 8), where
// offsets holds some parties' offsets of all paths one after the other.
void add_rows(std::int64_t* rows, std::size_t width, const std::int64_t* base, std::span<const std::int32_t> offsets, std::size_t paths);
// values[p] += base[offsets[p]].
void add_looked_up(std::int64_t* values, const std::int64_t* base, std::span<const std::int32_t> offsets);
std::size_t count_below(std::span<const std::int64_t> values, std::int64_t limit);

// The `rank`-th smallest (from 0). `scratch` is used as room.
std::int64_t select(std::span<const std::int64_t> values, std::size_t rank, std::vector<std::int64_t>& scratch);
// The same, knowing that it lies in low..high: reads all, sorts out few.
std::int64_t select_between(std::span<const std::int64_t> values, std::size_t rank, std::int64_t low, std::int64_t high,
                            std::vector<std::int64_t>& scratch);

// work(first, last) over parts of 0..count on up to `threads` threads, the caller's among them.
void in_parallel(unsigned threads, std::size_t count, const std::function<void(std::size_t, std::size_t)>& work);

}  // namespace millrace::planning::paths
