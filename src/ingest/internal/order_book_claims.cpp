// Which documents speak of which order.
//
//   number of a document ── stands_for ──> order      its own number, unless the ERP's order names it as the customer's
//
// Whether a number stands for another order follows from: documents of services with that number (none may be), orders
// of services with that customer reference (exactly one), and the customers of both (they may not differ). Whoever
// changes one of these touches all orders that it can move a document between.
#include <set>

#include "base/text.h"
#include "ingest/internal/order_book_state.h"

namespace millrace::ingest {
namespace {

// A reference on so many orders ("by phone") names none of them.
constexpr std::size_t references_max = 16;

bool customers_differ(const CandidateView& left, const CandidateView& right) {
  return left.customer > no_customer && right.customer > no_customer && left.customer != right.customer;
}

}  // namespace

Claim OrderBook::Impl::claim_of(const CandidateView& candidate) const {
  const FileRow& row = table.row(candidate.file);
  const std::string_view source = table.source_name(row.source), format = table.format(candidate.file);
  return {candidate, source, table.path(candidate.file), format, row.mtime_ns, row.state == store::FileRecord::State::damaged,
          is_service(source), false};
}

std::string OrderBook::Impl::stands_for(std::string_view number) const {
  std::string itself(number);
  if (!rules.join_by_reference || !table.has_references()) return itself;
  const std::size_t named = table.count_by_reference(number);
  if (named == 0 || named > references_max) return itself;
  const std::vector<CandidateView> own = table.claims(number);
  if (std::ranges::any_of(own, [&](const CandidateView& each) { return claim_of(each).is_service; })) return itself;
  std::set<std::string_view> orders;
  for (const CandidateView& service : table.claims_by_reference(number))
    if (std::ranges::none_of(own, [&](const CandidateView& each) { return customers_differ(each, service); })) orders.insert(service.number);
  return orders.size() == 1 ? std::string(*orders.begin()) : itself;
}

std::vector<Claim> OrderBook::Impl::claims_of(std::string_view number) const {
  std::vector<Claim> claims;
  for (const CandidateView& candidate : table.claims(number)) claims.push_back(claim_of(candidate));
  if (table.has_references() && !claims.empty()) {
    if (stands_for(number) != number) return {};
    std::set<std::string_view> references;
    for (const Claim& claim : claims)
      if (!claim.candidate.reference.empty() && claim.candidate.reference != number) references.insert(claim.candidate.reference);
    for (const std::string_view reference : references) {
      if (!table.knows_order(reference) || stands_for(reference) != number) continue;
      for (const CandidateView& candidate : table.claims(reference)) {
        claims.push_back(claim_of(candidate));
        claims.back().by_reference = true;
      }
    }
  }
  std::ranges::sort(claims, counts_before);
  return claims;
}

void OrderBook::Impl::touch_one(std::string_view number, std::string_view lost_because) {
  const auto [order, is_new] = touched.try_emplace(std::string(number));
  if (is_new)
    if (const auto claims = claims_of(number); !claims.empty()) order->second.digest = digest_of(number, claims);
  if (!lost_because.empty()) order->second.lost_because = lost_because;
}

// One more than the bound: the one that goes may make the others count.
void OrderBook::Impl::touch_named_by(std::string_view reference) {
  if (table.count_by_reference(reference) > references_max + 1) return;
  for (const CandidateView& service : table.claims_by_reference(reference)) touch_one(service.number);
}

void OrderBook::Impl::touch(std::string_view number, std::string_view reference, std::string_view lost_because) {
  touch_one(number, lost_because);
  if (table.has_references()) touch_named_by(number);
  if (reference.empty() || !table.knows_order(reference)) return;
  touch_one(reference);
  touch_named_by(reference);
}

void OrderBook::Impl::touch_orders_of(FileId file, std::string_view lost_because) {
  for (const CandidateView& candidate : table.candidate_views(file)) touch(candidate.number, candidate.reference, lost_because);
}

std::string OrderBook::Impl::gone_text(FileId file) const {
  const std::string& source = table.source_name(table.row(file).source);
  const std::string path = printable(table.path(file));
  return is_service(source) ? "no longer in " + source + ": " + path : "file deleted: " + path;
}

void OrderBook::Impl::note_joined_away(std::string_view number) {
  if (joined_away.empty() && !table.has_references()) return;
  if (table.knows_order(number) && stands_for(number) != number) joined_away.emplace(number);
  else joined_away.erase(std::string(number));
}

}  // namespace millrace::ingest
