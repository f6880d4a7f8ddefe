#include <cstdlib>
#include <cstring>

#include "columns/csv_table.h"

// Whatever is read is written back to the byte; whatever is not is refused. The first byte says in what pieces it
// comes.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  using namespace millrace::columns;
  if (size == 0) return 0;
  const std::size_t piece = 1U + data[0];
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  const OpenFile open = [content, piece]() -> Result<ByteSource> {
    return ByteSource([rest = content, piece](std::span<char> buffer) mutable -> Result<std::size_t> {
      const std::size_t now = std::min({buffer.size(), piece, rest.size()});
      std::memcpy(buffer.data(), rest.data(), now);
      rest.remove_prefix(now);
      return now;
    });
  };
  LoadOptions options;
  options.limits = {.field_bytes_max = 4096, .record_bytes_max = 1 << 16, .fields_max = 64};
  const auto csv = load_csv(open, options);
  if (!csv) {
    if (csv.error().code() != ErrorCode::invalid_input && csv.error().code() != ErrorCode::limit_reached) std::abort();
    return 0;
  }
  std::string written;
  if (!write_csv(*csv->table->snapshot(), csv->dialect, csv->head, [&](std::string_view bytes) {
        written += bytes;
        return true;
      }))
    std::abort();
  if (written != content) std::abort();
  return 0;
}
