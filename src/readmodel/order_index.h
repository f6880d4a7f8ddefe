// Customer -> rows, so that the orders of one customer are found without looking at all orders.
//
//   codes     folded customer text -> dictionary codes      one entry per code, in shards by hash
//   rows      code -> rows of its orders, ascending          blocks of `posting_codes` codes
//
// Invariants
//   * At every Snapshot the rows of a code are exactly the live rows whose customer column holds it. A customer that
//     ever had more than `customer_rows_max` orders says "many" until its last order is gone: then the column is looked
//     at instead, which costs no more by that time, and no block grows beyond a few pages.
//   * Copy-on-write: publishing a change copies one block of each kind at most.
//   * Built from rows alone; four bytes per order and some dozen per customer.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "readmodel/blocks.h"
#include "readmodel/order_chunk.h"

namespace millrace::readmodel {

inline constexpr std::size_t posting_codes = 8;
inline constexpr std::uint32_t customer_rows_max = 1024;

struct PostingBlock {
  std::uint64_t epoch = 0;
  std::array<std::uint32_t, posting_codes> counts{};  // orders, also of codes whose rows are not kept
  std::array<bool, posting_codes> many{};             // rows are not kept
  std::vector<RowId> rows;                            // code by code

  // Where the kept rows of the code's slot lie.
  std::pair<std::size_t, std::size_t> range(std::size_t slot) const;
};

struct CodeEntry {
  std::uint32_t hash = 0;
  Code code = 0;
};
struct CodeShard {
  std::uint64_t epoch = 0;
  std::vector<CodeEntry> entries;  // sorted by hash, then code
};

// What a Snapshot holds of it. Any thread may call.
class CustomerRows {
 public:
  CustomerRows() = default;
  CustomerRows(std::shared_ptr<const Blocks<CodeShard>::Spine> codes,
               std::shared_ptr<const Blocks<PostingBlock>::Spine> rows)
      : codes_(std::move(codes)), rows_(std::move(rows)) {}

  // The codes whose folded text is `folded`, ascending: usually one, several when spellings differ in case only.
  std::vector<Code> codes_of(std::string_view folded, const Words& customers) const;
  // Ascending; nothing when the customer has too many orders to keep them.
  std::optional<std::span<const RowId>> rows_of(Code code) const;

  // Heap bytes of both halves, for the memory report.
  std::uint64_t code_bytes() const;
  std::uint64_t row_bytes() const;

 private:
  std::shared_ptr<const Blocks<CodeShard>::Spine> codes_;
  std::shared_ptr<const Blocks<PostingBlock>::Spine> rows_;
};

// The writer's side.
class CustomerIndex {
 public:
  // Codes are dense and learnt in their order, each before its first row.
  Code size() const { return codes_known_; }
  void learn(Code code, std::string_view folded, std::uint64_t epoch);
  void insert(Code code, RowId row, std::uint64_t epoch);
  void erase(Code code, RowId row, std::uint64_t epoch);
  CustomerRows share() const { return {codes_.share(), rows_.share()}; }

 private:
  Blocks<CodeShard> codes_;
  Blocks<PostingBlock> rows_;
  Code codes_known_ = 0;
};

}  // namespace millrace::readmodel
