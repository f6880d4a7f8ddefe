// The words by which tables of finance documents name their columns, and what each kind does with them.
//
// Invariants
//   * Words are compared without case, accents, blanks and signs: "Rechnungs-Nr." and "rechnungsnr" are one.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/finance_import.h"

namespace millrace::ingest {

std::string folded_word(std::string_view text);

// Which fields a kind has, in the order they are shown.
struct ImportKind {
  FinanceKind kind;
  std::vector<ImportField> needed;    // a row without one is refused
  std::vector<ImportField> optional;
  bool has(ImportField field) const;
};
// nullptr: documents of the kind do not come as rows of a table.
const ImportKind* import_kind(FinanceKind kind);

// What a header cell means for the kind, and the currency it names: "Betrag (EUR)".
struct HeaderMeaning {
  std::optional<ImportField> field;
  Currency currency;
};
HeaderMeaning header_meaning(std::string_view header, const ImportKind& kind);

// The most columns that any kind finds in these headers.
std::size_t known_columns(std::span<const std::string> headers);

bool is_sum_word(std::string_view text);  // "Total", "Summe", "Suma"
std::optional<Every> every_of(std::string_view text);
std::optional<unsigned> month_of(std::string_view text);  // "Mar", "März", "marzo"
std::optional<FinanceKind> kind_in_name(std::string_view file_name);  // "Kosten 2026.csv"

}  // namespace millrace::ingest
