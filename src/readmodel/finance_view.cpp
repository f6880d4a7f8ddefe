#include "readmodel/finance_view.h"

#include <algorithm>
#include <cstring>

namespace millrace::readmodel {

void FinanceView::each(FinanceKind kind, const std::function<bool(const FinancePtr&)>& row) const {
  if (count(kind) == 0) return;
  for (std::size_t c = 0; c < parts_.documents->size(); ++c) {
    if ((*parts_.documents)[c] == nullptr) continue;
    const auto& kinds = (*parts_.documents)[c]->kind;
    for (const std::uint8_t* at = kinds.data(), *const end = at + kinds.size(); at < end; ++at) {
      at = static_cast<const std::uint8_t*>(std::memchr(at, static_cast<int>(kind), static_cast<std::size_t>(end - at)));
      if (at == nullptr) break;
      const auto place = static_cast<std::uint32_t>(c * document_chunk_rows + static_cast<std::size_t>(at - kinds.data()));
      if (!row(parts_.read(place))) return;
    }
  }
}

FinancePtr FinanceView::find(FinanceKind kind, std::string_view number) const {
  if (kind != FinanceKind::rate) {
    const auto row = parts_.resolve(kind, number, {});
    return row ? parts_.read(*row) : nullptr;
  }
  // Of a rate the newest day counts, and the key holds it.
  FinancePtr newest;
  each(kind, [&](const FinancePtr& rate) {
    const bool better = rate->number == number && (newest == nullptr || rate->posted > newest->posted ||
                                                    (rate->posted == newest->posted && rate->source < newest->source));
    if (better) newest = rate;
    return true;
  });
  return newest;
}

FinancePtr FinanceView::find_of(FinanceKind kind, std::string_view source, std::string_view key) const {
  const auto row = parts_.row_of(kind, source, key);
  return row ? parts_.read(*row) : nullptr;
}

std::vector<FinancePtr> FinanceView::of_order(std::string_view order) const {
  std::vector<FinancePtr> found;
  each_row(*parts_.by_order, order, [&](std::uint32_t row) {
    FinancePtr document = parts_.read(row);
    if (document != nullptr && std::ranges::any_of(document->lines, [&](const FinanceLine& line) { return line.order.text == order; }))
      found.push_back(std::move(document));
  });
  return found;
}

std::vector<FinancePtr> FinanceView::of_party(FinanceKind kind, std::string_view party) const {
  std::vector<FinancePtr> found;
  each_row(*parts_.by_party, party_key(side_of(kind), party), [&](std::uint32_t row) {
    const DocumentChunk& chunk = *(*parts_.documents)[row / document_chunk_rows];
    if (chunk.kind[row % document_chunk_rows] != static_cast<std::uint8_t>(kind)) return;
    FinancePtr document = parts_.read(row);
    if (document->party_code == party) found.push_back(std::move(document));
  });
  return found;
}

std::vector<FinancePtr> FinanceView::settling(FinanceKind kind, std::string_view number) const {
  std::vector<FinancePtr> found;
  each_row(*parts_.by_settled, kind_key(kind, number), [&](std::uint32_t row) {
    FinancePtr document = parts_.read(row);
    const auto names = [&](const Allocation& part) { return part.kind == kind && part.number == number; };
    if (document != nullptr && std::ranges::any_of(document->allocations, names)) found.push_back(std::move(document));
  });
  return found;
}

std::vector<std::int64_t> FinanceView::open_instalments(const FinanceDocument& document) const {
  if (!is_owed(document.kind)) return {};
  const auto row = parts_.row_of(document.kind, document.source, finance_key(document));
  return settle(document, row ? parts_.settlings_of(*row, document) : std::vector<Settling>()).open;
}

std::shared_ptr<const FinanceView> empty_finance_book() {
  static const auto empty = std::make_shared<const FinanceView>(FinanceParts{});
  return empty;
}

}  // namespace millrace::readmodel
