// A report that people file: a few figures, one curve and tables, written as a PDF or a workbook.
//
// Invariants
//   * Both files say the same numbers, as_of and day; the same pack gives the same bytes, whenever it is written.
//   * A text cell of the workbook is a string, never a formula; numbers, money and days are real ones.
//   * Letters no installed font knows are shown as a box in the PDF, never dropped.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "domain/money.h"
#include "feed/sequence.h"
#include "query/cells.h"

namespace millrace::app {

struct PackFigure {
  std::string title;
  query::Cell value;
};

struct PackTable {
  struct Column {
    std::string title;
    bool right = false;  // numbers end at the right edge and are never cut
    float share = 1;     // of the page's width, relative to the others
    bool warns = false;  // below zero is bad: shown in the colour of a warning besides its sign
  };
  std::string title;
  std::string note;  // one sentence below the title, "" none
  std::vector<Column> columns;
  std::vector<std::vector<query::Cell>> rows;  // a cell for every column
  bool has_total = false;                      // the last row is the sum of the others
};

// The balance day by day with its band, in minor units.
struct PackCurve {
  struct Point {
    Day day;
    std::int64_t value = 0, low = 0, high = 0;
  };
  std::string title;
  Currency currency;
  std::vector<Point> points;
  std::optional<std::int64_t> limit;  // a line that should not be crossed
};

struct Pack {
  std::string title;    // "Month-end pack November 2026"
  std::string company;  // "" none
  std::string sentence;
  std::vector<PackFigure> figures;
  std::optional<PackCurve> curve;
  std::vector<PackTable> tables;
  feed::Sequence as_of;
  Instant as_of_time;
  Day day;
};

// Errors   internal  the library refused; the text says what
Result<std::string> pack_pdf(const Pack& pack);
// Writes the file `path` anew.  Errors   unavailable  it could not be written to the end
Result<void> write_pack_xlsx(const Pack& pack, const std::string& path);

}  // namespace millrace::app
