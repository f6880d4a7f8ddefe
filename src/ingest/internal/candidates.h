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
};

CandidateSummary summarise(const SalesOrder& order, std::uint32_t ordinal, std::vector<std::string> flags);

// True when `left` counts rather than `right`.
bool counts_before(const Claim& left, const Claim& right);

// Same stamp, other amounts: nobody can tell which is right, so somebody should look.
std::optional<std::string> disagreement(const Claim& counts, const Claim& other, Currency currency);

}  // namespace millrace::ingest
