// What people write on orders: one more voice, above what the sources say, kept with the change it causes.
#include "ingest/internal/order_book_state.h"

namespace millrace::ingest {

OverlayBook& OrderBook::overlays() { return impl_->overlays; }

bool OrderBook::has_order(const std::string& number) const { return !impl_->claims_of(number).empty(); }

Result<std::string> OrderBook::says(const std::string& number, std::string_view field) {
  // Only a promise stands in documents; for all other fields nothing has to be read.
  if (field != overlay_field::promised_date) return std::string();
  const std::vector<Claim> claims = impl_->claims_of(number);
  if (claims.empty()) return std::string();
  const auto put = impl_->sources_put(number, claims);
  if (!put) return pass_on(put);
  return beneath(*put->order, field);
}

OrderBook::KeptOverlays OrderBook::keep_overlay(OverlayPlan plan) {
  Impl& book = *impl_;
  KeptOverlays done;
  for (const OverlayEdit& edit : plan.edits) {
    book.touch_one(edit.order);
    book.touched[edit.order].by = edit.author;
    const std::vector<Claim> claims = book.claims_of(edit.order);
    if (done.source.empty() && !claims.empty()) done.source = claims.front().source;
  }
  // An order that is away: its overlay is kept in a batch of its own.
  if (done.source.empty()) done.source = book.table.source_count() > 0 ? book.table.source_name(0) : std::string(overlay_space);
  OverlayBook::Kept kept = book.overlays.keep(std::move(plan));
  for (store::KeptRow& row : kept.rows) {
    if (row.space == overlay_space) book.forget_kept(overlay_space, row.key);
    book.kept_put.push_back(std::move(row));
  }
  done.edits = std::move(kept.edits);
  return done;
}

}  // namespace millrace::ingest
