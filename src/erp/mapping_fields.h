// The one table of field names per dialect: what an ERP calls a field, what we call it, and how it is written.
//
// Canonical text of a document is one JSON object with the fields of the table, in the order of the table, each in one
// spelling (decimals shortest, days ISO, flags only when set). Orders use the words that the built-in layout profile knows
// (`ingest/layout_profile.h`), so that their rules stay in one place; the other streams use our own names.
#pragma once
#include <span>
#include <string_view>

#include "erp/stream.h"

namespace millrace::erp {

enum class FieldKind : std::uint8_t {
  text,
  code,    // a number or text that stands for something; -1 and "" are none
  whole,   // a whole number, as text
  amount,  // a decimal, rounded to the 6 places such fields have
  rate,    // the same, of which 0 says nothing
  day,     // "2026-01-15", with or without a midnight behind it; 0001 and 1900 are none
  flag,    // tYES, csYes, true: written only when set
  status,  // of a document or line, in our words: "open", "closed", "planned", ...
};

struct FieldRule {
  std::string_view source;
  std::string_view ours;
  FieldKind kind = FieldKind::text;
  std::string_view foreign{};  // the same in the document's currency, used when the document is in a foreign one
};

struct LineTable {
  std::string_view source;  // "DocumentLines"; "" has no lines
  std::string_view ours;
  std::string_view key;     // our name of the field that tells lines apart and orders them; "" keeps the order they come in
  std::span<const FieldRule> fields;
};

struct FieldTable {
  std::span<const FieldRule> fields;
  LineTable lines;
  LineTable more_lines;  // additional expenses, paid invoices
};

const FieldTable& field_table(Dialect dialect, StreamName stream);

}  // namespace millrace::erp
