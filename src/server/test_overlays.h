// Overlays in memory, by the real rules: for tests of the server.
#pragma once
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "ingest/overlay_sheet.h"

namespace millrace::server {

class TestOverlays final : public ingest::OverlayDoor {
 public:
  explicit TestOverlays(std::set<std::string> orders)
      : orders_(std::move(orders)), book_(OverlayFields(std::vector{OwnColumn{"packing_list", "Packing list"}}), [this](std::uint64_t id) -> Result<ingest::OverlayEdit> {
          const auto found = edits_.find(id);
          if (found == edits_.end()) return fail(ErrorCode::not_found, "there is no edit " + std::to_string(id));
          return found->second;
        }) {}

  // An edit that was made as one with others.
  void write_group(const std::string& order) {
    const std::lock_guard lock(mutex_);
    auto plan = book_.plan_edit(order, std::nullopt, {{"note", "from a sheet", {}}}, {"Ann", {}}, [](const std::string&, std::string_view) -> Result<std::string> { return std::string(); });
    plan->grouped = true;
    (void)keep(order, std::move(plan));
  }

  const OverlayFields& fields() const override { return book_.fields(); }
  Result<ingest::OverlayState> overlay(const std::string& order) override {
    const std::lock_guard lock(mutex_);
    if (!orders_.contains(order)) return fail(ErrorCode::not_found, "there is no order " + order);
    return state(order);
  }
  Result<ingest::OverlayAnswer> edit(const std::string& order, std::optional<std::uint64_t> base, const std::vector<ingest::OverlayWish>& wishes,
                                     const ingest::OverlayAsker& asker) override {
    const std::lock_guard lock(mutex_);
    if (!orders_.contains(order)) return fail(ErrorCode::not_found, "there is no order " + order);
    return keep(order, book_.plan_edit(order, base, wishes, asker, [](const std::string&, std::string_view) -> Result<std::string> { return std::string(); }));
  }
  Result<ingest::OverlayAnswer> undo(const std::string& order, std::uint64_t edit, bool also_later, const ingest::OverlayAsker& asker) override {
    const std::lock_guard lock(mutex_);
    return keep(order, book_.plan_undo(order, edit, also_later, asker));
  }
  Result<ingest::OverlayAnswer> undo_group(std::uint64_t group, bool also_later, const ingest::OverlayAsker& asker) override {
    const std::lock_guard lock(mutex_);
    return keep("", book_.plan_undo_group(group, also_later, asker));
  }
  Result<ingest::OverlayEdits> edits_of(const std::string& order, std::optional<std::uint64_t>, std::size_t) override {
    const std::lock_guard lock(mutex_);
    ingest::OverlayEdits page;
    for (auto edit = edits_.rbegin(); edit != edits_.rend(); ++edit)
      if (edit->second.order == order) page.edits.push_back(edit->second);
    return page;
  }
  Result<ingest::OverlayEdits> edits_since(std::uint64_t since, std::size_t) override {
    const std::lock_guard lock(mutex_);
    ingest::OverlayEdits page;
    for (auto edit = edits_.upper_bound(since); edit != edits_.end(); ++edit) page.edits.push_back(edit->second);
    return page;
  }

  Result<ingest::SheetPreview> preview_sheet(std::string_view workbook, const ingest::OverlayAsker& asker) override {
    const std::lock_guard lock(mutex_);
    const ingest::ParsedDocument document = ingest::parse_overlay_sheet(workbook);
    if (!document.findings.empty()) return fail(ErrorCode::invalid_input, document.findings.front().reason);
    auto sheet = ingest::read_overlay_sheet(document.table, book_, [&](const std::string& order) { return orders_.contains(order); }, asker);
    if (!sheet) return pass_on(sheet);
    previewed_ = std::move(sheet->wishes);
    return ingest::SheetPreview{"p1", asker.at, sheet->rows, std::move(sheet->edits), std::move(sheet->refused)};
  }
  Result<ingest::OverlayAnswer> apply_sheet(const std::string& preview, const ingest::OverlayAsker& asker) override {
    const std::lock_guard lock(mutex_);
    if (preview != "p1") return fail(ErrorCode::not_found, "there is no preview " + preview);
    return keep("", book_.plan_sheet(previewed_, asker, [](const std::string&, std::string_view) -> Result<std::string> { return std::string(); }));
  }

 private:
  ingest::OverlayState state(const std::string& order) const {
    ingest::OverlayState state{order, 0, {}};
    const ingest::KeptOverlay* overlay = book_.find(order);
    if (overlay == nullptr) return state;
    state.version = overlay->version();
    for (const OverlayValue& value : overlay->values) state.fields.push_back({value, ""});
    return state;
  }
  Result<ingest::OverlayAnswer> keep(const std::string& order, Result<ingest::OverlayPlan> plan) {
    if (!plan) return pass_on(plan);
    ingest::OverlayAnswer answer;
    answer.conflicts = plan->conflicts;
    if (!plan->edits.empty()) {
      const auto kept = book_.keep(std::move(*plan));
      for (const auto& edit : kept.edits) edits_[edit.id] = edit;
      answer.edit = kept.edits.front().id;
      answer.group = kept.edits.front().group;
      answer.orders = kept.edits.size();
    }
    if (!order.empty()) answer.now = state(order);
    return answer;
  }

  std::mutex mutex_;
  // guarded by mutex_
  std::set<std::string> orders_;
  std::map<std::uint64_t, ingest::OverlayEdit> edits_;
  ingest::OverlayBook book_;
  std::vector<ingest::OverlayOrderWishes> previewed_;
};

}  // namespace millrace::server
