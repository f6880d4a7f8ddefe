// A document as its mapped fields, each in canonical text: what the hash is made of.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "erp/mapping_fields.h"

namespace millrace::erp {

// One field as text in its one spelling; nothing when it is absent, null or says "none".
using Cell = std::optional<std::string>;

struct FieldRow {
  std::vector<Cell> cells;    // one per rule
  std::vector<Cell> foreign;  // the same in the document's currency, where the rule has a name for it
};

// The first thing that cannot be read exactly.
struct Unreadable {
  std::string field;
  std::string why;
  std::string value;
  std::string line;  // the line's key, "" of the header
};

struct ReadDocument {
  FieldRow header;
  std::vector<FieldRow> lines, more_lines;  // lines are sorted by their key
  bool has_lines = false;                   // the list was there, maybe empty
  Cell stamp_day, stamp_time;               // beside the fields: a touched document is not a changed one
  std::optional<Unreadable> unreadable;
};

ReadDocument read_fields(const FieldTable& table, const StreamDescriptor& stream, std::string_view json);

// The canonical text of one value. `why` says what is wrong when it cannot be read exactly; the raw text is kept then.
Cell canonical(FieldKind kind, std::string_view text, std::string& why);

}  // namespace millrace::erp
