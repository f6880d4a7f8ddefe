#include "ingest/internal/candidates.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "domain/order_codec.h"
#include "domain/order_rules.h"

namespace millrace::ingest {
namespace {

int precedence(std::string_view format) {
  static constexpr std::array<std::string_view, 4> order{"json", "csv", "xlsx", "pdf"};
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] == format) return static_cast<int>(i);
  return static_cast<int>(order.size());
}

std::uint32_t customer_hash(const SalesOrder& order) {
  if (order.customer_code.empty()) return no_customer;
  return std::max(no_customer + 1, static_cast<std::uint32_t>(hash64(search_fold(trim(order.customer_code)))));
}

}  // namespace

Instant stamp(const Claim& claim) {
  if (claim.candidate.updated) return *claim.candidate.updated;
  return Instant{std::chrono::milliseconds{claim.mtime_ns / 1'000'000}};
}

CandidateSummary summarise(const SalesOrder& order, std::uint32_t ordinal, std::vector<std::string> flags, bool is_service, bool keep_customer) {
  const OrderAmounts sums = amounts(order);
  return {order.number.text, ordinal, static_cast<std::uint32_t>(order.lines.size()), order.updated, sums.total, sums.open,
          hash64(encode_with_status(order, "")), std::move(flags),
          is_service ? order.customer_reference : std::string(), keep_customer ? customer_hash(order) : 0};
}

bool counts_before(const Claim& left, const Claim& right) {
  if (stamp(left) != stamp(right)) return stamp(left) > stamp(right);
  if (left.mtime_ns != right.mtime_ns) return left.mtime_ns > right.mtime_ns;
  if (left.format != right.format) return precedence(left.format) < precedence(right.format);
  if (left.path != right.path) return left.path < right.path;
  if (left.source != right.source) return left.source < right.source;
  return left.candidate.ordinal < right.candidate.ordinal;
}

std::optional<std::string> disagreement(const Claim& counts, const Claim& other, Currency currency) {
  const CandidateView &mine = counts.candidate, &theirs = other.candidate;
  if (stamp(counts) != stamp(other)) return std::nullopt;
  if (mine.total == theirs.total && mine.open == theirs.open && mine.line_count == theirs.line_count) return std::nullopt;
  return printable(other.path) + " has the same stamp but says total " +
         decimal_text(Money{theirs.total, currency}) + ", open " + decimal_text(Money{theirs.open, currency}) + " in " +
         std::to_string(theirs.line_count) + " lines; the document that counts says " +
         decimal_text(Money{mine.total, currency}) + ", " + decimal_text(Money{mine.open, currency}) + " in " +
         std::to_string(mine.line_count) + ": remove the wrong one";
}

}  // namespace millrace::ingest
