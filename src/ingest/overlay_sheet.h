// The sheet that people edit in Excel: how it is laid out, and what was edited in it when it comes back.
//
//   | Order Version Customer ... Promise | Promised date Priority Hold Note Colour own columns ... | Check |
//     locked                               editable                                                  hidden
//
// Invariants
//   * The check of a row proves its locked cells: an edited one is named, and a row whose order or version does not fit is not
//     read at all. Rows may be sorted, filtered and left out.
//   * A cell counts as edited when it says something else than stood there at the row's version, however old the sheet is.
//   * Pure: nothing is written here.
#pragma once
#include <span>

#include "ingest/document.h"
#include "ingest/overlay_book.h"

namespace millrace::ingest {

// The name of the document for a parser; files of sources have relative paths.
inline constexpr std::string_view overlay_sheet_name = "//overlay.xlsx";
inline constexpr std::size_t sheet_cells_max = 1'000'000, sheet_edits_max = 20'000;

enum class SheetPart : std::uint8_t { locked, editable, check };
struct OverlaySheetColumn {
  std::string title;
  std::string field;  // "order", "version", "customer" ...; of editable ones the field of the overlay
  SheetPart part = SheetPart::locked;
};
std::vector<OverlaySheetColumn> overlay_sheet_columns(const OverlayFields& fields);

// Of the texts of the locked cells, in the order of the columns.
std::string overlay_sheet_check(std::span<const std::string> locked);

// The cells of the first sheet of a workbook, for the sandboxed parser. Refused ones are a finding.
ParsedDocument parse_overlay_sheet(std::string_view content);

struct OverlaySheet {
  std::uint64_t rows = 0;
  std::vector<SheetEdit> edits;
  std::vector<SheetRefusal> refused;
  std::vector<OverlayOrderWishes> wishes;  // the edits, order by order
};
// Errors   invalid_input  the sheet has no columns Order, Version and Check, or one twice
//          limit_reached  more than `sheet_edits_max` cells were edited
Result<OverlaySheet> read_overlay_sheet(const std::vector<TableCell>& cells, const OverlayBook& book,
                                        const std::function<bool(const std::string& order)>& has_order, const OverlayAsker& asker);

}  // namespace millrace::ingest
