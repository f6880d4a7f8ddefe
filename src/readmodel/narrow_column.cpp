#include "readmodel/narrow_column.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.h"

namespace millrace::readmodel {
namespace {

constexpr unsigned packed_bits_max = 57;  // a code and its shift of up to 7 bits fit one 64-bit load
constexpr std::size_t padding = sizeof(std::uint64_t);

std::uint64_t mask_of(unsigned bits) { return bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - bits); }
std::size_t bytes_for(std::size_t values, unsigned bits) { return (values * bits + 7) / 8; }
bool product_overflows(std::uint64_t left, std::uint64_t right) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(left, right, &product);
}
unsigned usable(unsigned bits) { return bits > packed_bits_max ? 64 : bits; }

// Eight codes of a known width lie in exactly `bits` bytes, so that their places and shifts are constants.
template <unsigned bits>
void unpack_groups(const std::byte* data, std::size_t groups, std::uint64_t* out) {
  constexpr std::uint64_t mask = bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - (bits == 0 ? 64 : bits));
  const auto one = [&](unsigned i) {
    std::uint64_t word;
    std::memcpy(&word, data + (i * bits >> 3), sizeof word);
    return (word >> (i * bits & 7)) & mask;
  };
  for (; groups > 0; --groups, data += bits, out += 8) {
    out[0] = one(0), out[1] = one(1), out[2] = one(2), out[3] = one(3);
    out[4] = one(4), out[5] = one(5), out[6] = one(6), out[7] = one(7);
  }
}

using UnpackGroups = void (*)(const std::byte*, std::size_t, std::uint64_t*);
template <std::size_t... bits>
constexpr std::array<UnpackGroups, sizeof...(bits)> unpack_table(std::index_sequence<bits...>) {
  return {&unpack_groups<bits>...};
}
constexpr auto unpack_by_bits = unpack_table(std::make_index_sequence<65>());

}  // namespace

PackedColumn::PackedColumn(const PackedColumn& other)
    : mask_(other.mask_), base_(other.base_), step_(other.step_), size_(other.size_), bits_(other.bits_),
      nones_(other.nones_), open_(other.open_) {
  allocate(size_, bits_);
  if (bits_ != 0) std::memcpy(bytes_.get(), other.data_, bytes_for(size_, bits_));
}

PackedColumn::PackedColumn(PackedColumn&& other) noexcept { swap(other); }

PackedColumn& PackedColumn::operator=(PackedColumn other) noexcept {
  swap(other);
  return *this;
}

void PackedColumn::swap(PackedColumn& other) noexcept {
  std::swap(data_, other.data_), std::swap(mask_, other.mask_), std::swap(base_, other.base_);
  std::swap(step_, other.step_), std::swap(size_, other.size_), std::swap(heap_bytes_, other.heap_bytes_);
  std::swap(bits_, other.bits_), std::swap(nones_, other.nones_), std::swap(open_, other.open_);
  std::swap(bytes_, other.bytes_);
}

// Fresh bytes, all zero, for so many codes.
void PackedColumn::allocate(std::size_t values, unsigned bits) {
  heap_bytes_ = 0;
  data_ = no_bytes;
  bytes_.reset();
  if (bits == 0 || values == 0) return;
  const std::size_t bytes = bytes_for(values, bits) + padding;
  check(bytes < std::numeric_limits<std::uint32_t>::max(), "a column of one chunk stays below 4 GB");
  bytes_ = std::make_unique<std::byte[]>(bytes);
  data_ = bytes_.get();
  heap_bytes_ = static_cast<std::uint32_t>(bytes);
}

void PackedColumn::write(std::size_t i, Word code) {
  if (bits_ == 0) return;
  const std::size_t bit = i * bits_;
  std::byte* const at = bytes_.get() + (bit >> 3);
  const unsigned shift = bit & 7;
  Word word;
  std::memcpy(&word, at, sizeof word);
  word = (word & ~(mask_ << shift)) | code << shift;
  std::memcpy(at, &word, sizeof word);
}

bool PackedColumn::fits(std::int64_t value, bool nullable, std::int64_t none, Word& code) const {
  if (nullable && nones_ == 1 && value == none) {
    code = 0;
    return true;
  }
  const Word offset = static_cast<Word>(value) - base_;
  code = step_ == 1 ? offset : offset / step_;
  return code * step_ == offset && code <= mask_ && code >= nones_;
}

void PackedColumn::set(std::size_t i, std::int64_t value, bool nullable, std::int64_t none, unsigned open_bits) {
  check(i < size_, "a value is set inside its column");
  if (open_) return write(i, static_cast<Word>(value) & mask_);
  Word code = 0;
  if (fits(value, nullable, none, code)) return write(i, code);
  const bool below = value < static_cast<std::int64_t>(base_) && !(nullable && value == none);
  std::vector<Word> held(size_);
  codes(0, held);
  const Word base = base_, step = step_, nones = nones_;
  allocate(size_, open_bits);
  bits_ = static_cast<std::uint8_t>(open_bits), mask_ = mask_of(open_bits), base_ = 0, step_ = 1, nones_ = 0, open_ = true;
  for (std::size_t at = 0; at < size_; ++at) {
    const Word kept = held[at] < nones ? static_cast<Word>(none) : base + held[at] * step;
    write(at, (at == i ? static_cast<Word>(value) : kept) & mask_);
  }
  pack(nullable, none, below ? -1 : 1, open_bits);
}

