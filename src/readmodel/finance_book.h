// The finance documents as of one Sequence, and the postings that follow from them.
//
// A posting is one movement of what somebody owes: an instalment of an invoice adds, what settles it takes away under the
// same due day and party. So what is open on any day is the sum of the postings up to that day, by whatever they are grouped.
//
// Invariants
//   * Immutable; any thread may read it for as long as it holds the Snapshot. Publishing copies what changed only.
//   * What is cancelled makes no postings. A payment's part that settles nothing known is a posting of its own, on account,
//     due when it was posted. What is closed or `paid` owes nothing from that day on, whatever was allocated.
//   * What settles an invoice of the same number from several sources settles that of its own source, else the first by source.
//   * Postings of each side are columns of equal length in chunks, so that ten million are scanned in a few milliseconds.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "domain/finance.h"
#include "readmodel/no_day.h"

namespace millrace::readmodel {

using FinancePtr = std::shared_ptr<const FinanceDocument>;

enum class LedgerSide : std::uint8_t { receivables, payables };

// Columns of up to 65,536 postings; rows that are gone have amount 0. Their order says nothing.
struct LedgerChunk {
  std::vector<std::int32_t> posted;     // day number
  std::vector<std::int32_t> due;        // day number or no_day
  std::vector<std::int64_t> amount;     // minor units, + owed, - settled
  std::vector<std::uint32_t> party;     // code of `parties`
  std::vector<std::uint16_t> currency;  // code of `currencies`
  std::vector<std::uint32_t> document;  // row of the document that is owed (invoice, bill), or on account the payment
};

class FinanceBook {
 public:
  virtual ~FinanceBook() = default;

  virtual std::size_t count(FinanceKind kind) const = 0;
  // Every document of the kind, in a fixed order; a false answer ends it.
  virtual void each(FinanceKind kind, const std::function<bool(const FinancePtr&)>& row) const = 0;
  // Null when there is none. Of several sources with one number: the first by source id.
  virtual FinancePtr find(FinanceKind kind, std::string_view number) const = 0;
  // The one that a source keeps under the key. Null when there is none.
  virtual FinancePtr find_of(FinanceKind kind, std::string_view source, std::string_view key) const;
  virtual FinancePtr document(std::uint32_t row) const = 0;  // of LedgerChunk::document
  // Documents whose lines name the order: deliveries, invoices, credit notes.
  virtual std::vector<FinancePtr> of_order(std::string_view order) const = 0;
  // Documents of a customer or supplier, of the kind.
  virtual std::vector<FinancePtr> of_party(FinanceKind kind, std::string_view party) const = 0;
  // Payments, credit notes and write-offs that settle the document.
  virtual std::vector<FinancePtr> settling(FinanceKind kind, std::string_view number) const = 0;
  // What is still owed of an invoice or bill, per instalment, as of today's state; in its currency. Of the last one below
  // zero when more was settled than owed.
  virtual std::vector<std::int64_t> open_instalments(const FinanceDocument& document) const = 0;

  virtual std::size_t chunk_count(LedgerSide side) const = 0;
  virtual const LedgerChunk& chunk(LedgerSide side, std::size_t index) const = 0;
  virtual std::string_view party(std::uint32_t code) const = 0;       // its code
  virtual std::string_view party_name(std::uint32_t code) const = 0;  // as the newest document has it
  virtual std::uint32_t party_count() const = 0;
  virtual Currency currency(std::uint16_t code) const = 0;
  virtual std::uint16_t currency_count() const = 0;
  // Changes whenever a document changes; 0: there never was one. Answers may be kept under it.
  virtual std::uint64_t version() const = 0;
};

}  // namespace millrace::readmodel
