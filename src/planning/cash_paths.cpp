#include "planning/cash_paths.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <thread>

#include "base/check.h"

namespace millrace::planning::paths {
namespace {

// The loops are plain; this file is built with -O3 so that they become SIMD, once for every machine and once for those with
// AVX2 and with AVX-512. What runs is decided by the machine the program starts on.
#define MILLRACE_INLINE [[gnu::always_inline]] inline

constexpr std::size_t own_size = 4096;
constexpr std::int32_t unit = 4096;      // of a normal number
constexpr std::size_t block_size = 64;
constexpr std::int32_t step_shift = 5;   // 8 * 4096 / 1024 steps
static_assert(8 * unit >> step_shift == normal_steps);

std::uint64_t mixed(std::uint64_t x) {  // the finaliser of SplitMix64
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

double normal_share(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Acklam's rational approximation, with one step of Newton's method.
double normal_quantile(double share) {
  constexpr double a[] = {-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716, 2.506628277459239};
  constexpr double b[] = {-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572};
  constexpr double c[] = {-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783};
  constexpr double d[] = {0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416};
  constexpr double edge = 0.02425;
  if (share > 0.5) return -normal_quantile(1 - share);
  double z = 0;
  if (share < edge) {
    const double q = std::sqrt(-2 * std::log(share));
    z = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  } else {
    const double q = share - 0.5, r = q * q;
    z = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }
  const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0));
  return z - (normal_share(z) - share) / density;
}

// The border between the normal numbers and whole ones.
std::int32_t normal_units(double z) { return static_cast<std::int32_t>(std::lround(z * unit)); }

const std::vector<double>& normal_numbers() {
  static const std::vector<double> numbers = [] {
    std::vector<double> made(own_size);
    for (std::size_t i = 0; i < own_size; ++i) made[i] = normal_quantile((static_cast<double>(i) + 0.5) / own_size);
    return made;
  }();
  return numbers;
}

struct DrawsOf {
  const std::int32_t* common;
  const std::int32_t* own;
  const std::int32_t* by_step;
  std::uint32_t first, start, salt;
};

MILLRACE_INLINE void offsets_body(const DrawsOf& draws, std::int32_t* __restrict out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t x = (draws.first + static_cast<std::uint32_t>(i)) * 0x9E3779B1U + draws.start;
    x = (x ^ (x >> 16)) * 0x85EBCA6BU;
    x ^= draws.salt;
    x = (x ^ (x >> 13)) * 0xC2B2AE35U;
    const std::int32_t z = draws.common[i] + draws.own[x >> 20];
    const std::int32_t step = (z + 4 * unit) >> step_shift;
    out[i] = draws.by_step[std::clamp<std::int32_t>(step, 0, normal_steps - 1)];
  }
}

// Eight numbers that the processor holds in one register, or two or four of them.
typedef std::int64_t Eight __attribute__((vector_size(64)));

struct Rows {
  std::int64_t* rows;
  std::size_t width;
  const std::int64_t* base;
  const std::int32_t* offsets;
  std::size_t parties, paths;
};

// `Count` eights of each row are kept in registers while all parties are added: neither read nor written in between.
template <std::size_t Count>
MILLRACE_INLINE void add_strip(const Rows& all, std::size_t at) {
  for (std::size_t path = 0; path < all.paths; ++path) {
    std::int64_t* row = all.rows + path * all.width + at;
    Eight sums[Count];
    std::memcpy(sums, row, sizeof sums);
    for (std::size_t party = 0; party < all.parties; ++party) {
      const std::int64_t* from = all.base + all.offsets[party * all.paths + path] + at;
#pragma GCC unroll 16
      for (std::size_t i = 0; i < Count; ++i) {
        Eight more;  // begins at any day: not aligned
        std::memcpy(&more, from + i * 8, sizeof more);
        sums[i] += more;
      }
    }
    std::memcpy(row, sums, sizeof sums);
  }
}

template <std::size_t Strip>
MILLRACE_INLINE void add_rows_body(const Rows& all) {
  std::size_t at = 0;
  for (; at + Strip * 8 <= all.width; at += Strip * 8) add_strip<Strip>(all, at);
  for (; at < all.width; at += 8) add_strip<1>(all, at);
}

MILLRACE_INLINE void add_looked_up_body(std::int64_t* __restrict values, const std::int64_t* __restrict base, const std::int32_t* __restrict offsets, std::size_t count) {
  for (std::size_t p = 0; p < count; ++p) values[p] += base[offsets[p]];
}

MILLRACE_INLINE std::size_t count_below_body(const std::int64_t* values, std::size_t count, std::int64_t limit) {
  std::size_t below = 0;
  for (std::size_t p = 0; p < count; ++p) below += values[p] < limit ? 1 : 0;
  return below;
}

// How many values lie below `low`, and a bit for each block of 64 in which some lie in low..high.
MILLRACE_INLINE std::size_t search_body(const std::int64_t* values, std::size_t blocks, std::int64_t low, std::int64_t high, std::uint8_t* found) {
  std::size_t below = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::int64_t less = 0, here = 0;
    for (std::size_t i = 0; i < block_size; ++i) {
      const std::int64_t value = values[block * block_size + i];
      less += value < low ? 1 : 0;
      here += value <= high ? 1 : 0;
    }
    below += static_cast<std::size_t>(less);
    found[block] = here != less ? 1 : 0;
  }
  return below;
}

