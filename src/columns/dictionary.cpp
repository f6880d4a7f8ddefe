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
  const std::uint64_t hash = hash64(text);
  if (!slots_.empty()) {
    const Slot& found = slots_[index_of(text, hash)];
    if (found.code_and_one != 0) return found.code_and_one - 1;
  }
  check(texts_.size() < 0xFFFF'FFFE, "a dictionary holds at most 2^32 - 2 texts");
  const std::lock_guard lock(mutex_);
  if (texts_.size() * 4 >= slots_.size() * 3) grow();
  Slot& slot = slots_[index_of(text, hash)];
  texts_.push_back(keep(text));
  slot = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(texts_.size())};
  return static_cast<std::uint32_t>(texts_.size() - 1);
}

std::optional<std::uint32_t> Dictionary::find(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  if (slots_.empty()) return std::nullopt;
  const Slot& found = slots_[index_of(text, hash64(text))];
  if (found.code_and_one == 0) return std::nullopt;
  return found.code_and_one - 1;
}

std::size_t Dictionary::bytes() const { return slots_.size() * sizeof(Slot) + texts_.bytes() + page_bytes_; }

std::size_t Dictionary::index_of(std::string_view text, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  const auto part = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t index = hash & mask;; index = (index + 1) & mask) {
    const Slot& slot = slots_[index];
    if (slot.code_and_one == 0) return index;
    if (slot.hash == part && same_text(texts_[slot.code_and_one - 1], text)) return index;
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
  slots_.assign(std::max<std::size_t>(16, slots_.size() * 2), {});
  for (std::size_t code = 0; code < texts_.size(); ++code) {
    const std::uint64_t hash = hash64(texts_[code]);
    slots_[index_of(texts_[code], hash)] = {static_cast<std::uint32_t>(hash >> 32),
                                            static_cast<std::uint32_t>(code + 1)};
  }
}

}  // namespace millrace::columns
