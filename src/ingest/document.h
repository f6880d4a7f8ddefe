// One file read as an order document: the answer of every parser.
//
// Invariants
//   * Parsing is pure: content, name and profile in, ParsedDocument out; no clock, file or process.
//   * Content decides what a file is; the name only helps where content cannot.
//   * An order in `orders` is complete and settled (`settle_amounts`); what cannot be read exactly is a Finding,
//     never a guess.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "domain/finance.h"
#include "domain/order.h"
#include "feed/change.h"
#include "ingest/layout_profile.h"

namespace millrace::ingest {

// Of files, and of what a service answers.
enum class Format : std::uint8_t { none, json, csv, xlsx, pdf, sap_b1, odata };
std::string_view word(Format format);

// Something a person should see. reject: the document (or the order named) adds nothing; ingest_and_flag: it counts.
struct Finding {
  feed::Outcome outcome = feed::Outcome::reject;
  std::string place;   // "line 14 column 3", "row 7 column DueDate", "sheet Order cell E11", "page 2", "" whole file
  std::string reason;  // what is wrong and what to do, one sentence
  std::string value;   // the offending text, at most 120 bytes
  std::string order_number;  // when known
};

// A cell of a sheet that is read as a table, whatever it says.
struct TableCell {
  enum class Kind : std::uint8_t { text, number, day };  // as a workbook keeps it; CSV has texts only
  std::uint32_t row = 0, column = 0;  // from 0
  std::string text;
  bool unread = false;  // a formula without a value
  Kind kind = Kind::text;
  bool operator==(const TableCell&) const = default;
};

// A finance document of a pushed batch (finance_batch.h), or that it is removed.
struct FinanceRow {
  std::uint64_t row = 0;  // line of the body, from 1
  FinanceDocument document;
  bool removed = false;
};

// How the file of a table was read.
struct TableFacts {
  std::string encoding, separator;  // of CSV: "windows-1252", ";"
  std::string sheet;                // of a workbook
  bool from_1904 = false;           // how the workbook counts days
};

struct ParsedDocument {
  Format format = Format::none;
  bool is_order_document = false;  // false: not for us (settings, price list, note); `ignored_because` says why
  std::string ignored_because;
  std::vector<SalesOrder> orders;  // status is left empty here: the folder gives it
  std::vector<Finding> findings;
  std::vector<FinanceRow> finance = {};  // only of pushed batches of finance streams
  std::vector<TableCell> table = {};  // only of what people sent as a table (overlay_sheet.h, finance_import.h), row by row
  TableFacts facts = {};              // of that table
};

Format sniff(std::string_view content, std::string_view name);

// The whole road for one document that is in memory, PDF excepted (its text comes from pdftotext, see pdf_parser.h).
ParsedDocument parse_document(std::string_view content, std::string_view name, const LayoutProfile& profile);

std::string encode(const ParsedDocument& document);
Result<ParsedDocument> decode_parsed_document(std::string_view bytes);

}  // namespace millrace::ingest
