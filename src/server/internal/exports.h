// Whole lists as files: streamed, bounded in memory, honest about their last row.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "server/internal/backend.h"

namespace millrace::server {

struct CsvStyle {
  char separator = ',';
  char decimal = '.';
  bool bom = false;
};

// One CSV cell by RFC 4180. Text that a spreadsheet would run as a formula gets an apostrophe in front.
void append_csv_text(std::string& out, std::string_view text, char separator);
// bom, sep and decimal of the query.
CsvStyle csv_style(const Request& request, std::vector<query::ParameterError>& errors);

// A remark, not a row: it is never quoted, so that it reads the same with every separator.
std::string last_line(std::uint64_t rows, const Moment& at);

struct SheetRequest {
  Moment at;
  query::OrderQuery query;
  std::string filter_text;
};
// Writes the workbook to an unnamed temporary file. Errors   limit_reached  more rows than a sheet holds
//                                                             unavailable    the temporary folder refuses
Result<UniqueFd> write_orders_workbook(const SheetRequest& sheet);

}  // namespace millrace::server
