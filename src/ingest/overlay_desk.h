// What the server asks about overlays, answered from the intake.
#pragma once
#include "ingest/intake.h"

namespace millrace::ingest {

class OverlayDesk final : public OverlayDoor {
 public:
  explicit OverlayDesk(Intake& intake) : intake_(intake) {}

  const OverlayFields& fields() const override { return intake_.overlay_fields(); }
  Result<OverlayState> overlay(const std::string& order) override { return intake_.overlay(order); }
  Result<OverlayAnswer> edit(const std::string& order, std::optional<std::uint64_t> base, const std::vector<OverlayWish>& wishes,
                             const OverlayAsker& asker) override;
  Result<OverlayAnswer> undo(const std::string& order, std::uint64_t edit, bool also_later, const OverlayAsker& asker) override;
  Result<OverlayAnswer> undo_group(std::uint64_t group, bool also_later, const OverlayAsker& asker) override;
  Result<OverlayEdits> edits_of(const std::string& order, std::optional<std::uint64_t> before, std::size_t limit) override {
    return intake_.overlay_edits_of(order, before, limit);
  }
  Result<OverlayEdits> edits_since(std::uint64_t since, std::size_t limit) override { return intake_.overlay_edits_since(since, limit); }

 private:
  Intake& intake_;
};

}  // namespace millrace::ingest
