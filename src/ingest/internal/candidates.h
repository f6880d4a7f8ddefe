// What the order book remembers of each document's statement about one order, and which of several counts.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/order.h"
#include "feed/change.h"
#include "store/record.h"

namespace millrace::ingest {

struct CandidateSummary {
  std::string number;
  std::uint32_t ordinal = 0;
  std::uint32_t line_count = 0;
  std::optional<Instant> updated;
  std::int64_t total = 0;
  std::int64_t open = 0;
  std::uint64_t digest = 0;  // of the whole content, status excepted
  std::vector<std::string> flags;
};

struct BookFile {
  store::FileRecord record;
  std::vector<CandidateSummary> candidates;
};

// One document that speaks of an order. Points into the book's maps, whose nodes do not move.
struct Claim {
  const std::string* source = nullptr;
  const BookFile* file = nullptr;
  std::uint32_t ordinal = 0;

  const CandidateSummary& summary() const;
};

CandidateSummary summarise(const SalesOrder& order, std::uint32_t ordinal, std::vector<std::string> flags);

// True when `left` counts rather than `right`.
bool counts_before(const Claim& left, const Claim& right);

// Same stamp, other amounts: nobody can tell which is right, so somebody should look.
std::optional<std::string> disagreement(const Claim& counts, const Claim& other, Currency currency);

}  // namespace millrace::ingest
