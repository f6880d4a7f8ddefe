#include "document_check.h"
#include "ingest/internal/fields.h"
#include "ingest/json_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::ingest;
  static const CompiledLayout layout(built_in_profile());
  hold(parse_json({reinterpret_cast<const char*>(data), size}, layout));
  return 0;
}
