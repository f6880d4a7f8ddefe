// What the server asks about overlays, answered from the intake; sheets are read in a sandboxed process first.
//
// Invariants
//   * One sheet is read at a time; at most `previews_max` previews wait to be applied, for half an hour each.
#pragma once
#include <map>
#include <mutex>

#include "ingest/intake.h"
#include "ingest/overlay_sheet.h"
#include "ingest/table_reader.h"

namespace millrace::ingest {

class OverlayDesk final : public OverlayDoor {
 public:
  // Without parsers no sheet can be read.
  explicit OverlayDesk(Intake& intake, std::optional<ParserPoolOptions> parsers = std::nullopt);
  void stop() { reader_.stop(); }

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
  Result<SheetPreview> preview_sheet(std::string_view workbook, const OverlayAsker& asker) override;
  Result<OverlayAnswer> apply_sheet(const std::string& preview, const OverlayAsker& asker) override;

  // The same of cells that were read already.
  Result<SheetPreview> preview_cells(const std::vector<TableCell>& cells, const OverlayAsker& asker);

 private:
  static constexpr std::size_t previews_max = 16;
  struct Preview {
    std::string author;
    Instant until;
    std::vector<OverlayOrderWishes> wishes;
    std::optional<OverlayAnswer> applied;
  };

  Intake& intake_;
  TableReader reader_;
  std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, Preview> previews_;
};

}  // namespace millrace::ingest
