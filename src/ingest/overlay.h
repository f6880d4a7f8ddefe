// What people write on orders, as it is kept and as it is asked for.
//
//   kept row   space "overlay",        key order number, content `encode(KeptOverlay)`: what stands now
//   kept row   space "overlay_edits",  key edit id as 12 digits, content `encode(OverlayEdit)`: one edit, for ever
//
// Invariants
//   * Edits are numbered 1, 2, 3, ... over all orders without holes; the version of an order is the number of its edits.
//   * An edit holds what stood before and after it, so that it can be undone exactly and nothing is lost.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/overlay.h"

namespace millrace::ingest {

inline constexpr std::string_view overlay_space = "overlay", overlay_edits_space = "overlay_edits";

// What stands on one order.
struct KeptOverlay {
  OverlayValues values;
  std::vector<std::uint64_t> edits;  // ids, oldest first
  std::uint64_t version() const { return edits.size(); }
  bool operator==(const KeptOverlay&) const = default;
};
std::string encode(const KeptOverlay& overlay);
Result<KeptOverlay> decode_kept_overlay(std::string_view bytes);

struct OverlayChange {
  std::string field;
  std::optional<OverlayValue> before, after;
  bool operator==(const OverlayChange&) const = default;
};

struct OverlayEdit {
  enum class Kind : std::uint8_t { written, undone, ended, sheet };  // ended: values came to their end
  std::uint64_t id = 0;
  std::string order;
  std::uint64_t version = 0;  // of the order, with this edit
  Kind kind = Kind::written;
  std::string author;
  Instant at;
  std::uint64_t undoes = 0;  // the edit it takes back
  std::uint64_t group = 0;   // the first of the edits that were made as one; 0: alone
  std::string key;           // Idempotency-Key of the wish, "" none
  std::uint64_t wish = 0;    // hash of the wish that came with the key
  std::vector<OverlayChange> changes;
  bool operator==(const OverlayEdit&) const = default;
};
std::string_view word(OverlayEdit::Kind kind);
std::string encode(const OverlayEdit& edit);
Result<OverlayEdit> decode_overlay_edit(std::string_view bytes);
std::string overlay_edit_key(std::uint64_t id);

// ---- what is asked for

struct OverlayWish {
  std::string field;
  std::optional<std::string> value;  // nothing or "": what was written is taken away
  std::optional<Instant> expires;
};

// Who asks, when, and how the same wish is known again.
struct OverlayAsker {
  std::string author;
  Instant at;
  std::string key = {};
  std::uint64_t wish = 0;
};

// Two people wrote into one field: what stood when the asker looked, what stands now and what he wants.
struct OverlayConflict {
  std::string order, field;
  std::optional<OverlayValue> before, theirs;
  std::optional<std::string> mine;
  std::string by;  // who wrote, or took away, what stands now
  Instant at;
};

struct OverlayState {
  std::string order;
  std::uint64_t version = 0;
  struct Field {
    OverlayValue written;
    std::string beneath;  // what the sources say now
  };
  std::vector<Field> fields;
};

// Conflicts, and then nothing was written; or the overlay as it stands now.
struct OverlayAnswer {
  std::vector<OverlayConflict> conflicts;
  OverlayState now;        // of the (first) order asked about
  std::uint64_t edit = 0;  // 0: everything stood there already
  std::uint64_t group = 0;
  std::uint64_t orders = 0;  // changed
  bool replayed = false;     // the same wish came before
};

struct OverlayEdits {
  std::vector<OverlayEdit> edits;
  std::optional<std::uint64_t> next;  // where the next page begins
};

// The fields that one order gets in a sheet, and the version that its row speaks of.
struct OverlayOrderWishes {
  std::string order;
  std::uint64_t base = 0;
  std::vector<OverlayWish> wishes;
};

struct SheetEdit {
  std::string cell;  // "J12"
  std::string order, field;
  std::string before, after;  // "" nothing
};
struct SheetRefusal {
  std::string cell;
  std::string order, field;
  std::string reason;  // one sentence
  std::optional<OverlayConflict> conflict;  // somebody else wrote there meanwhile
};
struct SheetPreview {
  std::string id;    // to apply it
  Instant until;     // it is kept so long
  std::uint64_t rows = 0;
  std::vector<SheetEdit> edits;
  std::vector<SheetRefusal> refused;
};

// What the server asks. Every call waits for the record; any thread may call.
class OverlayDoor {
 public:
  virtual ~OverlayDoor() = default;
  virtual const OverlayFields& fields() const = 0;

  // Errors of all: not_found  there is neither such an order nor was anything ever written on it
  virtual Result<OverlayState> overlay(const std::string& order) = 0;
  // `base` is the version the asker saw; nothing: whatever stands. Other fields that changed since are no conflict.
  // Errors   invalid_input  a value is none, or `base` is of the future; the text says which
  //          not_found      there is no such field
  //          conflict       the key came with another wish
  virtual Result<OverlayAnswer> edit(const std::string& order, std::optional<std::uint64_t> base, const std::vector<OverlayWish>& wishes,
                                     const OverlayAsker& asker) = 0;
  // What stood before the edit stands again; with `also_later` even where somebody wrote after it.
  // Errors   not_found  the order has no such edit
  //          conflict   it is undone already, or it was time that ended a value
  virtual Result<OverlayAnswer> undo(const std::string& order, std::uint64_t edit, bool also_later, const OverlayAsker& asker) = 0;
  virtual Result<OverlayAnswer> undo_group(std::uint64_t group, bool also_later, const OverlayAsker& asker) = 0;
  // Newest first, those before `before` (nothing: all).
  virtual Result<OverlayEdits> edits_of(const std::string& order, std::optional<std::uint64_t> before, std::size_t limit) = 0;
  // Of all orders, oldest first, those after `since`.
  virtual Result<OverlayEdits> edits_since(std::uint64_t since, std::size_t limit) = 0;

  // What applying this workbook would write, and which of its cells are refused; read in a sandboxed process.
  // Errors   invalid_input  it is no such sheet; the text says why
  //          limit_reached  too many edits
  //          unavailable    another sheet is being read, or no parser could be started
  virtual Result<SheetPreview> preview_sheet(std::string_view workbook, const OverlayAsker& asker) = 0;
  // Writes what the preview showed, as one group; the same preview twice writes once.
  // Errors   not_found  there is no such preview (any more), or it is somebody else's
  virtual Result<OverlayAnswer> apply_sheet(const std::string& preview, const OverlayAsker& asker) = 0;
};

}  // namespace millrace::ingest
