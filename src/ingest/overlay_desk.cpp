#include "ingest/overlay_desk.h"

#include <algorithm>
#include <random>

#include "base/text.h"

namespace millrace::ingest {
namespace {

constexpr auto preview_kept_for = std::chrono::minutes(30);

std::string random_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i)
    for (std::uint32_t word = random(), digits = 0; digits < 8; ++digits, word >>= 4) id += "0123456789abcdef"[word & 15];
  return id;
}

}  // namespace

OverlayDesk::OverlayDesk(Intake& intake, std::optional<ParserPoolOptions> parsers) : intake_(intake), reader_(std::move(parsers)) {}

Result<OverlayAnswer> OverlayDesk::edit(const std::string& order, std::optional<std::uint64_t> base, const std::vector<OverlayWish>& wishes,
                                        const OverlayAsker& asker) {
  return intake_.write_overlay(order, asker, [&](const OverlayBook& book, const OverlaySaid& said) { return book.plan_edit(order, base, wishes, asker, said); });
}

Result<OverlayAnswer> OverlayDesk::undo(const std::string& order, std::uint64_t edit, bool also_later, const OverlayAsker& asker) {
  return intake_.write_overlay(order, asker, [&](const OverlayBook& book, const OverlaySaid&) { return book.plan_undo(order, edit, also_later, asker); });
}

Result<OverlayAnswer> OverlayDesk::undo_group(std::uint64_t group, bool also_later, const OverlayAsker& asker) {
  return intake_.write_overlay("", asker, [&](const OverlayBook& book, const OverlaySaid&) { return book.plan_undo_group(group, also_later, asker); });
}

// ---- sheets

Result<SheetPreview> OverlayDesk::preview_sheet(std::string_view workbook, const OverlayAsker& asker) {
  const auto document = reader_.read(workbook, overlay_sheet_name);
  if (!document) return pass_on(document);
  return preview_cells(document->table, asker);
}

Result<SheetPreview> OverlayDesk::preview_cells(const std::vector<TableCell>& cells, const OverlayAsker& asker) {
  auto sheet = intake_.with_book([&](OrderBook& book) {
    return read_overlay_sheet(cells, book.overlays(), [&](const std::string& order) { return book.has_order(order); }, asker);
  });
  if (!sheet) return pass_on(sheet);
  SheetPreview preview{random_id(), asker.at + preview_kept_for, sheet->rows, std::move(sheet->edits), std::move(sheet->refused)};
  const std::lock_guard lock(mutex_);
  std::erase_if(previews_, [&](const auto& known) { return known.second.until <= asker.at; });
  if (previews_.size() >= previews_max) previews_.erase(std::ranges::min_element(previews_, {}, [](const auto& known) { return known.second.until; }));
  previews_[preview.id] = {asker.author, preview.until, std::move(sheet->wishes), std::nullopt};
  return preview;
}

Result<OverlayAnswer> OverlayDesk::apply_sheet(const std::string& id, const OverlayAsker& asker) {
  const std::lock_guard lock(mutex_);  // the same preview from two windows: one after the other
  const auto found = previews_.find(id);
  if (found == previews_.end() || found->second.until <= asker.at || found->second.author != asker.author)
    return fail(ErrorCode::not_found, "there is no preview \"" + printable(std::string_view(id).substr(0, 64)) + "\" (any more); upload the sheet again");
  Preview& preview = found->second;
  if (preview.applied) {
    OverlayAnswer again = *preview.applied;
    again.replayed = true;
    return again;
  }
  auto answer = intake_.write_overlay("", asker, [&](const OverlayBook& book, const OverlaySaid& said) { return book.plan_sheet(preview.wishes, asker, said); });
  if (answer && answer->conflicts.empty()) preview.applied = *answer;
  return answer;
}

}  // namespace millrace::ingest
