// The order book, or its lines, as CSV, XLSX or JSON: whole lists for a file or a pipe.
//
// Invariants
//   * One Snapshot, said at the end or beside the data: "as of Sequence S".
//   * Streams: holds one block of rows, never the whole list as text.
//   * CSV texts that a spreadsheet would take for a formula get a leading apostrophe.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "feed/reader.h"
#include "query/orders.h"
#include "readmodel/read_model.h"

namespace millrace::app {

enum class ExportFormat : std::uint8_t { csv, xlsx, json };
std::optional<ExportFormat> parse_export_format(std::string_view name);

struct ExportRequest {
  bool lines = false;  // one row per order line
  ExportFormat format = ExportFormat::csv;
  query::OrderQuery query;
  Day today{};
  Instant written{};        // said on the About sheet,
  std::string filter_text;  // as is what the person asked for
};

// Where the bytes go. Answers false when the reader went away (a closed pipe): the export ends without an error.
using Sink = std::function<bool(std::string_view)>;

// Errors   limit_reached  more rows than a sheet holds; the text says to filter or take CSV
//          unavailable    the workbook cannot be written
Result<void> write_export(const readmodel::SnapshotPtr& snapshot, const ExportRequest& request, const Sink& sink);

// The last change that still counts: a Sequence ("1042") or an instant ("2026-11-21T08:00:00Z"); "" is the newest.
struct AsOf {
  std::optional<feed::Sequence> sequence;
  std::optional<Instant> time;
};
Result<AsOf> parse_as_of(std::string_view text);

// Builds the book from its changes, up to `as_of`. `progress` hears the Sequence reached and the last one.
// Errors   those of the reader; cancelled when `stop` became true; not_found when nothing was recorded that early
Result<readmodel::SnapshotPtr> replay(feed::Reader& reader, const AsOf& as_of, const std::atomic<bool>& stop,
                                      const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace millrace::app
