#include "readmodel/dictionary.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"

namespace millrace::readmodel {
namespace {

struct TextHash {
  using is_avalanching = void;
  std::size_t operator()(std::string_view text) const { return hash64(text); }
};

// Bytes that never move; each text is followed by a zero byte, so that neighbours can be told apart.
class Arena {
 public:
  std::size_t bytes() const { return bytes_; }
  const char* keep(std::string_view text) {
    const std::size_t need = text.size() + 1;
    if (need > left_) {
      const std::size_t block = std::max(need, next_block_);
      next_block_ = std::min<std::size_t>(next_block_ * 2, 64 << 10);
      blocks_.push_back(std::make_unique<char[]>(block));
      free_ = blocks_.back().get();
      bytes_ += block;
      left_ = block;
    }
    char* const kept = free_;
    if (!text.empty()) std::memcpy(kept, text.data(), text.size());
    kept[text.size()] = '\0';
    free_ += need;
    left_ -= need;
    return kept;
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
  std::size_t next_block_ = 512;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// A run of digits becomes one byte '0' + its length without leading zeros, then the digits: '9' stands for nine
// and more, after which only the texts themselves can decide.
std::uint64_t natural_key(std::string_view text) {
  std::array<std::uint8_t, 8> key{};
  std::size_t filled = 0;
  for (std::size_t i = 0; i < text.size() && filled < key.size();) {
    if (!is_digit(text[i])) {
      key[filled++] = static_cast<std::uint8_t>(text[i++]);
      continue;
    }
    while (i < text.size() && text[i] == '0') ++i;
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    const std::size_t length = i - begin;
    key[filled++] = static_cast<std::uint8_t>('0' + std::min<std::size_t>(length, 9));
    if (length >= 9) break;
    for (std::size_t d = begin; d < i && filled < key.size(); ++d) key[filled++] = static_cast<std::uint8_t>(text[d]);
  }
  std::uint64_t number = 0;
  for (const std::uint8_t byte : key) number = number << 8 | byte;
  return number;
}

struct Dictionary::Writer {
  boost::unordered_flat_map<std::string_view, Code, TextHash> codes;
  Arena texts;
  Arena folded;
};

Dictionary::Dictionary() : writer_(std::make_unique<Writer>()) { code(""); }
Dictionary::~Dictionary() = default;

const Dictionary::Entry& Dictionary::entry(Code code) const {
  const auto [segment, offset] = segment_place(code);
  return segments_[segment][offset];
}

Code Dictionary::code(std::string_view text) {
  if (const auto found = writer_->codes.find(text); found != writer_->codes.end()) return found->second;
  const Code code = size_;
  const auto [segment, offset] = segment_place(code);
  check(segment < segment_count, "a dictionary holds fewer than four billion texts");
  if (!segments_[segment]) {
    segments_[segment] = std::make_unique<Entry[]>(std::size_t{first_segment} << segment);
    entry_bytes_ += (std::size_t{first_segment} << segment) * sizeof(Entry);
  }
  const std::string folded = search_fold(text);
  Entry& entry = segments_[segment][offset];
  entry.text = writer_->texts.keep(text);
  entry.text_size = static_cast<std::uint32_t>(text.size());
  entry.folded = writer_->folded.keep(folded);
  entry.folded_size = static_cast<std::uint32_t>(folded.size());
  entry.sort_key = natural_key(folded);
  writer_->codes.emplace(std::string_view(entry.text, entry.text_size), code);
  ++size_;
  const std::size_t map_bytes = writer_->codes.bucket_count() * (sizeof(std::string_view) + sizeof(Code) + 5);
  heap_bytes_.store(entry_bytes_ + map_bytes + writer_->texts.bytes() + writer_->folded.bytes(), std::memory_order_relaxed);
  return code;
}

std::string_view Words::text(Code code) const {
  const auto& entry = dictionary_->entry(code);
  return {entry.text, entry.text_size};
}
std::string_view Words::folded(Code code) const {
  const auto& entry = dictionary_->entry(code);
  return {entry.folded, entry.folded_size};
}
std::uint64_t Words::sort_key(Code code) const { return dictionary_->entry(code).sort_key; }

// Folded texts lie side by side in blocks; searching a whole block at once is several times faster than text by
// text, and a hit is then checked against the bounds of the text it starts in.
std::vector<std::uint8_t> Words::containing(std::string_view needle) const {
  std::vector<std::uint8_t> hits(size_, needle.empty() ? 1 : 0);
  if (needle.empty()) return hits;
  for (Code first = 0; first < size_;) {
    Code last = first;
    const char* end = folded(first).data() + folded(first).size();
    while (last + 1 < size_ && folded(last + 1).data() == end + 1) {
      ++last;
      end = folded(last).data() + folded(last).size();
    }
    const char* at = folded(first).data();
    while (at < end) {
      const auto* hit = static_cast<const char*>(
          memmem(at, static_cast<std::size_t>(end - at), needle.data(), needle.size()));
      if (hit == nullptr) break;
      Code low = first, high = last;  // the last text that begins at or before the hit
      while (low < high) {
        const Code middle = low + (high - low + 1) / 2;
        if (folded(middle).data() <= hit) low = middle;
        else high = middle - 1;
      }
      const std::string_view text = folded(low);
      const bool inside = hit + needle.size() <= text.data() + text.size();
      if (inside) hits[low] = 1;
      at = inside ? text.data() + text.size() + 1 : hit + 1;
      first = low;
    }
    first = last + 1;
  }
  return hits;
}

}  // namespace millrace::readmodel
