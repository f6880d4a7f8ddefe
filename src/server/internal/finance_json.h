// Finance documents as JSON, in the words of docs/cash.md.
//
// Invariants
//   * What `write_finance_document` writes, `parse_finance_document` reads back to the same document: what a client does not
//     change it may send as it came.
#pragma once
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "base/result.h"
#include "domain/finance.h"

namespace millrace::server {

// The fields of one document; the braces are the caller's.
void write_finance_fields(JsonWriter& json, const FinanceDocument& document);

// `key` is the address of the document; what the body says of kind and number has to agree with it. An amount is a text in
// major units, "120.50", or {"minor": 12050, "currency": "EUR"}.
// Errors   invalid_input  one sentence that names the field
Result<FinanceDocument> parse_finance_document(std::string_view text, FinanceKind kind, const std::string& key);

}  // namespace millrace::server
