#include <cstdlib>

#include "ingest/finance_import.h"

// Whatever the bytes: the cells survive the way between two processes, every row is accounted for, and what would be taken
// may be what it says. The first byte chooses the kind.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace;
  using namespace millrace::ingest;
  if (size == 0) return 0;
  ImportOptions options;
  options.kind = static_cast<FinanceKind>(1 + data[0] % (finance_kind_count - 1));
  options.today = Day{std::chrono::year{2026}, std::chrono::March, std::chrono::day{10}};
  if (data[0] & 0x80) options.currency = *Currency::parse("EUR");
  const ParsedDocument read = parse_finance_table(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  const auto back = decode_parsed_document(encode(read));
  if (!back || back->table != read.table || (read.findings.empty() && read.format == Format::none)) std::abort();
  if (!read.findings.empty()) return 0;
  (void)guess_finance_kind(*back, "");
  const auto preview = preview_finance_table(*back, options, [](FinanceKind, const std::string&) -> Result<std::optional<StandingDocument>> { return std::optional<StandingDocument>(); });
  if (!preview) return 0;
  const ImportCounts& counts = preview->counts;
  if (counts.fresh + counts.changed + counts.same + counts.doubtful + counts.refused + counts.skipped != preview->rows.size()) std::abort();
  for (const ImportRow& row : preview->rows) {
    const bool left = row.state == ImportRow::State::refused || row.state == ImportRow::State::skipped;
    if (left == row.reason.empty() && !(row.state == ImportRow::State::doubtful)) std::abort();
    if (!left && !check_finance_document(row.document)) std::abort();
  }
  return 0;
}
