// Where a text belongs in an index of shards: the same rule for every index of texts.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace millrace::readmodel {

struct HashPlace {
  std::size_t shard;
  std::uint32_t hash;  // orders the entries of a shard; equal hashes are told apart by their texts
};

inline HashPlace place_of(std::string_view text, std::size_t shard_count) {
  const std::uint64_t hash = hash64(text);
  return {static_cast<std::size_t>(hash >> 32) % shard_count, static_cast<std::uint32_t>(hash)};
}

}  // namespace millrace::readmodel
