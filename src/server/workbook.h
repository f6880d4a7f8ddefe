// A list as a workbook: numbers with formats on the first sheet, what it is on the second, called "About".
//
// Invariants
//   * Numbers, days and flags are real numbers, dates and booleans; a text cell is a string, never a formula, and keeps its lines.
//   * Rows go to the temporary file as they come: memory does not grow with the list.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "feed/sequence.h"
#include "query/cells.h"

namespace millrace::server {

inline constexpr std::uint64_t sheet_rows_max = 1'048'575;  // one row of a sheet is the heading

struct SheetColumn {
  std::string_view title;
  query::FieldType type;
  enum class Look : std::uint8_t { plain, editable, hidden } look = Look::plain;  // editable ones have a coloured head
};

struct AboutSheet {
  std::string title;
  std::string filter;  // "" is no filter
  feed::Sequence as_of;
  Instant as_of_time;
  Instant written;
  Day today;
};

class Workbook {
 public:
  // Errors   unavailable  the temporary folder (TMPDIR) refuses
  static Result<Workbook> start(const std::string& sheet, const std::vector<SheetColumn>& columns);
  ~Workbook();
  Workbook(Workbook&&) noexcept;

  // One cell per column.  Errors   limit_reached  the sheet is full
  //                                unavailable    the temporary folder is
  Result<void> row(std::span<const query::Cell> cells);
  std::uint64_t row_count() const;

  // Closes the book and gives its bytes as an unnamed file, read from the start. Last call.
  // Errors   unavailable  it could not be written to the end
  Result<UniqueFd> finish(const AboutSheet& about);

 private:
  struct Impl;
  explicit Workbook(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::server
