#include "ingest/internal/candidates.h"

#include <array>

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "domain/order_codec.h"
#include "domain/order_rules.h"

namespace millrace::ingest {
namespace {

Instant stamp(const Claim& claim) {
  const CandidateSummary& summary = claim.summary();
  if (summary.updated) return *summary.updated;
  return Instant{std::chrono::milliseconds{claim.file->record.mtime_ns / 1'000'000}};
}

int precedence(std::string_view format) {
  static constexpr std::array<std::string_view, 4> order{"json", "csv", "xlsx", "pdf"};
  for (std::size_t i = 0; i < order.size(); ++i)
    if (order[i] == format) return static_cast<int>(i);
  return static_cast<int>(order.size());
}

}  // namespace

const CandidateSummary& Claim::summary() const {
  for (const CandidateSummary& candidate : file->candidates)
    if (candidate.ordinal == ordinal) return candidate;
  check(false, "a claim's candidate is in its file");
  return file->candidates.front();
}

CandidateSummary summarise(const SalesOrder& order, std::uint32_t ordinal, std::vector<std::string> flags) {
  SalesOrder content = order;
  content.status.clear();
  const OrderAmounts sums = amounts(order);
  return {order.number.text, ordinal, static_cast<std::uint32_t>(order.lines.size()), order.updated, sums.total, sums.open,
          hash64(encode(content)), std::move(flags)};
}

bool counts_before(const Claim& left, const Claim& right) {
  if (stamp(left) != stamp(right)) return stamp(left) > stamp(right);
  const store::FileRecord &l = left.file->record, &r = right.file->record;
  if (l.mtime_ns != r.mtime_ns) return l.mtime_ns > r.mtime_ns;
  if (l.format != r.format) return precedence(l.format) < precedence(r.format);
  if (l.path != r.path) return l.path < r.path;
  if (*left.source != *right.source) return *left.source < *right.source;
  return left.ordinal < right.ordinal;
}

std::optional<std::string> disagreement(const Claim& counts, const Claim& other, Currency currency) {
  const CandidateSummary &mine = counts.summary(), &theirs = other.summary();
  if (stamp(counts) != stamp(other)) return std::nullopt;
  if (mine.total == theirs.total && mine.open == theirs.open && mine.line_count == theirs.line_count) return std::nullopt;
  return printable(other.file->record.path) + " has the same stamp but says total " +
         decimal_text(Money{theirs.total, currency}) + ", open " + decimal_text(Money{theirs.open, currency}) + " in " +
         std::to_string(theirs.line_count) + " lines; the document that counts says " +
         decimal_text(Money{mine.total, currency}) + ", " + decimal_text(Money{mine.open, currency}) + " in " +
         std::to_string(mine.line_count) + ": remove the wrong one";
}

}  // namespace millrace::ingest
