// Items as lines of orders name them: code, name and manufacturer in one number, since they nearly always go together.
//
// Invariants
//   * Append-only, like `Dictionary`: a code never changes its meaning and addresses stay, so chunks of any Snapshot
//     share one table with its writer and look only at codes they hold.
//   * One writer. Code 0 is the article without any text.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "readmodel/dictionary.h"

namespace millrace::readmodel {

struct Article {
  Code item = 0;
  Code item_name = 0;
  Code manufacturer = 0;
  bool operator==(const Article&) const = default;
};

class Articles {
 public:
  Articles();
  ~Articles();
  Articles(const Articles&) = delete;
  Articles& operator=(const Articles&) = delete;

  // The code of `article`, a new one when it is not known yet. Writer only.
  Code code(const Article& article);
  // Writer only.
  std::uint32_t size() const { return size_; }
  // Bytes on the heap; any thread may ask.
  std::size_t heap_bytes() const { return heap_bytes_.load(std::memory_order_relaxed); }

  const Article& operator[](Code code) const {
    const auto [segment, offset] = segment_place(code);
    return segments_[segment][offset];
  }

 private:
  struct Writer;

  std::array<std::unique_ptr<Article[]>, segment_count> segments_;
  std::unique_ptr<Writer> writer_;
  std::uint32_t size_ = 0;
  std::size_t segment_bytes_ = 0;
  std::atomic<std::size_t> heap_bytes_ = 0;
};

}  // namespace millrace::readmodel
