// Answers of a service: a page is read or refused, its rows are what was asked for, a cut page is never a shorter one.
#include <cstdlib>

#include "erp/page.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::erp;
  if (size == 0) return 0;
  const auto streams = streams_of(data[0] % 2 == 0 ? Dialect::sap_b1_v2 : Dialect::odata_v4);
  const StreamDescriptor& stream = streams[data[0] / 4 % streams.size()];
  const bool whole = data[0] % 4 < 2;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string body = text;
  const auto read = read_page(stream, whole, body);
  if (body != text) std::abort();
  (void)read_error(text);
  const auto* page = std::get_if<ReadPage>(&read);
  if (page == nullptr) return 0;
  for (const RemoteRow& row : page->rows) {
    if (row.key.is_number != stream.key_is_number || (!row.key.is_number && row.key.text.empty())) std::abort();
    if (whole != !row.document.empty() || text.find(row.document) == std::string::npos) std::abort();
  }
  if (!check_rows(stream, {}, page->rows)) {
    for (std::size_t i = 1; stream.key_is_number && i < page->rows.size(); ++i) {
      if (page->rows[i].key <= page->rows[i - 1].key) std::abort();
    }
  }
  return 0;
}
