#include "readmodel/finance_parts.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "domain/finance_codec.h"

namespace millrace::readmodel {

void DocumentChunk::put(std::size_t at, FinanceKind of, std::string_view bytes) {
  if (kind[at] != 0) remove(at);
  // Chunks grow by an eighth: doubling would leave half of their memory unused.
  if (heap.size() + bytes.size() > heap.capacity()) heap.reserve(heap.size() + heap.size() / 8 + bytes.size() + 64);
  kind[at] = static_cast<std::uint8_t>(of);
  begin[at] = static_cast<std::uint32_t>(heap.size());
  size[at] = static_cast<std::uint32_t>(bytes.size());
  heap.insert(heap.end(), bytes.begin(), bytes.end());
}

void DocumentChunk::remove(std::size_t at) {
  waste += size[at];
  kind[at] = 0;
  begin[at] = size[at] = 0;
}

std::shared_ptr<DocumentChunk> copy_block(const DocumentChunk& chunk) {
  if (chunk.waste * 4 < chunk.heap.size()) return std::make_shared<DocumentChunk>(chunk);
  auto copy = std::make_shared<DocumentChunk>();
  copy->heap.reserve(chunk.heap.size() - chunk.waste);
  for (std::size_t i = 0; i < document_chunk_rows; ++i)
    if (chunk.kind[i] != 0) copy->put(i, static_cast<FinanceKind>(chunk.kind[i]), chunk.bytes(i));
  return copy;
}

LedgerSide side_of(FinanceKind kind) { return party_of(kind) == FinanceParty::supplier ? LedgerSide::payables : LedgerSide::receivables; }

std::string kind_key(FinanceKind kind, std::string_view text) {
  std::string key(1, static_cast<char>(kind));
  return key.append(text);
}

std::string party_key(LedgerSide side, std::string_view code) {
  std::string key(1, side == LedgerSide::receivables ? 'c' : 's');
  return key.append(code);
}

bool is_owed(FinanceKind kind) { return kind == FinanceKind::invoice || kind == FinanceKind::bill; }
bool is_credit(FinanceKind kind) { return kind == FinanceKind::credit_note || kind == FinanceKind::supplier_credit; }
bool settles(FinanceKind kind) {
  return is_credit(kind) || kind == FinanceKind::payment || kind == FinanceKind::supplier_payment || kind == FinanceKind::write_off;
}

std::string_view FinanceParts::bytes(std::uint32_t row) const {
  const std::size_t chunk = row / document_chunk_rows;
  if (chunk >= documents->size() || (*documents)[chunk] == nullptr) return {};
  return (*documents)[chunk]->bytes(row % document_chunk_rows);
}

FinancePtr FinanceParts::read(std::uint32_t row) const {
  const std::string_view encoded = bytes(row);
  if (encoded.empty()) return nullptr;
  auto document = decode_finance_document(encoded);
  check(document.has_value(), "a document of the finance book can be read");
  return std::make_shared<const FinanceDocument>(std::move(*document));
}

std::optional<std::uint32_t> FinanceParts::row_of(FinanceKind kind, std::string_view source, std::string_view key) const {
  std::optional<std::uint32_t> found;
  each_row(*by_key, kind_key(kind, key), [&](std::uint32_t row) {
    const auto head = finance_head(bytes(row));
    if (found || !head || head->kind != kind || head->source != source) return;
    // Of most kinds the key is the number, and nothing else has to be read.
    if (kind != FinanceKind::rate ? head->number == key : finance_key(*read(row)) == key) found = row;
  });
  return found;
}

std::optional<std::uint32_t> FinanceParts::resolve(FinanceKind kind, std::string_view number, std::string_view preferred) const {
  std::optional<std::uint32_t> best;
  std::string_view best_source;
  each_row(*by_key, kind_key(kind, number), [&](std::uint32_t row) {
    const auto head = finance_head(bytes(row));
    if (!head || head->kind != kind || head->number != number) return;
    if (best && (best_source == preferred || (head->source != preferred && best_source <= head->source))) return;
    best = row;
    best_source = head->source;
  });
  return best;
}

void FinanceParts::each_settling(std::uint32_t row, const FinanceDocument& document,
                                 const std::function<void(const FinancePtr&, const Allocation&)>& visit) const {
  std::vector<FinancePtr> found;
  each_row(*by_settled, kind_key(document.kind, document.number), [&](std::uint32_t other) {
    FinancePtr settling = read(other);
    if (settling != nullptr && !settling->cancelled) found.push_back(std::move(settling));
  });
  std::ranges::sort(found, {}, [](const FinancePtr& one) { return std::tie(one->posted, one->kind, one->source, one->number); });
  for (const FinancePtr& settling : found)
    for (const Allocation& part : settling->allocations)
      if (part.kind == document.kind && part.number == document.number && resolve(part.kind, part.number, settling->source) == row)
        visit(settling, part);
}

std::vector<Settling> FinanceParts::settlings_of(std::uint32_t row, const FinanceDocument& document) const {
  std::vector<Settling> settlings;
  each_settling(row, document, [&](const FinancePtr& by, const Allocation& part) {
    settlings.push_back({by->posted ? day_number(*by->posted) : 0, part.instalment, part.amount});
  });
  return settlings;
}

// What of a payment found its invoice. One in another currency took all of it: how much is not said.
std::int64_t FinanceParts::used_of(const FinanceDocument& document) const {
  std::int64_t used = 0;
  for (const Allocation& part : document.allocations) {
    const auto row = resolve(part.kind, part.number, document.source);
    const FinancePtr target = row ? read(*row) : nullptr;
    if (target == nullptr || target->cancelled) continue;
    if (target->currency != document.currency) return document.amount;
    used += is_credit(part.kind) ? -part.amount : part.amount;
  }
  return used;
}

std::vector<Posting> FinanceParts::postings_of(std::uint32_t row, const FinanceDocument& document) const {
  if (is_owed(document.kind)) return settle(document, settlings_of(row, document)).postings;
  if (!settles(document.kind)) return {};
  const std::vector<Settling> taken = is_credit(document.kind) ? settlings_of(row, document) : std::vector<Settling>();
  return on_account(document, used_of(document), taken);
}

}  // namespace millrace::readmodel
