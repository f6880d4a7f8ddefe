// Numbers of equal width in few bits, laid out so that 32 of them are unpacked side by side.
//
//   A vector is 1,024 numbers: 32 rows of 32 lanes. Number i stands in lane i % 32, row i / 32. Each lane is a stream
//   of 32-bit words into which its rows are packed one after the other; word k of all lanes stands together:
//
//     word 0 of lanes 0..31 | word 1 of lanes 0..31 | ...        (a row crosses into the next word where it must)
//
//   Neighbours therefore share cache lines, one loop over lanes is one or a few SIMD instructions whatever the width,
//   and any number is found without reading those before it. The last vector is cut to whole groups of four rows.
//   Widths over 32 are two planes: the low 32 bits of all vectors, then the rest.
//
// Invariants
//   * Pure functions; any thread. `out` of unpack has room for padded_count(count) numbers, which may be overwritten.
//   * Bits above `width` of the numbers given to `pack` are zero.
#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace::columns {

inline constexpr std::size_t lane_count = 32;
inline constexpr std::size_t vector_size = 1024;

inline constexpr std::size_t padded_count(std::size_t count) { return (count + 127) / 128 * 128; }

// Ones of a word. The instruction is not on every x86-64, and its stand-in is a call: this is neither.
inline unsigned bit_count(std::uint64_t bits) {
  bits -= bits >> 1 & 0x5555'5555'5555'5555;
  bits = (bits & 0x3333'3333'3333'3333) + (bits >> 2 & 0x3333'3333'3333'3333);
  bits = (bits + (bits >> 4)) & 0x0F0F'0F0F'0F0F'0F0F;
  return static_cast<unsigned>(bits * 0x0101'0101'0101'0101 >> 56);
}

// 32-bit words for `count` numbers of `width` bits, 0 <= width <= 64.
std::size_t packed_words(std::size_t count, unsigned width);
// `out` holds packed_words(count, width) words, all zero.
void pack(const std::uint64_t* values, std::size_t count, unsigned width, std::uint32_t* out);
void unpack(const std::uint32_t* words, std::size_t count, unsigned width, std::uint64_t* out);

// Bit i of `selection` (padded_count(count) / 32 words) becomes 1 where number i equals `wanted`. Width up to 32.
void select_equal(const std::uint32_t* words, std::size_t count, unsigned width, std::uint32_t wanted,
                  std::uint32_t* selection);

// Words of the low plane alone.
std::size_t plane_words(std::size_t count, unsigned width);

inline std::uint32_t plane_value(const std::uint32_t* words, std::size_t index, unsigned width) {
  const std::uint32_t* vector = words + index / vector_size * lane_count * width;
  const std::size_t bit = index % vector_size / lane_count * width;
  const std::uint32_t* word = vector + bit / 32 * lane_count + index % lane_count;
  const unsigned shift = static_cast<unsigned>(bit % 32);
  std::uint64_t both = *word;
  if (shift + width > 32) both |= std::uint64_t{word[lane_count]} << 32;
  return static_cast<std::uint32_t>((both >> shift) & ((std::uint64_t{1} << width) - 1));
}

// `count` neighbouring numbers of one plane.
inline void plane_values(const std::uint32_t* words, std::size_t index, std::size_t count, unsigned width,
                         std::uint64_t* out) {
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  while (count > 0) {
    const std::size_t now = count < lane_count - index % lane_count ? count : lane_count - index % lane_count;
    const std::uint32_t* vector = words + index / vector_size * lane_count * width;
    const std::size_t bit = index % vector_size / lane_count * width;
    const std::uint32_t* word = vector + bit / 32 * lane_count + index % lane_count;
    const unsigned shift = static_cast<unsigned>(bit % 32);
    if (shift + width > 32)
      for (std::size_t lane = 0; lane < now; ++lane)
        out[lane] = ((std::uint64_t{word[lane + lane_count]} << 32 | word[lane]) >> shift) & mask;
    else
      for (std::size_t lane = 0; lane < now; ++lane) out[lane] = (word[lane] >> shift) & mask;
    index += now;
    count -= now;
    out += now;
  }
}

// Number `index` alone.
inline std::uint64_t packed_value(const std::uint32_t* words, std::size_t count, unsigned width, std::size_t index) {
  if (width == 0) return 0;
  if (width <= 32) return plane_value(words, index, width);
  return plane_value(words, index, 32) | std::uint64_t{plane_value(words + plane_words(count, 32), index, width - 32)}
                                             << 32;
}

}  // namespace millrace::columns
