// What the order book remembers of each document's statement about one order, and which of several counts.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "domain/order.h"
#include "ingest/internal/book_table.h"

namespace millrace::ingest {

// One document that speaks of an order. Views hold until the book's table changes.
struct Claim {
  CandidateView candidate;
  std::string_view source, path, format;
  std::int64_t mtime_ns = 0;
  bool damaged = false;
  bool is_service = false;
  bool by_reference = false;  // carries the customer reference of the order as its own number
};

// `is_service`: what others may be found by is kept too. `keep_customer`: so that they are found for the right customer.
CandidateSummary summarise(const SalesOrder& order, std::uint32_t ordinal, std::vector<std::string> flags, bool is_service, bool keep_customer);

// How new the document is: its own stamp, else the file's time.
Instant stamp(const Claim& claim);

// True when `left` counts rather than `right`.
bool counts_before(const Claim& left, const Claim& right);

// Same stamp, other amounts: nobody can tell which is right, so somebody should look.
std::optional<std::string> disagreement(const Claim& counts, const Claim& other, Currency currency);

}  // namespace millrace::ingest
