// Words of a page as boxes, and the rows and cells they form.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

struct PdfWord {
  int page = 0;
  double left = 0;  // points from the left and upper edge
  double right = 0;
  double bottom = 0;
  double height = 0;
  std::string_view text;
};

struct PdfCell {
  double left = 0;
  double right = 0;
  std::string text;
};

struct PdfRow {
  int page = 0;
  std::vector<PdfWord> words;  // left to right
  std::vector<PdfCell> cells() const;
};

// Words on one baseline, from top to bottom.
std::vector<PdfRow> rows_of(std::vector<PdfWord> words);

// Errors   invalid_input  not the answer of `pdftotext -tsv`
//          limit_reached  more than 2,000,000 words
Result<std::vector<PdfRow>> pdf_rows(std::string_view tsv);

}  // namespace millrace::ingest
