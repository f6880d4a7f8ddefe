// One row of a table as a finance document.
//
// Invariants
//   * Every field that a column gives is read by that column's own rule; what cannot be read refuses the row, with the
//     column's name and the text.
//   * Of a document that stands already, what the file has no column for stays.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/finance_import.h"
#include "ingest/internal/finance_cells.h"
#include "ingest/internal/finance_words.h"

namespace millrace::ingest {

// The cells of one row, by column.
struct TableRow {
  std::uint32_t number = 0;  // from 1
  std::span<const TableCell> cells;
};

struct ImportColumn {
  std::uint32_t column = 0;
  std::string header;
  Currency currency;  // named in the header
  NumberColumn numbers;
  DayColumn days;
};

struct ImportColumns {
  std::array<std::optional<ImportColumn>, import_field_count> of;
  std::optional<ImportColumn>& operator[](ImportField field) { return of[static_cast<std::size_t>(field)]; }
  const std::optional<ImportColumn>& operator[](ImportField field) const { return of[static_cast<std::size_t>(field)]; }
};

enum class FieldType : std::uint8_t { text, day, number, currency, every };
FieldType type_of(ImportField field);

const TableCell* cell_at(const TableRow& row, std::uint32_t column);

// The row's amount without anything else: for sums and signs.
NumberReading amount_of(const TableRow& row, const ImportColumns& columns);

class RowReader {
 public:
  // All outlive the reader. `takes_negative`: amounts are written below zero and are taken without their sign.
  RowReader(const ImportKind& kind, const ImportOptions& options, const ImportColumns& columns, bool takes_negative, const FinanceLookup& standing)
      : kind_(kind), options_(options), columns_(columns), takes_negative_(takes_negative), standing_(standing) {}

  // Errors   those of `standing`
  Result<ImportRow> read(const TableRow& row);

 private:
  void take(ImportField field, const TableCell* cell);
  void take_day(ImportField field, const TableCell& cell, ImportCell& shown);
  void take_number(ImportField field, const TableCell& cell, ImportCell& shown);
  void take_money(ImportField field, const NumberReading& reading, ImportCell& shown);
  void take_text(ImportField field, const TableCell& cell, ImportCell& shown);
  void take_currency(const TableRow& row);
  void finish_document();
  void name_document();
  Result<void> meet_standing();
  void refuse(std::string why);

  const ImportKind& kind_;
  const ImportOptions& options_;
  const ImportColumns& columns_;
  const bool takes_negative_;
  const FinanceLookup& standing_;

  struct Seen {
    std::uint32_t row = 0;
    FinanceDocument document;
  };
  std::unordered_map<std::string, Seen> seen_;  // by key: rows that stand there twice

  // of the row that is read
  ImportRow made_;
  std::string settles_, from_, to_;
  std::optional<Decimal> quantity_, rate_;
  FinanceLine line_;
  bool is_doubtful_ = false, is_named_ = false;
};

}  // namespace millrace::ingest
