// Order documents as workbooks: the first sheet that names an order, either label/value rows above a table of lines
// or one flat table with the order number in a column.
//
// Invariants
//   * The archive is looked over before it is unpacked; damaged and dishonest ones are refused.
//   * Cell text stays text; numbers are read back as the shortest decimal of their double; days by cell style.
#pragma once
#include <string_view>

#include "ingest/document.h"

namespace millrace::ingest {

class CompiledLayout;
ParsedDocument parse_xlsx(std::string_view content, const CompiledLayout& layout);

}  // namespace millrace::ingest
