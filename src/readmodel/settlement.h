// How much of an invoice or bill is paid, and the postings that say so: pure rules.
//
// Invariants
//   * The postings of a document add up to what is open of it, on any day up to that day.
//   * What settles it goes to the instalment it names, else to the oldest that is open; what is too much stays with the last one.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "domain/finance.h"

namespace millrace::readmodel {

struct Posting {
  std::int32_t posted = 0;
  std::int32_t due = 0;  // or no_day
  std::int64_t amount = 0;
  bool operator==(const Posting&) const = default;
};

struct Settling {
  std::int32_t posted = 0;
  std::int32_t instalment = 0;  // from 1; 0: the oldest that is open
  std::int64_t amount = 0;
};

struct Settled {
  std::vector<std::int64_t> open;  // by instalment
  std::vector<Posting> postings;
};

// As `document` says, or all at once on its due day.
std::vector<Instalment> instalments_owed(const FinanceDocument& document);

// Of an invoice or bill. `settlings` in the order in which they count.
Settled settle(const FinanceDocument& document, std::span<const Settling> settlings);

// What a payment, credit note or write-off leaves when `used` of it found its invoice, and what took it away later.
std::vector<Posting> on_account(const FinanceDocument& document, std::int64_t used, std::span<const Settling> taken);

}  // namespace millrace::readmodel
