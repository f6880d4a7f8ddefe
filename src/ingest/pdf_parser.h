// Order documents as pages: label/value lines, a table of lines by its column positions, printed sums.
//
// The words come from `plain_pdf_words` or, when a file is out of the ordinary, from `pdftotext -tsv`. A page cannot prove that it is whole, so
// every printed sum must agree with the lines, or the document is refused: never is a number invented.
//
//   row        words whose boxes stand on one baseline
//   cell       neighbouring words with less than half a letter height between them
//   head       a row of cells that name at least three line fields; repeated on each page
//   numbers    belong to the column whose right edge they share, texts to the column they start in
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ingest/document.h"

namespace millrace::ingest {

class CompiledLayout;

// What can be seen without parsing: cut off, encrypted. Nothing when the file may go on to pdftotext.
std::optional<Finding> pdf_damage(std::string_view content);

ParsedDocument parse_pdf_words(std::string_view tsv, const CompiledLayout& layout);
struct PdfRow;
ParsedDocument parse_pdf_rows(std::vector<PdfRow> rows, const CompiledLayout& layout);

}  // namespace millrace::ingest
