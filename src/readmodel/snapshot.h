// An immutable state of the order book, as of one Sequence.
//
// Invariants
//   * Never changes; any thread may read it, for as long as it holds the pointer. Texts it hands out live as long.
//   * Questions belong to `query`: here are only the columns, the words, the kept sums and whole orders.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "feed/change.h"
#include "readmodel/finance_view.h"
#include "readmodel/kept_sums.h"
#include "readmodel/number_index.h"
#include "readmodel/order_chunk.h"
#include "readmodel/order_index.h"
#include "readmodel/vocabulary.h"

namespace millrace::readmodel {

using RejectionList = std::vector<std::shared_ptr<const feed::Rejection>>;  // sorted by id

class Snapshot {
 public:
  struct Parts {
    feed::Sequence as_of;
    Instant as_of_time{};
    std::uint64_t order_count = 0;
    std::uint64_t line_count = 0;
    std::shared_ptr<const ChunkSpine> chunks = std::make_shared<ChunkSpine>();
    std::shared_ptr<const NumberSpine> numbers = std::make_shared<NumberSpine>();
    std::array<std::shared_ptr<const KeptSpine>, kept_group_count> kept;
    CustomerRows customers;
    std::shared_ptr<const RejectionList> rejections = std::make_shared<RejectionList>();
    WordLists words;
    std::shared_ptr<const FinanceView> finance = empty_finance_book();
  };
  explicit Snapshot(Parts parts) : parts_(std::move(parts)) {}

  feed::Sequence as_of() const { return parts_.as_of; }        // of the last change applied
  Instant as_of_time() const { return parts_.as_of_time; }     // when that change was committed
  std::uint64_t order_count() const { return parts_.order_count; }
  std::uint64_t line_count() const { return parts_.line_count; }

  std::size_t chunk_count() const { return parts_.chunks->size(); }
  const OrderChunk& chunk(std::size_t index) const { return *(*parts_.chunks)[index]; }
  const OrderChunk& chunk_of(RowId row) const { return chunk(row / chunk_rows); }
  const Words& words(Vocabulary vocabulary) const { return parts_.words[vocabulary]; }
  // Blocks of both may be null where no key was ever used.
  const NumberSpine& numbers() const { return *parts_.numbers; }
  const KeptSpine& kept(KeptGroup group) const { return *parts_.kept[static_cast<std::size_t>(group)]; }
  // The orders of a customer, without looking at all.
  const CustomerRows& customers() const { return parts_.customers; }
  // The name that the last order with this customer or item code gave it.
  std::string_view name_of(KeptGroup group, Code code) const;

  std::optional<RowId> find(std::string_view order_number) const;
  // The whole order with its documents and flags, as its last change put it.
  feed::OrderPut order(RowId row) const;
  const RejectionList& rejections() const { return *parts_.rejections; }
  // Invoices, payments, costs and all else of the company's money.
  const FinanceView& finance() const { return *parts_.finance; }
  std::shared_ptr<const FinanceBook> finance_book() const { return parts_.finance; }

 private:
  Parts parts_;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace millrace::readmodel
