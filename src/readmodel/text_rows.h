// Text -> rows, several rows for one text, in shards so that publishing a change copies a few of them.
//
// Invariants
//   * Finds every row that was inserted with the text, in ascending order, and sometimes one of another text with the same
//     hash: whoever asks looks at the row.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "readmodel/blocks.h"
#include "readmodel/hash_place.h"

namespace millrace::readmodel {

struct TextRow {
  std::uint32_t hash = 0;
  std::uint32_t row = 0;
  auto operator<=>(const TextRow&) const = default;
};
struct TextShard {
  std::uint64_t epoch = 0;
  std::vector<TextRow> entries;  // sorted
};
using TextSpine = Blocks<TextShard>::Spine;

inline constexpr std::size_t text_shard_count = 2048;

// `visit(row)` for each row that may have the text.
template <class Visit>
void each_row(const TextSpine& index, std::string_view text, Visit visit) {
  const auto [shard, hash] = place_of(text, text_shard_count);
  if (shard >= index.size() || index[shard] == nullptr) return;
  const auto& entries = index[shard]->entries;
  for (auto at = std::ranges::lower_bound(entries, TextRow{hash, 0}); at != entries.end() && at->hash == hash; ++at) visit(at->row);
}

class TextRows {
 public:
  void insert(std::string_view text, std::uint32_t row, std::uint64_t epoch);
  void erase(std::string_view text, std::uint32_t row, std::uint64_t epoch);
  std::shared_ptr<const TextSpine> share() const { return shards_.share(); }

 private:
  Blocks<TextShard> shards_;
};

}  // namespace millrace::readmodel
