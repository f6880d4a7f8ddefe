#include "readmodel/finance_table.h"

#include <algorithm>
#include <functional>

#include "base/check.h"
#include "base/turns.h"
#include "domain/finance_codec.h"

namespace millrace::readmodel {
namespace {

bool has_party(const FinanceDocument& document) { return party_of(document.kind) != FinanceParty::none && !document.party_code.empty(); }

}  // namespace

FinanceParts FinanceTable::parts() const {
  FinanceParts now;
  now.documents = documents_.share();
  now.by_key = by_key_.share();
  now.by_party = by_party_.share();
  now.by_order = by_order_.share();
  now.by_settled = by_settled_.share();
  for (std::size_t side = 0; side < ledgers_.size(); ++side) now.ledgers[side] = ledgers_[side].blocks.share();
  now.parties = parties_.share();
  now.currencies = currencies_;
  now.counts = counts_;
  now.party_count = static_cast<std::uint32_t>(party_codes_.size());
  now.version = version_;
  return now;
}

std::uint32_t FinanceTable::take_row() {
  if (free_rows_.empty()) {
    first_slot_.push_back(no_slot);
    return rows_used_++;
  }
  std::ranges::pop_heap(free_rows_, std::greater<>());
  const std::uint32_t row = free_rows_.back();
  free_rows_.pop_back();
  return row;
}

void FinanceTable::index(std::uint32_t row, const FinanceDocument& document, bool add) {
  const auto keep = [&](TextRows& rows, std::string_view text) { add ? rows.insert(text, row, epoch_) : rows.erase(text, row, epoch_); };
  keep(by_key_, kind_key(document.kind, finance_key(document)));
  if (has_party(document)) keep(by_party_, party_key(side_of(document.kind), document.party_code));
  const OrderNumber* last = nullptr;  // most lines are of the order of the line before
  for (const FinanceLine& line : document.lines) {
    if (!line.order.text.empty() && (last == nullptr || line.order.text != last->text)) keep(by_order_, line.order.text);
    last = &line.order;
  }
  for (const Allocation& part : document.allocations) keep(by_settled_, kind_key(part.kind, part.number));
  std::uint64_t& count = counts_[static_cast<std::size_t>(document.kind)];
  add ? ++count : --count;
}

// Whose postings follow from the document: its own, what it settles, what settles it, and others of its number.
void FinanceTable::touch(std::uint32_t row, const FinanceDocument& document) {
  const auto mark = [&](std::uint32_t other) { dirty_.insert(other); };
  if (is_owed(document.kind) || is_credit(document.kind)) {
    each_row(*by_key_.share(), kind_key(document.kind, document.number), mark);
    each_row(*by_settled_.share(), kind_key(document.kind, document.number), mark);
  }
  for (const Allocation& part : document.allocations) each_row(*by_key_.share(), kind_key(part.kind, part.number), mark);
  if (is_owed(document.kind) || settles(document.kind)) dirty_.insert(row);
}

void FinanceTable::put(const FinanceDocument& document, std::uint64_t version) {
  version_ = version;
  const FinanceParts now = parts();
  const auto found = now.row_of(document.kind, document.source, finance_key(document));
  const std::uint32_t row = found ? *found : take_row();
  if (found) {
    const FinancePtr before = now.read(row);
    touch(row, *before);
    index(row, *before, false);
  }
  documents_.own(row / document_chunk_rows, epoch_).put(row % document_chunk_rows, document.kind, encode(document));
  index(row, document, true);
  touch(row, document);
  name_party(document);
}

void FinanceTable::remove(FinanceKind kind, std::string_view source, std::string_view key, std::uint64_t version) {
  const FinanceParts now = parts();
  const auto row = now.row_of(kind, source, key);
  if (!row) return;
  version_ = version;
  const FinancePtr before = now.read(*row);
  touch(*row, *before);
  index(*row, *before, false);
  // Its postings go at once: the row may be another's before the next publishing.
  write_postings(side_of(kind), *row, nullptr, {});
  dirty_.erase(*row);
  documents_.own(*row / document_chunk_rows, epoch_).remove(*row % document_chunk_rows);
  free_rows_.push_back(*row);
  std::ranges::push_heap(free_rows_, std::greater<>());
}

void FinanceTable::restore(std::uint32_t row, std::string_view bytes) {
  check(row >= rows_used_, "documents are restored in the order of their rows");
  const auto read = decode_finance_document(bytes);
  check(read.has_value(), "what is restored was read before");
  const FinanceDocument& document = *read;
  for (; rows_used_ < row; ++rows_used_) free_rows_.push_back(rows_used_);
  rows_used_ = row + 1;
  first_slot_.resize(rows_used_, no_slot);
  documents_.own(row / document_chunk_rows, epoch_).put(row % document_chunk_rows, document.kind, bytes);
  index(row, document, true);
  if (is_owed(document.kind) || settles(document.kind)) dirty_.insert(row);
}

void FinanceTable::restored(std::uint64_t version) {
  std::ranges::make_heap(free_rows_, std::greater<>());
  version_ = version;
}

std::shared_ptr<const FinanceView> FinanceTable::publish() {
  if (version_ == published_->version()) return published_;
  settle_all();
  published_ = std::make_shared<const FinanceView>(parts());
  ++epoch_;  // from here on everything published is copied before it is changed
  return published_;
}

void FinanceTable::settle_all() {
  std::vector<std::uint32_t> rows(dirty_.begin(), dirty_.end());
  dirty_.clear();
  std::ranges::sort(rows);
  const FinanceParts now = parts();
  for (const std::uint32_t row : rows) {
    give_turn();
    settle(now, row);
  }
}

void FinanceTable::settle(const FinanceParts& now, std::uint32_t row) {
  const FinancePtr document = now.read(row);
  if (document == nullptr || party_of(document->kind) == FinanceParty::none) return;
  write_postings(side_of(document->kind), row, document.get(), now.postings_of(row, *document));
}

// Slots that hold already what they should are left alone: a payment adds one posting and moves no other.
void FinanceTable::write_postings(LedgerSide side, std::uint32_t row, const FinanceDocument* document, std::span<const Posting> postings) {
  Ledger& ledger = ledgers_[static_cast<std::size_t>(side)];
  const std::uint32_t party = postings.empty() ? 0 : party_code(side, document->party_code);
  const std::uint16_t currency = postings.empty() ? std::uint16_t(0) : currency_code(document->currency);
  std::uint32_t previous = no_slot;
  const auto link = [&]() -> std::uint32_t& { return previous == no_slot ? first_slot_[row] : ledger.next[previous]; };
  for (const Posting& posting : postings) {
    if (link() == no_slot) {
      const std::uint32_t fresh = take_slot(ledger);  // moves what `link` answers
      link() = fresh;
    }
    const std::uint32_t slot = previous = link();
    const std::size_t at = slot % ledger_chunk_rows;
    const LedgerBlock* there = ledger.blocks.find(slot / ledger_chunk_rows);
    if (there->amount[at] == posting.amount && there->posted[at] == posting.posted && there->due[at] == posting.due && there->party[at] == party &&
        there->currency[at] == currency && there->document[at] == row)
      continue;
    LedgerBlock& block = ledger.blocks.own(slot / ledger_chunk_rows, epoch_);
    block.posted[at] = posting.posted;
    block.due[at] = posting.due;
    block.amount[at] = posting.amount;
    block.party[at] = party;
    block.currency[at] = currency;
    block.document[at] = row;
  }
  for (std::uint32_t slot = std::exchange(link(), no_slot); slot != no_slot;) {
    ledger.blocks.own(slot / ledger_chunk_rows, epoch_).amount[slot % ledger_chunk_rows] = 0;
    ledger.free.push_back(slot);
    slot = std::exchange(ledger.next[slot], no_slot);
  }
}

std::uint32_t FinanceTable::take_slot(Ledger& ledger) {
  if (!ledger.free.empty()) {
    const std::uint32_t slot = ledger.free.back();
    ledger.free.pop_back();
    return slot;
  }
  const auto slot = static_cast<std::uint32_t>(ledger.next.size());
  ledger.next.push_back(no_slot);
  LedgerBlock& block = ledger.blocks.own(slot / ledger_chunk_rows, epoch_);
  block.posted.push_back(0);
  block.due.push_back(0);
  block.amount.push_back(0);
  block.party.push_back(0);
  block.currency.push_back(0);
  block.document.push_back(0);
  return slot;
}

std::uint32_t FinanceTable::party_code(LedgerSide side, std::string_view code_text) {
  const auto [at, fresh] = party_codes_.try_emplace(party_key(side, code_text), static_cast<std::uint32_t>(party_codes_.size()));
  if (fresh) parties_.own(at->second / party_block_size, epoch_).parties.push_back({side, std::string(code_text), ""});
  return at->second;
}

void FinanceTable::name_party(const FinanceDocument& document) {
  if (party_of(document.kind) == FinanceParty::none || document.party_code.empty()) return;
  restore_party(side_of(document.kind), document.party_code, document.party_name);
}

void FinanceTable::restore_party(LedgerSide side, std::string_view code_text, std::string_view name) {
  const std::uint32_t code = party_code(side, code_text);
  const std::size_t block = code / party_block_size, at = code % party_block_size;
  if (!name.empty() && parties_.find(block)->parties[at].name != name) parties_.own(block, epoch_).parties[at].name = name;
}

std::uint16_t FinanceTable::currency_code(Currency currency) {
  const auto at = std::ranges::find(*currencies_, currency);
  if (at != currencies_->end()) return static_cast<std::uint16_t>(at - currencies_->begin());
  auto more = std::make_shared<std::vector<Currency>>(*currencies_);
  more->push_back(currency);
  currencies_ = std::move(more);
  return static_cast<std::uint16_t>(currencies_->size() - 1);
}

}  // namespace millrace::readmodel
