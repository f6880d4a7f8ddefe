// The cells of a workbook's sheets, as a stream of what is really there: no allocation by sheet dimension.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/values.h"

namespace millrace::ingest {

struct SheetCell {
  std::int32_t row = 0;  // 0-based
  std::int32_t column = 0;
  FieldValue value;
  bool formula_without_value = false;
};

struct Sheet {
  std::string name;
  bool is_hidden = false;
  std::vector<SheetCell> cells;  // by row, then column; empty ones are left out
};

struct Workbook {
  std::deque<std::string> texts;  // what the cells' views point into
  std::vector<Sheet> sheets;
  bool from_1904 = false;  // days are counted from 1904-01-01
};

std::string cell_name(std::int32_t row, std::int32_t column);  // 10, 4 -> "E11"

// Errors   invalid_input  no workbook, or damaged
//          limit_reached  more than 2,000,000 cells
Result<Workbook> read_workbook(std::string_view content);

}  // namespace millrace::ingest
