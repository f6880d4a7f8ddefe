#include "document_check.h"
#include "ingest/internal/fields.h"
#include "ingest/internal/pdf_plain.h"
#include "ingest/pdf_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::ingest;
  static const CompiledLayout layout(built_in_profile());
  if (const auto words = plain_pdf_words({reinterpret_cast<const char*>(data), size})) hold(parse_pdf_rows(rows_of(words->words), layout));
  return 0;
}
