// Finance documents from a table that somebody made: what each cell means, which cells could mean something else, and what
// taking the table would change.
//
//   bytes --sandboxed parser--> cells --preview_finance_table--> rows with documents --FinanceDesk--> one commit
//
// Invariants
//   * How numbers and days are written is decided by whole columns, never by one cell. A cell that could mean two things is
//     taken by the column's guess, marked, and says what else it could be.
//   * A row is what it says and nothing else: totals, repeated headers and rows that stand there twice are left out and said.
//   * A row without a number gets one from its own content, or from what makes its kind unique (a balance: account and day),
//     so that the same file twice changes nothing.
//   * Pure: the same table, options and standing documents give the same preview.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/finance.h"
#include "ingest/document.h"

namespace millrace::ingest {

// What a column may hold. Named in answers and in `map=` by `word`.
enum class ImportField : std::uint8_t {
  number, posted, due, until, paid, amount, tax, currency, party, party_name, reference, category, account, salesperson, country,
  terms, comment, every, order, order_line, quantity, settles, from, to, rate,
};
inline constexpr std::size_t import_field_count = 25;
std::string_view word(ImportField field);  // "posted", "party_name"
std::optional<ImportField> parse_import_field(std::string_view word);

// The sources of what people write: on the screen, and by a file.
inline constexpr std::string_view entered_source = "entered", import_source = "import";
inline constexpr std::size_t import_rows_max = 50'000;
inline constexpr std::size_t import_cells_max = 1'000'000;

struct ImportOptions {
  FinanceKind kind = FinanceKind::cost;
  Day today{};                            // days far from it are doubtful
  Currency currency = {};                 // of amounts that name none
  std::optional<char> decimal_mark = {};  // '.' or ','; nothing: by vote
  std::string date_order = {};            // "dmy", "mdy", "ymd"; "": by vote
  std::optional<std::uint32_t> header_row = {};  // from 1; 0: there is none; nothing: guessed
  std::string origin = {};  // the file's name, for people
  std::map<ImportField, std::string> columns = {};  // a column's own name, or its letter "C"; wins over its name's meaning
};

// The document of that kind and number that stands now.
struct StandingDocument {
  FinanceDocument document;
  bool ours = true;  // written here; else it belongs to a source and is not changed
};
using FinanceLookup = std::function<Result<std::optional<StandingDocument>>(FinanceKind kind, const std::string& number)>;

struct ImportCell {
  ImportField field = ImportField::number;
  std::string text;   // as the file has it
  std::string value;  // as it is taken: "2026-04-03", "120.50"
  std::string doubt;  // what else it could be, "" certain
};

struct ImportRow {
  enum class State : std::uint8_t { fresh, changed, same, doubtful, refused, skipped };
  std::uint32_t row = 0;  // in the file, from 1
  State state = State::fresh;
  std::vector<ImportCell> cells;
  std::string reason;  // of refused and skipped ones, one sentence
  FinanceDocument document;             // empty for those
  std::optional<FinanceDocument> before;  // what stands under its number
};
std::string_view word(ImportRow::State state);  // "new", "changed"

struct ImportGuess {
  std::string separator, encoding, sheet;
  std::string decimal;  // "," or "."
  std::string date;     // "dd.mm.yyyy", "mm/dd/yyyy", "yyyy-mm-dd"
  std::string sign;     // "negative": every amount was written below zero and is taken without its sign
  std::string currency;
  std::uint32_t header_row = 0;  // from 1, 0 none
  std::vector<std::pair<ImportField, std::string>> columns;  // field and the column's own name
  std::vector<std::string> unused;                           // columns that mean nothing to the kind
};

struct ImportCounts {
  std::uint64_t fresh = 0, changed = 0, same = 0, doubtful = 0, refused = 0, skipped = 0;
  bool operator==(const ImportCounts&) const = default;
};

struct ImportPreview {
  FinanceKind kind = FinanceKind::cost;
  Format format = Format::csv;
  ImportGuess guess;
  std::vector<ImportField> missing;  // fields the kind needs and no column has: there are no rows then
  std::vector<ImportRow> rows;       // in the order of the file
  ImportCounts counts;
};

// Errors   invalid_input  the table is empty, names no columns of ours, or `columns` names one that is not there
//          limit_reached  more than `import_rows_max` rows
//          those of `standing`
Result<ImportPreview> preview_finance_table(const ParsedDocument& table, const ImportOptions& options, const FinanceLookup& standing);

// What the columns of the table speak of; nothing when several kinds are as likely. `name` is the file's.
std::optional<FinanceKind> guess_finance_kind(const ParsedDocument& table, std::string_view name);

// The name of the document for a parser: its cells are wanted, whatever they say.
inline constexpr std::string_view finance_table_name = "//finance.table";
// The cells of a CSV text or of a workbook's first sheet that shows a header, for the sandboxed parser. Refused ones are a finding.
ParsedDocument parse_finance_table(std::string_view content);

// What tells one state of a document from another: 16 hex digits of its content without who wrote it and where.
std::string finance_version(const FinanceDocument& document);

}  // namespace millrace::ingest
