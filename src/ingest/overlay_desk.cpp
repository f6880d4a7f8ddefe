#include "ingest/overlay_desk.h"

namespace millrace::ingest {

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

}  // namespace millrace::ingest
