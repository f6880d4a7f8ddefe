// What people write on orders, through the one door: planned on the book, committed with the orders as they then count.
#include <limits>

#include "base/text.h"
#include "ingest/intake.h"

namespace millrace::ingest {

Result<void> Intake::restore_overlays() {
  Result<void> restored;
  book_.overlays().forget();
  const auto read = record_.kept(std::string(overlay_space), [&](const store::KeptRow& row) {
    restored = book_.overlays().restore(row);
    return restored.has_value();
  });
  if (!read) return pass_on(read);
  note_next_end();
  return restored;
}

void Intake::note_next_end() {
  const auto next = book_.overlays().next_end();
  next_end_ = next ? next->time_since_epoch().count() : std::numeric_limits<std::int64_t>::max();
}

Result<OverlayState> Intake::overlay_state(const std::string& order) {
  OverlayState state{order, 0, {}};
  const KeptOverlay* overlay = book_.overlays().find(order);
  if (overlay == nullptr) return state;
  state.version = overlay->version();
  for (const OverlayValue& value : overlay->values) {
    auto beneath = book_.says(order, value.field);
    if (!beneath) return pass_on(beneath);
    state.fields.push_back({value, std::move(*beneath)});
  }
  return state;
}

namespace {

Failure no_order(const std::string& order) {
  return fail(ErrorCode::not_found, "there is no order " + printable(std::string_view(order).substr(0, 64)) + "; check the number without the source's prefix");
}

}  // namespace

Result<OverlayState> Intake::overlay(const std::string& order) {
  const std::lock_guard lock(mutex_);
  if (book_.overlays().find(order) == nullptr && !book_.has_order(order)) return no_order(order);
  return overlay_state(order);
}

Result<void> Intake::commit_overlay(OverlayPlan plan, OverlayAnswer& answer) {
  if (plan.edits.empty()) return {};
  const OrderBook::KeptOverlays kept = book_.keep_overlay(std::move(plan));
  note_next_end();
  answer.edit = kept.edits.front().id;
  answer.group = kept.edits.front().group;
  answer.orders = kept.edits.size();
  const auto wrote = decide_and_commit(kept.source);
  give_image();
  if (!wrote) return pass_on(wrote);
  return {};
}

Result<OverlayAnswer> Intake::write_overlay(const std::string& order, const OverlayAsker& asker, const OverlayPlanner& planner) {
  const std::lock_guard lock(mutex_);
  // An edit that waits for the record cannot be read back from it.
  if (const auto sent = send_unsent(); !sent) return pass_on(sent);
  OverlayBook& overlays = book_.overlays();
  if (!order.empty() && overlays.find(order) == nullptr && !book_.has_order(order)) return no_order(order);
  OverlayAnswer answer;
  if (!asker.key.empty()) {
    const auto made = overlays.made_by(asker.key, asker.at);
    if (!made) return pass_on(made);
    if (*made && (*made)->wish != asker.wish)
      return fail(ErrorCode::conflict, "the Idempotency-Key \"" + printable(asker.key) + "\" came with another wish before; take a new one");
    if (*made) {
      answer.replayed = true;
      answer.edit = (*made)->id;
      answer.group = (*made)->group;
    }
  }
  if (!answer.replayed) {
    auto plan = planner(overlays, [this](const std::string& number, std::string_view field) { return book_.says(number, field); });
    if (!plan) return pass_on(plan);
    answer.conflicts = std::move(plan->conflicts);
    if (const auto committed = commit_overlay(std::move(*plan), answer); !committed) return pass_on(committed);
  }
  if (order.empty()) return answer;
  auto now = overlay_state(order);
  if (!now) return pass_on(now);
  answer.now = std::move(*now);
  return answer;
}

Result<OverlayEdits> Intake::overlay_edits_of(const std::string& order, std::optional<std::uint64_t> before, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  const KeptOverlay* overlay = book_.overlays().find(order);
  if (overlay == nullptr && !book_.has_order(order)) return no_order(order);
  OverlayEdits page;
  if (overlay == nullptr) return page;
  for (std::size_t i = overlay->edits.size(); i-- > 0;) {
    const std::uint64_t id = overlay->edits[i];
    if (before && id >= *before) continue;
    if (page.edits.size() == limit) {
      page.next = page.edits.back().id;
      break;
    }
    auto edit = book_.overlays().edit(id);
    if (!edit) return pass_on(edit);
    page.edits.push_back(std::move(*edit));
  }
  return page;
}

Result<OverlayEdits> Intake::overlay_edits_since(std::uint64_t since, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  OverlayEdits page;
  const std::uint64_t last = book_.overlays().last_edit();
  for (std::uint64_t id = since; id < last && page.edits.size() < limit;) {
    auto edit = book_.overlays().edit(++id);
    if (!edit) return pass_on(edit);
    page.edits.push_back(std::move(*edit));
  }
  if (!page.edits.empty() && page.edits.back().id < last) page.next = page.edits.back().id;
  return page;
}

Result<std::size_t> Intake::end_overlays(Instant now) {
  if (now.time_since_epoch().count() < next_end_) return 0;
  // Whoever is at work here may be at it for long, and who calls has other things to watch: the next turn comes soon.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return 0;
  OverlayAnswer answer;
  if (const auto ended = commit_overlay(book_.overlays().plan_ends(now), answer); !ended) return pass_on(ended);
  return answer.orders;
}

}  // namespace millrace::ingest
