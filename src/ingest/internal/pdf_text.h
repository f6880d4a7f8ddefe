// The words of a PDF, by running `pdftotext -tsv` as a child with its own limits. The child reads the bytes from an
// anonymous file in memory and answers through a pipe: no path is involved.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingest/document.h"

namespace millrace::ingest {

class CompiledLayout;

struct PdfTextLimits {
  std::uint64_t memory_max = 512ull << 20;        // address space of the child
  std::chrono::milliseconds time_max{10'000};     // wall time; the child is killed after it
  std::uint64_t text_bytes_max = 64ull << 20;
};

// Errors   invalid_input  pdftotext refuses the file; the text says in its words why
//          limit_reached  time, memory or text size
//          unavailable    pdftotext cannot be started
Result<std::string> pdf_words(std::string_view content, const PdfTextLimits& limits);

// Damage check, words, layout: the whole road of one PDF.
ParsedDocument parse_pdf(std::string_view content, const CompiledLayout& layout, const PdfTextLimits& limits);

}  // namespace millrace::ingest
