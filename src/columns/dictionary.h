// Every text of a column once; rows hold its code.
//
// Invariants
//   * Codes are 0, 1, 2, ... in the order of first appearance and never change or go away.
//   * One writer. `text` of a code from a published snapshot needs no lock; `find` locks for a moment.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "columns/stable_array.h"

namespace millrace::columns {

class Dictionary {
 public:
  // Writer only.
  std::uint32_t code(std::string_view text);

  std::string_view text(std::uint32_t code) const { return texts_[code]; }
  std::optional<std::uint32_t> find(std::string_view text) const;
  std::size_t size() const { return texts_.size(); }  // writer only
  std::size_t bytes() const;                          // with everything needed for finding; writer only

 private:
  std::size_t slot_of(std::string_view text) const;  // where it is, or the free slot where it belongs
  std::string_view keep(std::string_view text);
  void grow();

  mutable std::mutex mutex_;          // guards changes of slots_ against find()
  std::vector<std::uint32_t> slots_;  // code + 1; 0 is free; a power of two, at most three quarters full
  StableArray<std::string_view> texts_;
  std::vector<std::unique_ptr<char[]>> pages_;
  std::size_t page_free_ = 0;
  char* page_at_ = nullptr;
  std::size_t page_bytes_ = 0;
};

}  // namespace millrace::columns
