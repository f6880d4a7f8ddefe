// Order lines as delimited text: one row per line, order fields repeated on each row, several orders in one file.
//
// Invariants
//   * Encoding, delimiter, decimal mark and date order are found from the whole file, never from one row; where two
//     readings stay possible the file is refused and the reason says what to set.
//   * Columns are found by their words, in any order and case; columns without a known word become `extra`.
//   * A bad row refuses its own order; other orders of the file go on.
#pragma once
#include <string_view>

#include "ingest/document.h"

namespace millrace::ingest {

class CompiledLayout;
ParsedDocument parse_csv(std::string_view content, const CompiledLayout& layout);

}  // namespace millrace::ingest
