#include "columns/packing.h"

#include <algorithm>
#include <cstring>

namespace millrace::columns {
namespace {

// The loops over lanes are plain; this file is built with -O3 so that they become SIMD, once for every machine and once
// for those with AVX2. What runs is decided by the machine the program starts on.
#define MILLRACE_INLINE [[gnu::always_inline]] inline

std::size_t rows_of(std::size_t count) { return (count + 127) / 128 * 4; }  // whole groups of four

MILLRACE_INLINE void row_of(const std::uint32_t* words, std::size_t row, unsigned width, std::uint32_t* out) {
  const std::size_t bit = row * width;
  const std::uint32_t* low = words + bit / 32 * lane_count;
  const unsigned shift = static_cast<unsigned>(bit % 32);
  const std::uint32_t mask = width == 32 ? ~0U : (1U << width) - 1;
  if (shift + width <= 32) {
    for (std::size_t lane = 0; lane < lane_count; ++lane) out[lane] = (low[lane] >> shift) & mask;
  } else {
    const std::uint32_t* high = low + lane_count;
    for (std::size_t lane = 0; lane < lane_count; ++lane)
      out[lane] = ((low[lane] >> shift) | (high[lane] << (32 - shift))) & mask;
  }
}

template <bool upper>
MILLRACE_INLINE void unpack_plane_body(const std::uint32_t* words, std::size_t count, unsigned width,
                                       std::uint64_t* out) {
  std::uint32_t row_values[lane_count];
  for (std::size_t first = 0; first < count; first += vector_size) {
    const std::size_t rows = rows_of(std::min(vector_size, count - first));
    for (std::size_t row = 0; row < rows; ++row) {
      row_of(words, row, width, row_values);
      std::uint64_t* to = out + first + row * lane_count;
      for (std::size_t lane = 0; lane < lane_count; ++lane) {
        if constexpr (upper)
          to[lane] |= std::uint64_t{row_values[lane]} << 32;
        else
          to[lane] = row_values[lane];
      }
    }
    words += lane_count * width;
  }
}

// Most rows of a selective question hold no wanted number: four rows are looked at together, and their bits are worked
// out only where one of them does.
MILLRACE_INLINE void select_equal_body(const std::uint32_t* words, std::size_t count, unsigned width,
                                       std::uint32_t wanted, std::uint32_t* selection) {
  std::uint32_t row_values[lane_count];
  for (std::size_t first = 0; first < count; first += vector_size) {
    const std::size_t rows = rows_of(std::min(vector_size, count - first));
    for (std::size_t row = 0; row < rows; row += 4) {
      std::uint32_t found[lane_count] = {};
      for (std::size_t next = row; next < row + 4; ++next) {
        row_of(words, next, width, row_values);
        for (std::size_t lane = 0; lane < lane_count; ++lane) found[lane] |= row_values[lane] == wanted ? ~0U : 0U;
      }
      std::uint32_t any = 0;
      for (std::size_t lane = 0; lane < lane_count; ++lane) any |= found[lane];
      for (std::size_t next = row; next < row + 4; ++next) {
        std::uint32_t bits = 0;
        if (any != 0) {
          row_of(words, next, width, row_values);
          for (std::size_t lane = 0; lane < lane_count; ++lane) bits |= (row_values[lane] == wanted ? 1U : 0U) << lane;
        }
        *selection++ = bits;
      }
    }
    words += lane_count * width;
  }
}

struct Kernels {
  void (*unpack_low)(const std::uint32_t*, std::size_t, unsigned, std::uint64_t*);
  void (*unpack_high)(const std::uint32_t*, std::size_t, unsigned, std::uint64_t*);
  void (*select_equal)(const std::uint32_t*, std::size_t, unsigned, std::uint32_t, std::uint32_t*);
};

void unpack_low_any(const std::uint32_t* words, std::size_t count, unsigned width, std::uint64_t* out) {
  unpack_plane_body<false>(words, count, width, out);
}
void unpack_high_any(const std::uint32_t* words, std::size_t count, unsigned width, std::uint64_t* out) {
  unpack_plane_body<true>(words, count, width, out);
}
void select_equal_any(const std::uint32_t* words, std::size_t count, unsigned width, std::uint32_t wanted,
                      std::uint32_t* selection) {
  select_equal_body(words, count, width, wanted, selection);
}
constexpr Kernels kernels_any{unpack_low_any, unpack_high_any, select_equal_any};

#if defined(__x86_64__)
[[gnu::target("avx2")]] void unpack_low_avx2(const std::uint32_t* words, std::size_t count, unsigned width,
                                             std::uint64_t* out) {
  unpack_plane_body<false>(words, count, width, out);
}
[[gnu::target("avx2")]] void unpack_high_avx2(const std::uint32_t* words, std::size_t count, unsigned width,
                                              std::uint64_t* out) {
  unpack_plane_body<true>(words, count, width, out);
}
[[gnu::target("avx2")]] void select_equal_avx2(const std::uint32_t* words, std::size_t count, unsigned width,
                                               std::uint32_t wanted, std::uint32_t* selection) {
  select_equal_body(words, count, width, wanted, selection);
}
constexpr Kernels kernels_avx2{unpack_low_avx2, unpack_high_avx2, select_equal_avx2};

const Kernels& kernels() {
  static const Kernels& chosen = __builtin_cpu_supports("avx2") ? kernels_avx2 : kernels_any;
  return chosen;
}
#else
const Kernels& kernels() { return kernels_any; }
#endif

void pack_plane(const std::uint64_t* values, std::size_t count, unsigned width, unsigned from_bit, std::uint32_t* out) {
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  for (std::size_t first = 0; first < count; first += vector_size) {
    const std::size_t here = std::min(vector_size, count - first);
    for (std::size_t index = 0; index < here; index += lane_count) {
      const std::size_t bit = index / lane_count * width;
      const unsigned shift = static_cast<unsigned>(bit % 32);
      std::uint32_t* low = out + bit / 32 * lane_count;
      const std::size_t lanes = std::min(lane_count, here - index);
      const std::uint64_t* from = values + first + index;
      for (std::size_t lane = 0; lane < lanes; ++lane)
        low[lane] |= static_cast<std::uint32_t>(((from[lane] >> from_bit) & mask) << shift);
      if (shift + width > 32)
        for (std::size_t lane = 0; lane < lanes; ++lane)
          low[lane_count + lane] |= static_cast<std::uint32_t>(((from[lane] >> from_bit) & mask) >> (32 - shift));
    }
    out += lane_count * width;
  }
}

}  // namespace

std::size_t plane_words(std::size_t count, unsigned width) {
  const std::size_t full = count / vector_size;
  const std::size_t rest = count % vector_size;
  return (full * width + (rows_of(rest) * width + 31) / 32) * lane_count;
}

std::size_t packed_words(std::size_t count, unsigned width) {
  if (width <= 32) return plane_words(count, width);
  return plane_words(count, 32) + plane_words(count, width - 32);
}

void pack(const std::uint64_t* values, std::size_t count, unsigned width, std::uint32_t* out) {
  if (width == 0) return;
  pack_plane(values, count, std::min(width, 32U), 0, out);
  if (width > 32) pack_plane(values, count, width - 32, 32, out + plane_words(count, 32));
}

void unpack(const std::uint32_t* words, std::size_t count, unsigned width, std::uint64_t* out) {
  if (width == 0) {
    std::memset(out, 0, padded_count(count) * sizeof(std::uint64_t));
    return;
  }
  kernels().unpack_low(words, count, std::min(width, 32U), out);
  if (width > 32) kernels().unpack_high(words + plane_words(count, 32), count, width - 32, out);
}

void select_equal(const std::uint32_t* words, std::size_t count, unsigned width, std::uint32_t wanted,
                  std::uint32_t* selection) {
  if (width == 0) {
    std::fill_n(selection, padded_count(count) / 32, wanted == 0 ? ~0U : 0U);
    return;
  }
  kernels().select_equal(words, count, width, wanted, selection);
}

}  // namespace millrace::columns
