// A published finance book.
#pragma once
#include "readmodel/finance_parts.h"

namespace millrace::readmodel {

class FinanceView final : public FinanceBook {
 public:
  explicit FinanceView(FinanceParts parts) : parts_(std::move(parts)) {}

  std::size_t count(FinanceKind kind) const override { return parts_.counts[static_cast<std::size_t>(kind)]; }
  void each(FinanceKind kind, const std::function<bool(const FinancePtr&)>& row) const override;
  FinancePtr find(FinanceKind kind, std::string_view number) const override;
  FinancePtr find_of(FinanceKind kind, std::string_view source, std::string_view key) const override;
  FinancePtr document(std::uint32_t row) const override { return parts_.read(row); }
  std::vector<FinancePtr> of_order(std::string_view order) const override;
  std::vector<FinancePtr> of_party(FinanceKind kind, std::string_view party) const override;
  std::vector<FinancePtr> settling(FinanceKind kind, std::string_view number) const override;
  std::vector<std::int64_t> open_instalments(const FinanceDocument& document) const override;

  std::size_t chunk_count(LedgerSide side) const override { return ledger(side).size(); }
  const LedgerChunk& chunk(LedgerSide side, std::size_t index) const override { return *ledger(side)[index]; }
  std::string_view party(std::uint32_t code) const override { return entry(code).code; }
  std::string_view party_name(std::uint32_t code) const override { return entry(code).name; }
  std::uint32_t party_count() const override { return parts_.party_count; }
  Currency currency(std::uint16_t code) const override { return (*parts_.currencies)[code]; }
  std::uint16_t currency_count() const override { return static_cast<std::uint16_t>(parts_.currencies->size()); }
  std::uint64_t version() const override { return parts_.version; }

  const FinanceParts& parts() const { return parts_; }
  const PartyBlock::Party& party_entry(std::uint32_t code) const { return entry(code); }

 private:
  const Blocks<LedgerBlock>::Spine& ledger(LedgerSide side) const { return *parts_.ledgers[static_cast<std::size_t>(side)]; }
  const PartyBlock::Party& entry(std::uint32_t code) const { return (*parts_.parties)[code / party_block_size]->parties[code % party_block_size]; }

  FinanceParts parts_;
};

// The book of nothing.
std::shared_ptr<const FinanceView> empty_finance_book();

}  // namespace millrace::readmodel
