#include "readmodel/order_index.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "readmodel/hash_place.h"

namespace millrace::readmodel {
namespace {

constexpr std::size_t shard_count = 256;

}  // namespace

std::pair<std::size_t, std::size_t> PostingBlock::range(std::size_t slot) const {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < slot; ++i) begin += many[i] ? 0 : counts[i];
  return {begin, begin + (many[slot] ? 0 : counts[slot])};
}

std::vector<Code> CustomerRows::codes_of(std::string_view folded, const Words& customers) const {
  std::vector<Code> found;
  const auto [shard, hash] = place_of(folded, shard_count);
  if (codes_ == nullptr || shard >= codes_->size() || (*codes_)[shard] == nullptr) return found;
  const auto& entries = (*codes_)[shard]->entries;
  for (auto at = std::lower_bound(entries.begin(), entries.end(), hash,
                                  [](const CodeEntry& entry, std::uint32_t wanted) { return entry.hash < wanted; });
       at != entries.end() && at->hash == hash; ++at) {
    if (customers.folded(at->code) == folded) found.push_back(at->code);
  }
  return found;
}

std::optional<std::span<const RowId>> CustomerRows::rows_of(Code code) const {
  const std::size_t index = code / posting_codes;
  if (rows_ == nullptr || index >= rows_->size() || (*rows_)[index] == nullptr) return std::span<const RowId>();
  const PostingBlock& block = *(*rows_)[index];
  if (block.many[code % posting_codes]) return std::nullopt;
  const auto [begin, end] = block.range(code % posting_codes);
  return std::span(block.rows).subspan(begin, end - begin);
}

std::uint64_t CustomerRows::code_bytes() const {
  std::uint64_t bytes = 0;
  if (codes_ == nullptr) return bytes;
  for (const auto& shard : *codes_)
    bytes += sizeof shard + (shard ? sizeof(CodeShard) + shard->entries.capacity() * sizeof(CodeEntry) : 0);
  return bytes;
}

std::uint64_t CustomerRows::row_bytes() const {
  std::uint64_t bytes = 0;
  if (rows_ == nullptr) return bytes;
  for (const auto& block : *rows_)
    bytes += sizeof block + (block ? sizeof(PostingBlock) + block->rows.capacity() * sizeof(RowId) : 0);
  return bytes;
}

void CustomerIndex::learn(Code code, std::string_view folded, std::uint64_t epoch) {
  check(code == codes_known_, "customer codes are learnt in their order");
  ++codes_known_;
  const auto [shard, hash] = place_of(folded, shard_count);
  auto& entries = codes_.own(shard, epoch).entries;
  const auto less = [](const CodeEntry& left, const CodeEntry& right) {
    return std::tie(left.hash, left.code) < std::tie(right.hash, right.code);
  };
  const CodeEntry entry{hash, code};
  entries.insert(std::lower_bound(entries.begin(), entries.end(), entry, less), entry);
}

void CustomerIndex::insert(Code code, RowId row, std::uint64_t epoch) {
  PostingBlock& block = rows_.own(code / posting_codes, epoch);
  const std::size_t slot = code % posting_codes;
  if (block.many[slot]) {
    ++block.counts[slot];
    return;
  }
  // By an eighth: blocks are many, and doubling would leave half of their memory unused.
  if (block.rows.size() == block.rows.capacity()) block.rows.reserve(block.rows.size() + block.rows.size() / 8 + 8);
  const auto [begin, end] = block.range(slot);
  const auto first = block.rows.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = block.rows.begin() + static_cast<std::ptrdiff_t>(end);
  if (block.counts[slot]++ < customer_rows_max) {
    block.rows.insert(std::lower_bound(first, last, row), row);
  } else {
    block.many[slot] = true;
    block.rows.erase(first, last);
    block.rows.shrink_to_fit();
  }
}

void CustomerIndex::erase(Code code, RowId row, std::uint64_t epoch) {
  PostingBlock& block = rows_.own(code / posting_codes, epoch);
  const std::size_t slot = code % posting_codes;
  check(block.counts[slot] > 0, "a row that leaves the customer index was in it");
  if (block.many[slot]) {
    if (--block.counts[slot] == 0) block.many[slot] = false;
    return;
  }
  const auto [begin, end] = block.range(slot);
  const auto first = block.rows.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = block.rows.begin() + static_cast<std::ptrdiff_t>(end);
  const auto found = std::lower_bound(first, last, row);
  check(found != last && *found == row, "a row that leaves the customer index was in it");
  block.rows.erase(found);
  --block.counts[slot];
}

}  // namespace millrace::readmodel
