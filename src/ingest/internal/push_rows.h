// The rows of a pushed batch while it is read: what adds an order, what is refused, and how a body is cut into lines.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/document.h"
#include "ingest/push.h"

namespace millrace::ingest {

// Calls `line` for every line that is not blank, with its number from 1.
void each_line(std::string_view body, const std::function<void(std::string_view line, std::uint64_t number)>& line);
std::uint64_t line_count(std::string_view body);  // that are not blank
// One JSON document per line as one array whose lines stand where they stood.
std::string lines_as_array(std::string_view body);

// "row 7 column DueDate", "line 14 column 3" and the field that a reason names, taken apart.
RefusedRow refused_row(const Finding& finding);

struct PushRows {
  struct Row {
    std::uint64_t row = 0;  // as in RefusedRow
    std::string status;
    ContentHash hash;  // of the order and its status
    std::uint64_t bytes = 0;
    Format format = Format::json;
    SalesOrder order;
    std::vector<Finding> flags;
  };
  std::vector<Row> orders;
  std::vector<FinanceRow> finance;  // of a stream of finance documents
  std::uint64_t count() const { return orders.size() + finance.size(); }
  std::vector<RefusedRow> refused;  // the first BatchReceipt::refused_rows_max
  std::uint64_t rejected = 0;       // all

  // `row` is where the document stands in the body when it is one line of it, else 0.
  void take(ParsedDocument document, std::uint64_t row);
  // Fewer rows were understood than there are lines: which ones is only told line by line.
  bool misses_some(const ParsedDocument& document, std::uint64_t lines) const;
  // After the last document: of two orders with one number the later counts, and the earlier is listed.
  void settle();

 private:
  void refuse(RefusedRow row);
};

}  // namespace millrace::ingest
