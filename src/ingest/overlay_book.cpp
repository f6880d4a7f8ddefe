#include "ingest/overlay_book.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/text.h"
#include "feed/change.h"

namespace millrace::ingest {
namespace {

constexpr auto keys_kept_for = std::chrono::hours(24);
constexpr std::size_t keys_max = 100'000;

std::optional<OverlayValue> value_of(const OverlayValues& values, std::string_view field) {
  const OverlayValue* found = find(values, field);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

// Whether two people wrote the same, whoever and whenever.
bool same_word(const std::optional<OverlayValue>& left, const std::optional<OverlayValue>& right) {
  if (!left || !right) return left.has_value() == right.has_value();
  return left->value == right->value && left->expires == right->expires;
}

OverlayEdit edit_by(const std::string& order, OverlayEdit::Kind kind, const OverlayAsker& asker) {
  OverlayEdit edit;
  edit.order = order;
  edit.kind = kind;
  edit.author = asker.author;
  edit.at = asker.at;
  edit.key = asker.key;
  edit.wish = asker.wish;
  return edit;
}

}  // namespace

Result<void> OverlayBook::restore(const store::KeptRow& row) {
  auto overlay = decode_kept_overlay(row.content);
  if (!overlay) return pass_on(overlay, "order " + printable(row.key));
  if (!overlay->edits.empty()) last_edit_ = std::max(last_edit_, overlay->edits.back());
  note_ends(row.key, {}, overlay->values);
  overlays_[row.key] = std::move(*overlay);
  return {};
}

void OverlayBook::forget() {
  overlays_.clear();
  ends_.clear();
  keys_.clear();
  last_edit_ = 0;
  keys_known_ = false;
}

const KeptOverlay* OverlayBook::find(std::string_view order) const {
  const auto found = overlays_.find(order);
  return found == overlays_.end() ? nullptr : &found->second;
}

std::optional<Instant> OverlayBook::next_end() const {
  if (ends_.empty()) return std::nullopt;
  return ends_.begin()->first;
}

Result<OverlayEdit> OverlayBook::edit(std::uint64_t id) const {
  auto edit = load_(id);
  if (edit && edit->id != id) return fail(ErrorCode::corrupt, "edit " + std::to_string(id) + " is kept under another number; restore the last backup");
  return edit;
}

// Edits are numbered by time, so those of the last day are the last ones.
Result<std::optional<OverlayEdit>> OverlayBook::made_by(const std::string& key, Instant now) {
  for (std::uint64_t id = last_edit_; !keys_known_ && id > 0; --id) {
    const auto known = edit(id);
    if (!known) return pass_on(known);
    if (known->at < now - keys_kept_for || keys_.size() >= keys_max) break;
    if (!known->key.empty()) keys_.try_emplace(known->key, known->at, known->group != 0 ? known->group : known->id);
  }
  keys_known_ = true;
  const auto found = keys_.find(key);
  if (found == keys_.end() || found->second.first < now - keys_kept_for) return std::nullopt;
  auto made = edit(found->second.second);
  if (!made) return pass_on(made);
  return std::optional(std::move(*made));
}

Result<OverlayValues> OverlayBook::values_at(std::string_view order, std::uint64_t version) const {
  const KeptOverlay* overlay = find(order);
  const std::uint64_t now = overlay == nullptr ? 0 : overlay->version();
  if (version > now)
    return fail(ErrorCode::invalid_input, "what is written on order " + printable(order) + " has version " + std::to_string(now) + ", there is no version " +
                                              std::to_string(version) + " yet; read it again");
  OverlayValues values = overlay == nullptr ? OverlayValues() : overlay->values;
  for (std::uint64_t at = now; at > version; --at) {
    const auto edit = this->edit(overlay->edits[at - 1]);
    if (!edit) return pass_on(edit);
    for (const OverlayChange& change : edit->changes) set(values, change.field, change.before);
  }
  return values;
}

Result<OverlayBook::LastWriter> OverlayBook::last_writer(const KeptOverlay& overlay, std::string_view field) const {
  if (const OverlayValue* standing = millrace::find(overlay.values, field)) return LastWriter{standing->author, standing->at};
  for (std::size_t i = overlay.edits.size(); i-- > 0;) {
    const auto edit = this->edit(overlay.edits[i]);
    if (!edit) return pass_on(edit);
    if (std::ranges::find(edit->changes, field, &OverlayChange::field) != edit->changes.end()) return LastWriter{edit->author, edit->at};
  }
  return LastWriter{};
}

Result<OverlayPlan> OverlayBook::plan_edit(const std::string& order, std::optional<std::uint64_t> base, const std::vector<OverlayWish>& wishes,
                                           const OverlayAsker& asker, const OverlaySaid& said) const {
  static const KeptOverlay nothing;
  const KeptOverlay* known = find(order);
  const KeptOverlay& now = known == nullptr ? nothing : *known;
  const auto seen = values_at(order, base.value_or(now.version()));
  if (!seen) return pass_on(seen);
  OverlayPlan plan;
  OverlayEdit edit = edit_by(order, OverlayEdit::Kind::written, asker);
  for (const OverlayWish& wish : wishes) {
    const auto value = fields_.checked(wish.field, wish.value.value_or(""));
    if (!value) return pass_on(value);
    if (!value->empty() && wish.expires && *wish.expires <= asker.at)
      return fail(ErrorCode::invalid_input, "the " + wish.field + " of order " + printable(order) + " would have ended at " + rfc3339(*wish.expires) + " already; give a later time or none");
    const std::optional<OverlayValue> before = value_of(*seen, wish.field), standing = value_of(now.values, wish.field);
    std::optional<OverlayValue> mine;
    if (!value->empty()) mine = OverlayValue{wish.field, *value, "", asker.author, asker.at, wish.expires};
    if (same_word(mine, standing)) continue;
    if (!same_word(before, standing)) {
      const auto writer = last_writer(now, wish.field);
      if (!writer) return pass_on(writer);
      plan.conflicts.push_back({order, wish.field, before, standing, mine ? std::optional(*value) : std::nullopt, writer->by, writer->at});
      continue;
    }
    if (mine) {
      auto beneath = said(order, wish.field);
      if (!beneath) return pass_on(beneath);
      mine->said = std::move(*beneath);
    }
    edit.changes.push_back({wish.field, standing, mine});
  }
  if (plan.conflicts.empty() && !edit.changes.empty()) plan.edits.push_back(std::move(edit));
  return plan;
}

Result<OverlayPlan> OverlayBook::plan_sheet(const std::vector<OverlayOrderWishes>& orders, const OverlayAsker& asker, const OverlaySaid& said) const {
  OverlayPlan all;
  all.grouped = true;
  for (const OverlayOrderWishes& order : orders) {
    auto one = plan_edit(order.order, order.base, order.wishes, asker, said);
    if (!one) return pass_on(one);
    for (OverlayEdit& edit : one->edits) edit.kind = OverlayEdit::Kind::sheet;
    std::ranges::move(one->conflicts, std::back_inserter(all.conflicts));
    std::ranges::move(one->edits, std::back_inserter(all.edits));
  }
  if (!all.conflicts.empty()) all.edits.clear();
  return all;
}

// What stood before the edit stands again, where nobody wrote after it or that is wanted.
Result<void> OverlayBook::add_undo(OverlayPlan& plan, const OverlayEdit& edit, bool also_later, const OverlayAsker& asker) const {
  const KeptOverlay* now = find(edit.order);
  check(now != nullptr, "an order with an edit has an overlay");
  OverlayEdit undo = edit_by(edit.order, OverlayEdit::Kind::undone, asker);
  undo.undoes = edit.id;
  for (const OverlayChange& change : edit.changes) {
    const std::optional<OverlayValue> standing = value_of(now->values, change.field);
    if (standing == change.before) continue;
    if (standing != change.after && !also_later) {
      const auto writer = last_writer(*now, change.field);
      if (!writer) return pass_on(writer);
      plan.conflicts.push_back({edit.order, change.field, change.after, standing, change.before ? std::optional(change.before->value) : std::nullopt, writer->by, writer->at});
      continue;
    }
    undo.changes.push_back({change.field, standing, change.before});
  }
  if (!undo.changes.empty()) plan.edits.push_back(std::move(undo));
  return {};
}

namespace {

Failure nothing_to_undo(const std::string& what) {
  return fail(ErrorCode::conflict, "nothing of " + what + " stands any more: it was undone already");
}

}  // namespace

Result<OverlayPlan> OverlayBook::plan_undo(const std::string& order, std::uint64_t id, bool also_later, const OverlayAsker& asker) const {
  const KeptOverlay* now = find(order);
  if (now == nullptr || !std::ranges::binary_search(now->edits, id))
    return fail(ErrorCode::not_found, "order " + printable(order) + " has no edit " + std::to_string(id) + "; its edits are listed beside it");
  const auto edit = this->edit(id);
  if (!edit) return pass_on(edit);
  if (edit->kind == OverlayEdit::Kind::ended)
    return fail(ErrorCode::conflict, "edit " + std::to_string(id) + " was no person's: a value of order " + printable(order) + " came to its end; write it again with a later one");
  OverlayPlan plan;
  if (const auto added = add_undo(plan, *edit, also_later, asker); !added) return pass_on(added);
  if (!plan.conflicts.empty()) plan.edits.clear();
  if (plan.conflicts.empty() && plan.edits.empty()) return nothing_to_undo("edit " + std::to_string(id));
  return plan;
}

Result<OverlayPlan> OverlayBook::plan_undo_group(std::uint64_t group, bool also_later, const OverlayAsker& asker) const {
  OverlayPlan plan;
  plan.grouped = true;
  std::uint64_t id = group;
  for (; id > 0 && id <= last_edit_; ++id) {
    const auto edit = this->edit(id);
    if (!edit) return pass_on(edit);
    if (edit->group != group) break;
    if (const auto added = add_undo(plan, *edit, also_later, asker); !added) return pass_on(added);
  }
  if (id == group) return fail(ErrorCode::not_found, "there is no group of edits " + std::to_string(group) + "; the list of edits names those there are");
  if (!plan.conflicts.empty()) plan.edits.clear();
  if (plan.conflicts.empty() && plan.edits.empty()) return nothing_to_undo("group " + std::to_string(group));
  return plan;
}

OverlayPlan OverlayBook::plan_ends(Instant now) const {
  OverlayPlan plan;
  for (const auto& [at, order] : ends_) {
    if (at > now) break;
    if (std::ranges::find(plan.edits, order, &OverlayEdit::order) != plan.edits.end()) continue;
    OverlayEdit edit = edit_by(order, OverlayEdit::Kind::ended, {std::string(feed::by_time), now});
    for (const OverlayValue& value : overlays_.at(order).values)
      if (value.expires && *value.expires <= now) edit.changes.push_back({value.field, value, std::nullopt});
    plan.edits.push_back(std::move(edit));
    if (plan.edits.size() == 1'000) break;  // the next turn does the rest
  }
  return plan;
}

void OverlayBook::note_ends(const std::string& order, const OverlayValues& before, const OverlayValues& after) {
  for (const OverlayValue& value : before)
    if (value.expires) ends_.erase({*value.expires, order});
  for (const OverlayValue& value : after)
    if (value.expires) ends_.emplace(*value.expires, order);
}

void OverlayBook::keep(OverlayEdit& edit) {
  KeptOverlay& overlay = overlays_[edit.order];
  OverlayValues values = overlay.values;
  for (const OverlayChange& change : edit.changes) set(values, change.field, change.after);
  note_ends(edit.order, overlay.values, values);
  overlay.values = std::move(values);
  overlay.edits.push_back(edit.id);
  edit.version = overlay.version();
}

OverlayBook::Kept OverlayBook::keep(OverlayPlan plan) {
  check(plan.conflicts.empty(), "a plan with conflicts is not kept");
  Kept kept;
  const std::uint64_t group = plan.grouped ? last_edit_ + 1 : 0;
  for (OverlayEdit& edit : plan.edits) {
    edit.id = ++last_edit_;
    edit.group = group;
    keep(edit);
    if (!edit.key.empty()) keys_[edit.key] = {edit.at, group != 0 ? group : edit.id};
    kept.rows.push_back({std::string(overlay_edits_space), overlay_edit_key(edit.id), encode(edit)});
    kept.rows.push_back({std::string(overlay_space), edit.order, encode(overlays_.at(edit.order))});
  }
  if (keys_.size() > keys_max) keys_.clear(), keys_known_ = false;
  kept.edits = std::move(plan.edits);
  return kept;
}

}  // namespace millrace::ingest
