#include "readmodel/number_index.h"

#include <algorithm>

#include "readmodel/hash_place.h"

namespace millrace::readmodel {
namespace {

constexpr std::size_t shard_count = 1024;

bool hash_less(const NumberEntry& entry, std::uint32_t hash) { return entry.hash < hash; }

}  // namespace

std::optional<RowId> find_number(const NumberSpine& index, const ChunkSpine& chunks, std::string_view number) {
  const auto [shard, hash] = place_of(number, shard_count);
  if (shard >= index.size() || index[shard] == nullptr) return std::nullopt;
  const auto& entries = index[shard]->entries;
  for (auto at = std::lower_bound(entries.begin(), entries.end(), hash, hash_less);
       at != entries.end() && at->hash == hash; ++at) {
    if (chunks[at->row / chunk_rows]->number(at->row % chunk_rows) == number) return at->row;
  }
  return std::nullopt;
}

void NumberIndex::insert(std::string_view number, RowId row, std::uint64_t epoch) {
  const auto [shard, hash] = place_of(number, shard_count);
  auto& entries = shards_.own(shard, epoch).entries;
  // Shards grow by an eighth: there are a thousand of them, and doubling would leave half of their memory unused.
  if (entries.size() == entries.capacity()) entries.reserve(entries.size() + entries.size() / 8 + 4);
  entries.insert(std::lower_bound(entries.begin(), entries.end(), hash, hash_less), NumberEntry{hash, row});
}

void NumberIndex::erase(std::string_view number, RowId row, std::uint64_t epoch) {
  const std::size_t shard = place_of(number, shard_count).shard;
  auto& entries = shards_.own(shard, epoch).entries;
  std::erase_if(entries, [row](const NumberEntry& entry) { return entry.row == row; });
}

}  // namespace millrace::readmodel
