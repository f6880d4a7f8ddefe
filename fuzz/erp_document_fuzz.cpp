// Documents of an ERP: mapped to one whole order or refused with a sentence; the same text has the same hash.
#include "document_check.h"
#include "erp/mapping.h"

namespace {
class NoNames final : public millrace::erp::Names {
 public:
  std::string manufacturer_of_item(std::string_view) const override { return {}; }
  std::string salesperson(std::string_view) const override { return {}; }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  if (size == 0) return 0;
  const erp::Dialect dialect = data[0] % 2 == 0 ? erp::Dialect::sap_b1_v2 : erp::Dialect::odata_v4;
  const auto streams = erp::streams_of(dialect);
  const erp::StreamDescriptor& stream = streams[data[0] / 2 % streams.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const erp::Mapped mapped = erp::map_document(dialect, stream, text, NoNames{});
  if (stream.name == erp::StreamName::orders) {
    ingest::ParsedDocument document = mapped.document;
    document.format = ingest::Format::json;  // the codec in `hold` is of parser processes, which know no services
    ingest::hold(document);
    if (mapped.document.orders.size() > 1) std::abort();
  } else if (mapped.kept.empty() == mapped.document.findings.empty()) {
    std::abort();  // kept, or said why not
  }
  if (erp::map_document(dialect, stream, text, NoNames{}).hash != mapped.hash) std::abort();
  return 0;
}