struct Kernels {
  void (*offsets)(const DrawsOf&, std::int32_t*, std::size_t);
  void (*add_rows)(const Rows&);
  void (*add_looked_up)(std::int64_t*, const std::int64_t*, const std::int32_t*, std::size_t);
  std::size_t (*count_below)(const std::int64_t*, std::size_t, std::int64_t);
  std::size_t (*search)(const std::int64_t*, std::size_t, std::int64_t, std::int64_t, std::uint8_t*);
};

#define MILLRACE_KERNELS(name, strip, ...)                                                                                            \
  __VA_ARGS__ void offsets_##name(const DrawsOf& draws, std::int32_t* out, std::size_t count) { offsets_body(draws, out, count); } \
  __VA_ARGS__ void add_rows_##name(const Rows& all) { add_rows_body<strip>(all); }                                                \
  __VA_ARGS__ void add_looked_up_##name(std::int64_t* values, const std::int64_t* base, const std::int32_t* offsets,               \
                                        std::size_t count) {                                                                     \
    add_looked_up_body(values, base, offsets, count);                                                                            \
  }                                                                                                                              \
  __VA_ARGS__ std::size_t count_below_##name(const std::int64_t* values, std::size_t count, std::int64_t limit) {                  \
    return count_below_body(values, count, limit);                                                                               \
  }                                                                                                                              \
  __VA_ARGS__ std::size_t search_##name(const std::int64_t* values, std::size_t blocks, std::int64_t low, std::int64_t high,       \
                                        std::uint8_t* found) {                                                                   \
    return search_body(values, blocks, low, high, found);                                                                        \
  }                                                                                                                              \
  constexpr Kernels kernels_##name{offsets_##name, add_rows_##name, add_looked_up_##name, count_below_##name, search_##name};

