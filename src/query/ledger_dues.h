// What of each invoice or bill falls due on which day, and what became of it: the postings of one side, added up.
//
// Invariants
//   * The sum of `open` is the sum of all postings of the side.
//   * One entry per (document, due day), in the order of the documents' rows. Pure.
#pragma once
#include <cstdint>
#include <vector>

#include "readmodel/finance_book.h"

namespace millrace::query {

struct LedgerDue {
  std::uint32_t document = 0;  // of FinanceBook::document
  std::uint32_t party = 0;
  std::uint16_t currency = 0;
  std::int32_t due = readmodel::no_day;
  std::int32_t posted = readmodel::no_day;   // when it was first owed
  std::int32_t settled = readmodel::no_day;  // the newest posting that took something away
  std::int64_t owed = 0;                     // what was added
  std::int64_t open = 0;
};
std::vector<LedgerDue> ledger_dues(const readmodel::FinanceBook& book, readmodel::LedgerSide side);

}  // namespace millrace::query
