// The one writer of the finance book.
//
// Invariants
//   * `publish` answers an immutable book; only chunks that changed since the last one are copied.
//   * Two tables that were told the same changes say the same, however the changes were cut between publishings (property test).
//   * About 300 bytes of memory a document: it is kept encoded and read when somebody asks.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "readmodel/finance_view.h"

namespace millrace::readmodel {

class FinanceTable {
 public:
  // `version` is the Sequence of the change. An unknown document that is removed is none.
  void put(const FinanceDocument& document, std::uint64_t version);
  void remove(FinanceKind kind, std::string_view source, std::string_view key, std::uint64_t version);
  std::shared_ptr<const FinanceView> publish();

  // What a published book holds: its parties in the order of their codes, then each document in the row that it had, in
  // ascending rows; before any other change.
  void restore_party(LedgerSide side, std::string_view code, std::string_view name);
  void restore(std::uint32_t row, std::string_view bytes);
  void restored(std::uint64_t version);

 private:
  static constexpr std::uint32_t no_slot = UINT32_MAX;
  // Postings of one side: columns that are published, and lists of slots that only the writer needs.
  struct Ledger {
    Blocks<LedgerBlock> blocks;
    std::vector<std::uint32_t> next;  // slot of the document's next posting
    std::vector<std::uint32_t> free;
  };

  FinanceParts parts() const;
  std::uint32_t take_row();
  void index(std::uint32_t row, const FinanceDocument& document, bool add);
  void touch(std::uint32_t row, const FinanceDocument& document);
  void settle_all();
  void settle(const FinanceParts& now, std::uint32_t row);
  void write_postings(LedgerSide side, std::uint32_t row, const FinanceDocument* document, std::span<const Posting> postings);
  std::uint32_t take_slot(Ledger& ledger);
  std::uint32_t party_code(LedgerSide side, std::string_view code_text);
  void name_party(const FinanceDocument& document);
  std::uint16_t currency_code(Currency currency);

  std::uint64_t epoch_ = 1;
  std::uint64_t version_ = 0;
  Blocks<DocumentChunk> documents_;
  TextRows by_key_, by_party_, by_order_, by_settled_;
  std::array<Ledger, 2> ledgers_;
  Blocks<PartyBlock> parties_;
  std::unordered_map<std::string, std::uint32_t> party_codes_;
  std::shared_ptr<const std::vector<Currency>> currencies_ = std::make_shared<std::vector<Currency>>();
  std::array<std::uint64_t, finance_kind_count> counts_{};
  std::uint32_t rows_used_ = 0;
  std::vector<std::uint32_t> free_rows_;     // a heap, smallest first
  std::vector<std::uint32_t> first_slot_;    // by row
  std::unordered_set<std::uint32_t> dirty_;  // rows whose postings may be others now
  std::shared_ptr<const FinanceView> published_ = empty_finance_book();
};

}  // namespace millrace::readmodel
