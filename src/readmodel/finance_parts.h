// What the finance book is made of, and how it is looked through: shared by the writer and by what it publishes.
//
//   documents   512 encoded documents per chunk; their row is their name everywhere else
//   by_key      kind and finance_key -> rows          by_party    side and party code -> rows
//   by_order    order number -> rows                  by_settled  kind and number -> rows that settle it
//
// Invariants
//   * Spines never change once published. Rows that an index answers are looked at before they are believed.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "readmodel/blocks.h"
#include "readmodel/finance_book.h"
#include "readmodel/settlement.h"
#include "readmodel/text_rows.h"

namespace millrace::readmodel {

inline constexpr std::size_t document_chunk_rows = 512;
inline constexpr std::size_t ledger_chunk_rows = 16'384;
inline constexpr std::size_t party_block_size = 256;

struct DocumentChunk {
  std::uint64_t epoch = 0;
  std::array<std::uint8_t, document_chunk_rows> kind{};  // 0: no document
  std::array<std::uint32_t, document_chunk_rows> begin{}, size{};
  std::vector<char> heap;
  std::size_t waste = 0;  // bytes of the heap that belong to nobody

  std::string_view bytes(std::size_t at) const { return {heap.data() + begin[at], size[at]}; }
  void put(std::size_t at, FinanceKind of, std::string_view bytes);
  void remove(std::size_t at);
};
// Leaves out what belongs to nobody when that is much.
std::shared_ptr<DocumentChunk> copy_block(const DocumentChunk& chunk);

struct LedgerBlock : LedgerChunk {
  std::uint64_t epoch = 0;
};

struct PartyBlock {
  std::uint64_t epoch = 0;
  struct Party {
    LedgerSide side = LedgerSide::receivables;
    std::string code, name;
  };
  std::vector<Party> parties;
};

LedgerSide side_of(FinanceKind kind);
// The keys of the indexes.
std::string kind_key(FinanceKind kind, std::string_view text);
std::string party_key(LedgerSide side, std::string_view code);
bool is_owed(FinanceKind kind);    // invoice, bill
bool is_credit(FinanceKind kind);  // credit_note, supplier_credit: settles, and can be used up itself
bool settles(FinanceKind kind);    // payment, credit note, write-off and what they are for suppliers

struct FinanceParts {
  std::shared_ptr<const Blocks<DocumentChunk>::Spine> documents = std::make_shared<Blocks<DocumentChunk>::Spine>();
  std::shared_ptr<const TextSpine> by_key = std::make_shared<TextSpine>(), by_party = by_key, by_order = by_key, by_settled = by_key;
  std::array<std::shared_ptr<const Blocks<LedgerBlock>::Spine>, 2> ledgers{std::make_shared<Blocks<LedgerBlock>::Spine>(),
                                                                          std::make_shared<Blocks<LedgerBlock>::Spine>()};
  std::shared_ptr<const Blocks<PartyBlock>::Spine> parties = std::make_shared<Blocks<PartyBlock>::Spine>();
  std::shared_ptr<const std::vector<Currency>> currencies = std::make_shared<std::vector<Currency>>();
  std::array<std::uint64_t, finance_kind_count> counts{};
  std::uint32_t party_count = 0;
  std::uint64_t version = 0;

  // "" where there is none.
  std::string_view bytes(std::uint32_t row) const;
  FinancePtr read(std::uint32_t row) const;  // null where there is none
  std::optional<std::uint32_t> row_of(FinanceKind kind, std::string_view source, std::string_view key) const;
  // Of several sources with the number, `preferred`, else the first by id.
  std::optional<std::uint32_t> resolve(FinanceKind kind, std::string_view number, std::string_view preferred) const;
  // Calls for each document that settles the one in `row`, with what it takes, in the order in which they count.
  void each_settling(std::uint32_t row, const FinanceDocument& document,
                     const std::function<void(const FinancePtr&, const Allocation&)>& visit) const;
  std::vector<Settling> settlings_of(std::uint32_t row, const FinanceDocument& document) const;
  // The postings that belong to the document in `row`.
  std::vector<Posting> postings_of(std::uint32_t row, const FinanceDocument& document) const;

 private:
  std::int64_t used_of(const FinanceDocument& document) const;
};

}  // namespace millrace::readmodel
