// Order documents written as JSON: one order, an array of orders, or {"value": [...]} as OData services answer.
//
// Invariants
//   * Numbers keep their exact decimal text; no double is involved.
//   * Every byte is validated, also of fields nobody asked for: a cut-off document never gives an order.
//   * Duplicate keys, lone surrogates, invalid UTF-8 and nesting deeper than 64 are refused.
#pragma once
#include <string_view>

#include "ingest/document.h"

namespace millrace::ingest {

class CompiledLayout;
ParsedDocument parse_json(std::string_view content, const CompiledLayout& layout);
// With the built-in profile: of documents that another connector already put into its words.
ParsedDocument parse_json(std::string_view content);

}  // namespace millrace::ingest
