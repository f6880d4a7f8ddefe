// The overlays of all orders: plans what a wish would change and where it meets somebody else's, and keeps what was planned.
//
//   wish ── plan ──> conflicts, or edits ── keep ──> kept rows for the batch that carries the orders' changes
//
// Invariants
//   * Planning changes nothing. What is kept is kept exactly as planned, at once.
//   * A conflict is a field that somebody changed after the version the asker saw, to something else than he wants.
//   * Memory: the values that stand and 8 bytes per edit; edits themselves come from `load`.
//   * Knows neither sources nor the record: `said` tells what the sources say. Not thread-safe: `Intake` serialises its callers.
#pragma once
#include <map>
#include <set>

#include "ingest/overlay.h"
#include "store/record.h"

namespace millrace::ingest {

struct OverlayPlan {
  std::vector<OverlayConflict> conflicts;  // some: no edits
  std::vector<OverlayEdit> edits;          // without id and version
  bool grouped = false;                    // undone as one
};

// What the sources say of a field of an order; "" nothing.
using OverlaySaid = std::function<Result<std::string>(const std::string& order, std::string_view field)>;

class OverlayBook {
 public:
  using LoadEdit = std::function<Result<OverlayEdit>(std::uint64_t id)>;
  OverlayBook(OverlayFields fields, LoadEdit load) : fields_(std::move(fields)), load_(std::move(load)) {}

  const OverlayFields& fields() const { return fields_; }
  // A row of `overlay_space`. Errors   corrupt  it is none
  Result<void> restore(const store::KeptRow& row);
  void forget();

  // nullptr: nothing was ever written on it.
  const KeptOverlay* find(std::string_view order) const;
  std::uint64_t last_edit() const { return last_edit_; }
  std::size_t order_count() const { return overlays_.size(); }
  // When the next value comes to its end.
  std::optional<Instant> next_end() const;
  Result<OverlayEdit> edit(std::uint64_t id) const;
  // The edit that this key made in the last 24 hours.
  Result<std::optional<OverlayEdit>> made_by(const std::string& key, Instant now);
  // What stood at that version. Errors   invalid_input  it is of the future
  Result<OverlayValues> values_at(std::string_view order, std::uint64_t version) const;

  // Errors of all: those of OverlayDoor, and of `load` and `said`
  Result<OverlayPlan> plan_edit(const std::string& order, std::optional<std::uint64_t> base, const std::vector<OverlayWish>& wishes,
                                const OverlayAsker& asker, const OverlaySaid& said) const;
  // Many orders as one group.
  Result<OverlayPlan> plan_sheet(const std::vector<OverlayOrderWishes>& orders, const OverlayAsker& asker, const OverlaySaid& said) const;
  Result<OverlayPlan> plan_undo(const std::string& order, std::uint64_t edit, bool also_later, const OverlayAsker& asker) const;
  Result<OverlayPlan> plan_undo_group(std::uint64_t group, bool also_later, const OverlayAsker& asker) const;
  // Values whose time has come.
  OverlayPlan plan_ends(Instant now) const;

  struct Kept {
    std::vector<store::KeptRow> rows;
    std::vector<OverlayEdit> edits;  // as they are numbered now
  };
  Kept keep(OverlayPlan plan);

 private:
  struct LastWriter {
    std::string by;
    Instant at;
  };
  Result<LastWriter> last_writer(const KeptOverlay& overlay, std::string_view field) const;
  Result<void> add_undo(OverlayPlan& plan, const OverlayEdit& edit, bool also_later, const OverlayAsker& asker) const;
  void keep(OverlayEdit& edit);
  void note_ends(const std::string& order, const OverlayValues& before, const OverlayValues& after);

  OverlayFields fields_;
  LoadEdit load_;
  std::map<std::string, KeptOverlay, std::less<>> overlays_;
  std::set<std::pair<Instant, std::string>> ends_;
  std::uint64_t last_edit_ = 0;
  bool keys_known_ = false;  // those of before the start
  std::map<std::string, std::pair<Instant, std::uint64_t>> keys_;  // key -> when, edit
};

}  // namespace millrace::ingest
