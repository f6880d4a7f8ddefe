// Grows at the end and never moves what is in it, so that readers of older snapshots read on while the writer appends.
//
// Invariants
//   * One writer. A reader may read an element that was written before the snapshot it holds was published.
//   * Elements keep their address: they live in chunks, each twice as large as the one before it.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <memory>

namespace millrace::columns {

template <class T>
class StableArray {
 public:
  std::size_t size() const { return size_; }
  const T& operator[](std::size_t index) const { return *place(index); }
  T& operator[](std::size_t index) { return *place(index); }

  void push_back(T value) {
    resize(size_ + 1, T{});
    *place(size_ - 1) = std::move(value);
  }
  // Only grows.
  void resize(std::size_t size, const T& filling) {
    while (size_ < size) {
      const std::size_t chunk = chunk_of(size_);
      if (!chunks_[chunk]) chunks_[chunk] = std::make_unique<T[]>(chunk_first << chunk);
      const std::size_t end = first_of(chunk + 1);
      for (; size_ < size && size_ < end; ++size_) *place(size_) = filling;
    }
  }
  std::size_t bytes() const {
    std::size_t elements = 0;
    for (std::size_t chunk = 0; chunk < chunks_.size(); ++chunk)
      if (chunks_[chunk]) elements += chunk_first << chunk;
    return elements * sizeof(T);
  }

 private:
  static constexpr std::size_t chunk_first = 256;
  static std::size_t chunk_of(std::size_t index) {
    return static_cast<std::size_t>(std::bit_width(index / chunk_first + 1)) - 1;
  }
  static std::size_t first_of(std::size_t chunk) { return ((std::size_t{1} << chunk) - 1) * chunk_first; }
  T* place(std::size_t index) const {
    const std::size_t chunk = chunk_of(index);
    return chunks_[chunk].get() + (index - first_of(chunk));
  }

  std::array<std::unique_ptr<T[]>, 48> chunks_;
  std::size_t size_ = 0;  // the writer's; readers know from their snapshot what they may read
};

}  // namespace millrace::columns