MILLRACE_KERNELS(any, 3)
#if defined(__x86_64__)
MILLRACE_KERNELS(avx2, 6, [[gnu::target("avx2")]])
#if defined(__clang__)
MILLRACE_KERNELS(avx512, 12, [[gnu::target("avx512f,avx512dq,avx512bw,avx512vl")]])
#else
MILLRACE_KERNELS(avx512, 12, [[gnu::target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")]])
#endif

const Kernels& kernels() {
  static const Kernels& chosen = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                                         __builtin_cpu_supports("avx512vl")
                                     ? kernels_avx512
                                 : __builtin_cpu_supports("avx2") ? kernels_avx2
                                                                  : kernels_any;
  return chosen;
}
#else
const Kernels& kernels() { return kernels_any; }
#endif

}  // namespace

const std::array<std::uint8_t, normal_steps>& part_of_step() {
  static const std::array<std::uint8_t, normal_steps> parts = [] {
    std::array<std::uint8_t, normal_steps> made{};
    for (std::size_t step = 0; step < normal_steps; ++step) {
      const double z = (static_cast<double>(step) + 0.5) / (normal_steps / 8) - 4;
      made[step] = static_cast<std::uint8_t>(std::min(255.0, std::floor(normal_share(z) * 256)));
    }
    return made;
  }();
  return parts;
}

Draws::Draws(std::uint64_t seed, std::int32_t common_percent, std::size_t paths) : seed_(seed), common_(paths), own_(own_size) {
  const double common = std::sqrt(common_percent / 100.0), own = std::sqrt((100 - common_percent) / 100.0);
  const std::vector<double>& normal = normal_numbers();
  for (std::size_t path = 0; path < paths; ++path) common_[path] = normal_units(common * normal[mixed(mixed(seed) ^ path) >> 52]);
  for (std::size_t i = 0; i < own_size; ++i) own_[i] = normal_units(own * normal[i]);
}

void Draws::offsets(std::uint64_t key, const Offsets& by_step, std::size_t first, std::span<std::int32_t> out) const {
  const std::uint64_t start = mixed(mixed(seed_ + 1) ^ key);
  kernels().offsets({common_.data() + first, own_.data(), by_step.data(), static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(start),
                     static_cast<std::uint32_t>(start >> 32)},
                    out.data(), out.size());
}

void add_rows(std::int64_t* rows, std::size_t width, const std::int64_t* base, std::span<const std::int32_t> offsets, std::size_t paths) {
  check(width % 8 == 0 && offsets.size() % paths == 0, "rows are whole eights and every party has an offset for each path");
  kernels().add_rows({rows, width, base, offsets.data(), offsets.size() / paths, paths});
}

void add_looked_up(std::int64_t* values, const std::int64_t* base, std::span<const std::int32_t> offsets) {
  kernels().add_looked_up(values, base, offsets.data(), offsets.size());
}

std::size_t count_below(std::span<const std::int64_t> values, std::int64_t limit) { return kernels().count_below(values.data(), values.size(), limit); }

std::int64_t select(std::span<const std::int64_t> values, std::size_t rank, std::vector<std::int64_t>& scratch) {
  scratch.assign(values.begin(), values.end());
  std::ranges::nth_element(scratch, scratch.begin() + static_cast<std::ptrdiff_t>(rank));
  return scratch[rank];
}

std::int64_t select_between(std::span<const std::int64_t> values, std::size_t rank, std::int64_t low, std::int64_t high, std::vector<std::int64_t>& scratch) {
  // Of most blocks it is enough to know how many values lie below.
  const std::size_t blocks = values.size() / block_size;
  std::vector<std::uint8_t> found(blocks);
  std::size_t below = kernels().search(values.data(), blocks, low, high, found.data());
  scratch.clear();
  const auto keep = [&](std::span<const std::int64_t> some) {
    for (const std::int64_t value : some)
      if (value >= low && value <= high) scratch.push_back(value);
  };
  for (std::size_t block = 0; block < blocks; ++block)
    if (found[block] != 0) keep(values.subspan(block * block_size, block_size));
  for (const std::int64_t value : values.subspan(blocks * block_size)) below += value < low ? 1 : 0;
  keep(values.subspan(blocks * block_size));
  const std::size_t kept = scratch.size();
  check(rank >= below && rank - below < kept, "a quantile lies where it is looked for");
  std::ranges::nth_element(scratch, scratch.begin() + static_cast<std::ptrdiff_t>(rank - below));
  return scratch[rank - below];
}

void in_parallel(unsigned threads, std::size_t count, const std::function<void(std::size_t, std::size_t)>& work) {
  const std::size_t parts = std::max<std::size_t>(1, std::min<std::size_t>(threads, count));
  std::vector<std::exception_ptr> failures(parts);
  const auto part = [&](std::size_t n) {
    try {
      work(count * n / parts, count * (n + 1) / parts);
    } catch (...) {
      failures[n] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t n = 1; n < parts; ++n) others.emplace_back(part, n);
    part(0);
  }
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace millrace::planning::paths
