// Finance documents as others push them: JSON with our words, or CSV with the same words as columns.
//
//   {"number":"9001","party":"C1","posted":"2026-03-01","due":"2026-03-31","amount":"119.00","tax":"19.00","currency":"EUR",
//    "lines":[{"order":"43659","order_line":1,"quantity":"4","amount":"100.00"}]}
//   {"number":"P1","party":"C1","posted":"2026-04-02","amount":"119.00","currency":"EUR","settles":[{"number":"9001","amount":"119.00"}]}
//   {"number":"9001","removed":true}
//
// Invariants
//   * Amounts are text or numbers in major units, read from their text and never through double, or {"minor":11900,"currency":"EUR"}.
//   * A row that cannot be read exactly is a finding with its place; the others go on. Unknown words are not looked at.
//   * Rows of a CSV with one number that follow each other are one document with several lines or settlements.
//   * Pure; for the sandboxed parser.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/finance.h"
#include "ingest/document.h"

namespace millrace::ingest {

// "invoices" -> invoice; nothing for a stream that holds no finance documents.
std::optional<FinanceKind> finance_kind_of_stream(std::string_view stream);
std::string_view finance_stream_of_kind(FinanceKind kind);
std::string finance_streams_text();  // "invoices, credit_notes, ..."

// The name of such a batch for a parser: "//finance.batch/invoices.csv".
std::string finance_batch_name(std::string_view stream, bool csv);
bool is_finance_batch(std::string_view name);
ParsedDocument parse_finance_batch(std::string_view content, std::string_view name);

}  // namespace millrace::ingest