void PackedColumn::resize(std::size_t size, unsigned open_bits) {
  check(size <= std::numeric_limits<std::uint32_t>::max() / 8, "a column of one chunk stays below 4 GB");
  if (open_) bits_ = static_cast<std::uint8_t>(open_bits), mask_ = mask_of(open_bits);
  if (bits_ != 0 && bytes_for(size, bits_) + padding > heap_bytes_) {
    const std::unique_ptr<std::byte[]> old = std::move(bytes_);
    allocate(size_ == 0 ? size : std::max<std::size_t>(size, size_ + size_ / (open_ ? 2 : 8) + 8), bits_);
    if (old) std::memcpy(bytes_.get(), old.get(), bytes_for(size_, bits_));
  }
  for (std::size_t i = size_; i < size; ++i) write(i, 0);
  size_ = static_cast<std::uint32_t>(size);
}

// Values of the column's type as signed 64-bit numbers: what `set` was given, since narrowing kept its low bits.
void PackedColumn::pack(bool nullable, std::int64_t none, int headroom, unsigned open_bits) {
  const bool is_signed = none < 0;
  std::vector<Word> values(size_);
  codes(0, values);
  const unsigned unused = 64 - open_bits;
  bool any_none = false, any = false;
  std::int64_t low = 0, high = 0;
  for (Word& word : values) {
    if (!(nullable && nones_ == 1 && word == 0)) word = base_ + word * step_;
    else word = static_cast<Word>(none);
    if (is_signed) word = static_cast<Word>(static_cast<std::int64_t>(word << unused) >> unused);
    const auto value = static_cast<std::int64_t>(word);
    if (nullable && value == none) {
      any_none = true;
      continue;
    }
    low = any ? std::min(low, value) : value;
    high = any ? std::max(high, value) : value;
    any = true;
  }
  Word step = 0;
  for (const Word word : values) {
    if (nullable && static_cast<std::int64_t>(word) == none) continue;
    const Word offset = word - static_cast<Word>(low);
    if (step != 0 && offset % step == 0) continue;
    step = std::gcd(step, offset);
    if (step == 1) break;
  }
  if (step == 0) step = 1;
  if (!any) low = high = none;  // all absent: a constant like any other
  const Word nones = any && any_none ? 1 : 0;
  const Word span = (static_cast<Word>(high) - static_cast<Word>(low)) / step;
  unsigned bits = span == ~Word{0} ? 64 : static_cast<unsigned>(std::bit_width(span + nones));
  if (any && headroom != 0) bits += 1;
  // A code times the step must stay within 64 bits, or dividing an offset by the step would not give the code back.
  if (product_overflows(span + nones, step)) bits = 64;
  bits = usable(bits);
  Word base = static_cast<Word>(low);
  if (bits == 64) base = 0, step = 1;  // codes are the values themselves: nothing can fail to fit
  else base -= nones * step;
  const bool room_below = bits < 64 && headroom < 0 && !product_overflows(mask_of(bits), step);
  if (room_below) base -= (mask_of(bits) - nones - span) * step;  // the free codes lie below

  nones_ = bits == 64 ? 0 : static_cast<std::uint8_t>(nones);
  base_ = base, step_ = step, bits_ = static_cast<std::uint8_t>(bits), mask_ = mask_of(bits), open_ = bits == 64;
  allocate(size_, bits_);
  for (std::size_t i = 0; i < size_; ++i) {
    const bool is_none = nones_ == 1 && static_cast<std::int64_t>(values[i]) == none;
    write(i, is_none ? 0 : (values[i] - base_) / step_);
  }
}

void PackedColumn::codes(std::size_t first, std::span<Word> out) const {
  if (bits_ == 0) return std::fill(out.begin(), out.end(), Word{0});
  std::size_t done = 0;
  for (; done < out.size() && (first + done) % 8 != 0; ++done) out[done] = code(first + done);
  const std::size_t groups = (out.size() - done) / 8;
  unpack_by_bits[bits_](data_ + (first + done) / 8 * bits_, groups, out.data() + done);
  for (done += groups * 8; done < out.size(); ++done) out[done] = code(first + done);
}

PackedColumn::Form PackedColumn::form() const {
  return {.base = base_, .step = step_, .size = size_, .bits = bits_, .nones = nones_,
          .open = open_, .bytes = std::span(data_, bytes_for(size_, bits_))};
}

bool PackedColumn::restore(const Form& form) {
  const bool plain = form.base == 0 && form.step == 1 && form.nones == 0;
  if (form.bits > packed_bits_max && form.bits != 64) return false;
  if ((form.bits == 64 || form.open) && !plain) return false;
  if (form.nones > 1 || form.step == 0) return false;
  if (form.size > std::numeric_limits<std::uint32_t>::max() / 8 || form.bytes.size() != bytes_for(form.size, form.bits)) {
    return false;
  }
  PackedColumn made;
  made.allocate(form.size, form.bits);
  made.base_ = form.base, made.step_ = form.step, made.size_ = form.size, made.bits_ = form.bits;
  made.mask_ = mask_of(form.bits), made.nones_ = form.nones, made.open_ = form.open;
  if (!form.bytes.empty() && form.bits != 0) std::memcpy(made.bytes_.get(), form.bytes.data(), form.bytes.size());
  *this = std::move(made);
  return true;
}

}  // namespace millrace::readmodel
