// A column of whole numbers in as few bits as their range needs.
//
//   value = base + code * step          codes lie bit by bit behind each other, least significant first
//   code 0 = none                       in columns of days and instants, once one of them is absent
//
// Ten days of a month take four bits each, a column in which every row says the same takes none at all, and reading
// one value is a load, a shift, a mask and a multiplication: no branches on the width.
//
// Invariants
//   * Reads give back exactly what was written, also at the ends of the type's range (property test).
//   * A column starts open: every value in full width, cheap to write. `pack` fits it to what it holds. Writing a
//     value that a packed column cannot hold packs it again, with room to grow on that side.
//   * Not safe for a writer beside readers: chunks are copied before they change (`blocks.h`).
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>

namespace millrace::readmodel {

static_assert(std::endian::native == std::endian::little, "codes are read as little-endian words");

// The column without its type: values are taken modulo 2^64.
class PackedColumn {
 public:
  // Everything a column is, for files and reports. `bytes` is what the codes occupy, without padding.
  struct Form {
    std::uint64_t base = 0;
    std::uint64_t step = 1;
    std::uint32_t size = 0;
    std::uint8_t bits = 0;   // 0..57 or 64
    std::uint8_t nones = 0;  // 1: code 0 means none
    bool open = true;        // full width: base 0, step 1
    std::span<const std::byte> bytes;
  };

  PackedColumn() = default;
  PackedColumn(const PackedColumn& other);
  PackedColumn(PackedColumn&& other) noexcept;
  PackedColumn& operator=(PackedColumn other) noexcept;
  ~PackedColumn() = default;

  std::size_t size() const { return size_; }
  unsigned bits() const { return bits_; }
  bool has_none() const { return nones_ != 0; }
  // Bytes on the heap.
  std::size_t heap_bytes() const { return heap_bytes_; }

  Form form() const;
  // False when the form contradicts itself; the column is then unchanged. For bytes from outside.
  bool restore(const Form& form);

 protected:
  using Word = std::uint64_t;

  Word code(std::size_t i) const {
    const std::size_t bit = i * bits_;
    Word word;
    std::memcpy(&word, data_ + (bit >> 3), sizeof word);
    return (word >> (bit & 7)) & mask_;
  }
  Word value(std::size_t i) const { return base_ + code(i) * step_; }
  // `none` and signedness are the type's; packed values are compared as signed numbers.
  void set(std::size_t i, std::int64_t value, bool nullable, std::int64_t none, unsigned open_bits);
  void resize(std::size_t size, unsigned open_bits);
  void pack(bool nullable, std::int64_t none, int headroom, unsigned open_bits);
  void codes(std::size_t first, std::span<Word> out) const;

  const std::byte* data_ = no_bytes;
  std::uint64_t mask_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t step_ = 1;
  std::uint32_t size_ = 0;
  std::uint32_t heap_bytes_ = 0;
  std::uint8_t bits_ = 0;
  std::uint8_t nones_ = 0;
  bool open_ = true;

 private:
  void swap(PackedColumn& other) noexcept;
  void allocate(std::size_t values, unsigned bits);
  void write(std::size_t i, Word code);
  bool fits(std::int64_t value, bool nullable, std::int64_t none, Word& code) const;

  static constexpr std::byte no_bytes[8]{};
  std::unique_ptr<std::byte[]> bytes_;
};

// `none_is_lowest`: the lowest value of T stands for "absent" and costs nothing in the range of the others.
template <class T, bool none_is_lowest = false>
class NarrowColumn : public PackedColumn {
  static_assert(std::is_integral_v<T>);
  static constexpr std::int64_t none = static_cast<std::int64_t>(std::numeric_limits<T>::min());
  static constexpr unsigned open_bits = 8 * sizeof(T);

 public:
  using value_type = T;

  NarrowColumn() = default;
  explicit NarrowColumn(std::size_t size) { resize(size); }

  T operator[](std::size_t i) const {
    if constexpr (none_is_lowest) {
      const Word c = code(i);
      return c < nones_ ? std::numeric_limits<T>::min() : static_cast<T>(base_ + c * step_);
    } else {
      return static_cast<T>(value(i));
    }
  }
  void set(std::size_t i, T value) {
    PackedColumn::set(i, static_cast<std::int64_t>(value), none_is_lowest, none, open_bits);
  }
  // New values are whatever the column's code 0 means: they are to be set.
  void resize(std::size_t size) { PackedColumn::resize(size, open_bits); }
  // Fits the width to the values held now and gives memory back.
  void pack() { PackedColumn::pack(none_is_lowest, none, 0, open_bits); }

  // Values `first` .. `first + out.size()`.
  void decode(std::size_t first, std::span<T> out) const {
    Word words[64];
    for (std::size_t done = 0; done < out.size();) {
      const std::size_t count = std::min<std::size_t>(64, out.size() - done);
      codes(first + done, std::span(words, count));
      for (std::size_t i = 0; i < count; ++i) {
        const T value = static_cast<T>(base_ + words[i] * step_);
        out[done + i] = none_is_lowest && words[i] < nones_ ? std::numeric_limits<T>::min() : value;
      }
      done += count;
    }
  }
};

}  // namespace millrace::readmodel
