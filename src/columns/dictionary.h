// Every text of a column once; rows hold its code.
//
// Invariants
//   * Codes are 0, 1, 2, ... in the order of first appearance and never change or go away.
//   * One writer. `text` of a code from a published snapshot needs no lock; `find` locks for a moment.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "columns/stable_array.h"

namespace millrace::columns {

// Equal texts; short ones are compared word by word, without a call.
inline bool same_text(std::string_view left, std::string_view right) {
  const std::size_t size = left.size();
  if (size != right.size()) return false;
  if (size < 4 || size > 16) return left == right;
  const auto same_words = [&]<class Word>(Word) {
    std::array<Word, 4> words;
    std::memcpy(&words[0], left.data(), sizeof(Word));
    std::memcpy(&words[1], right.data(), sizeof(Word));
    std::memcpy(&words[2], left.data() + size - sizeof(Word), sizeof(Word));
    std::memcpy(&words[3], right.data() + size - sizeof(Word), sizeof(Word));
    return words[0] == words[1] && words[2] == words[3];
  };
  return size < 8 ? same_words(std::uint32_t{}) : same_words(std::uint64_t{});
}

class Dictionary {
 public:
  // Writer only.
  std::uint32_t code(std::string_view text);

  std::string_view text(std::uint32_t code) const { return texts_[code]; }
  std::optional<std::uint32_t> find(std::string_view text) const;
  std::size_t size() const { return texts_.size(); }  // writer only
  std::size_t bytes() const;                          // with everything needed for finding; writer only

 private:
  // Part of the hash beside the code: texts are compared only where they are likely the same.
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t code_and_one = 0;  // 0: free
  };

  std::size_t index_of(std::string_view text, std::uint64_t hash) const;  // its slot, or the free one where it belongs
  std::string_view keep(std::string_view text);
  void grow();

  mutable std::mutex mutex_;  // guards changes of slots_ against find()
  std::vector<Slot> slots_;   // a power of two, at most three quarters full
  StableArray<std::string_view> texts_;
  std::vector<std::unique_ptr<char[]>> pages_;
  std::size_t page_free_ = 0;
  char* page_at_ = nullptr;
  std::size_t page_bytes_ = 0;
};

}  // namespace millrace::columns
