// Texts that many rows share, kept once: code -> text, its folded form for searching and a key for sorting.
//
// Invariants
//   * Append-only: a code never changes its text, and addresses stay, so Snapshots share one Dictionary with its
//     writer. A Snapshot knows how many codes existed when it was published and never looks past them.
//   * One writer. `Words` is the reader's view; any thread may call it.
//   * Code 0 is the empty text.
#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace::readmodel {

using Code = std::uint32_t;

// The first eight bytes of a form of `text` that compares as `natural_less` does:
// natural_key(a) < natural_key(b) implies natural_less(a, b). Equal keys decide nothing.
std::uint64_t natural_key(std::string_view text);

// Append-only tables lie in segments: segment s holds first_segment << s entries, so that codes stay where they are
// while the table grows.
inline constexpr std::uint32_t first_segment = 64;
inline constexpr std::size_t segment_count = 26;
struct SegmentPlace {
  std::size_t segment;
  std::uint32_t offset;
};
inline SegmentPlace segment_place(Code code) {
  const std::uint32_t n = code / first_segment + 1;
  const auto segment = static_cast<std::size_t>(std::bit_width(n)) - 1;
  return {segment, code - first_segment * ((1u << segment) - 1)};
}

class Dictionary {
 public:
  Dictionary();
  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  // The code of `text`, a new one when it is not known yet. Writer only.
  Code code(std::string_view text);
  // Writer only: readers compare with the texts they can see.
  std::uint32_t size() const { return size_; }
  // Bytes on the heap; any thread may ask.
  std::size_t heap_bytes() const { return heap_bytes_.load(std::memory_order_relaxed); }

 private:
  friend class Words;
  struct Entry {
    const char* text = nullptr;
    const char* folded = nullptr;
    std::uint32_t text_size = 0;
    std::uint32_t folded_size = 0;
    std::uint64_t sort_key = 0;
  };
  struct Writer;

  const Entry& entry(Code code) const;

  std::array<std::unique_ptr<Entry[]>, segment_count> segments_;
  std::unique_ptr<Writer> writer_;
  std::uint32_t size_ = 0;
  std::size_t entry_bytes_ = 0;
  std::atomic<std::size_t> heap_bytes_ = 0;
};

// A Dictionary as one Snapshot sees it.
class Words {
 public:
  Words() = default;
  Words(std::shared_ptr<const Dictionary> dictionary, std::uint32_t size)
      : dictionary_(std::move(dictionary)), size_(size) {}

  std::uint32_t size() const { return size_; }
  std::size_t heap_bytes() const { return dictionary_->heap_bytes(); }
  std::string_view text(Code code) const;
  std::string_view folded(Code code) const;  // search_fold of the text
  std::uint64_t sort_key(Code code) const;   // natural_key of the folded text

  // One byte per code: 1 where the folded text contains `needle` (already folded; empty matches all).
  std::vector<std::uint8_t> containing(std::string_view needle) const;

 private:
  std::shared_ptr<const Dictionary> dictionary_;
  std::uint32_t size_ = 0;
};

}  // namespace millrace::readmodel
