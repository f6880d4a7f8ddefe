#include "readmodel/text_rows.h"

namespace millrace::readmodel {

void TextRows::insert(std::string_view text, std::uint32_t row, std::uint64_t epoch) {
  const auto [shard, hash] = place_of(text, text_shard_count);
  auto& entries = shards_.own(shard, epoch).entries;
  const TextRow entry{hash, row};
  if (entries.size() == entries.capacity()) entries.reserve(entries.size() + entries.size() / 8 + 4);
  const auto at = std::ranges::lower_bound(entries, entry);
  if (at == entries.end() || *at != entry) entries.insert(at, entry);
}

void TextRows::erase(std::string_view text, std::uint32_t row, std::uint64_t epoch) {
  const auto [shard, hash] = place_of(text, text_shard_count);
  auto& entries = shards_.own(shard, epoch).entries;
  const TextRow entry{hash, row};
  const auto at = std::ranges::lower_bound(entries, entry);
  if (at != entries.end() && *at == entry) entries.erase(at);
}

}  // namespace millrace::readmodel
