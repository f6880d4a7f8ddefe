#include "columns/dictionary.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace millrace::columns {
namespace {
constexpr std::size_t page_size_first = 512;
constexpr std::size_t page_size_max = 1 << 20;
}  // namespace

std::uint32_t Dictionary::code(std::string_view text) {
  if (!slots_.empty()) {
    const std::uint32_t found = slots_[slot_of(text)];
    if (found != 0) return found - 1;
  }
  check(texts_.size() < 0xFFFF'FFFE, "a dictionary holds at most 2^32 - 2 texts");
  const std::lock_guard lock(mutex_);
  if (texts_.size() * 4 >= slots_.size() * 3) grow();
  texts_.push_back(keep(text));
  slots_[slot_of(text)] = static_cast<std::uint32_t>(texts_.size());
  return static_cast<std::uint32_t>(texts_.size() - 1);
}

std::optional<std::uint32_t> Dictionary::find(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t found = slots_[slot_of(text)];
  if (found == 0) return std::nullopt;
  return found - 1;
}

std::size_t Dictionary::bytes() const { return slots_.size() * sizeof(slots_[0]) + texts_.bytes() + page_bytes_; }

// During growth the slot of a text that is already in the dictionary is asked for: texts differ, so only free ends.
std::size_t Dictionary::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash64(text) & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0 || texts_[slots_[slot] - 1] == text) return slot;
  }
}

std::string_view Dictionary::keep(std::string_view text) {
  if (text.size() > page_free_) {
    const std::size_t wanted = std::clamp(page_bytes_, page_size_first, page_size_max);
    page_free_ = std::max(wanted, text.size());
    pages_.push_back(std::make_unique_for_overwrite<char[]>(page_free_));
    page_at_ = pages_.back().get();
    page_bytes_ += page_free_;
  }
  char* const place = page_at_;
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  page_at_ += text.size();
  page_free_ -= text.size();
  return {place, text.size()};
}

void Dictionary::grow() {
  slots_.assign(std::max<std::size_t>(16, slots_.size() * 2), 0);
  for (std::size_t code = 0; code < texts_.size(); ++code)
    slots_[slot_of(texts_[code])] = static_cast<std::uint32_t>(code + 1);
}

}  // namespace millrace::columns
