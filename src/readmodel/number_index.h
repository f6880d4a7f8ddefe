// Order number -> row, in shards so that publishing a change copies a few dozen entries.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "readmodel/blocks.h"
#include "readmodel/order_chunk.h"

namespace millrace::readmodel {

struct NumberEntry {
  std::uint32_t hash = 0;
  RowId row = 0;
};
struct NumberShard {
  std::uint64_t epoch = 0;
  std::vector<NumberEntry> entries;  // sorted by hash; equal hashes are told apart by the rows' own numbers
};
using NumberSpine = Blocks<NumberShard>::Spine;
using ChunkSpine = Blocks<OrderChunk>::Spine;

std::optional<RowId> find_number(const NumberSpine& index, const ChunkSpine& chunks, std::string_view number);

class NumberIndex {
 public:
  void insert(std::string_view number, RowId row, std::uint64_t epoch);
  void erase(std::string_view number, RowId row, std::uint64_t epoch);
  std::shared_ptr<const NumberSpine> share() const { return shards_.share(); }

 private:
  Blocks<NumberShard> shards_;
};

}  // namespace millrace::readmodel
