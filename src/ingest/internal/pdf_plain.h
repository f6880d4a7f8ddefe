// The short road of a PDF: its words read in this process with libqpdf, a hundred times cheaper than a pdftotext of
// its own. For files of the ordinary kind only; the worker's walls stand around it all the same.
#pragma once
#include <optional>
#include <string_view>

#include "ingest/internal/pdf_content.h"

namespace millrace::ingest {

// Nothing when anything about the file is out of the ordinary: damaged, encrypted, with forms or annotations, turned,
// fonts without a letter table, no text at all. Throws std::bad_alloc only.
std::optional<PdfWords> plain_pdf_words(std::string_view content);

}  // namespace millrace::ingest
