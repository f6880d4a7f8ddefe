// A delimited file as a table, and back: what is written is the file, byte by byte.
//
// Types are guessed from the first rows and checked with every cell. Where a later row contradicts, the whole file is
// looked at and read once more with what is true then; so a clean file is read once and no file more than three times.
//
// Invariants
//   * Lossless or refused: there is no third outcome. `write_csv(load_csv(file))` is the file.
//   * Outside bytes are bounded by CsvLimits and `memory_max`; a file that changes while it is read is noticed.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "columns/csv_reader.h"
#include "columns/table.h"

namespace millrace::columns {

struct LoadOptions {
  CsvLimits limits;
  std::uint64_t memory_max = std::uint64_t{16} << 30;  // bytes of packed rows and texts
  const std::atomic<bool>* stop = nullptr;             // checked once per block
};

struct ColumnText {
  std::uint64_t bytes = 0;         // of all cells
  std::uint64_t object_bytes = 0;  // as plain memory: 8 a number, 32 a std::string and what it keeps outside itself
};

struct CsvTable {
  CsvDialect dialect;
  std::vector<std::string> head;
  std::unique_ptr<Table> table;  // compacted and published
  std::vector<ColumnText> text;  // by column
  std::uint64_t file_bytes = 0;
};

// Starts the file from its first byte, each time it is called.
using OpenFile = std::function<Result<ByteSource>()>;
// A file by its name; regular files and whatever can be read again from the start.
OpenFile file_opener(std::string path);

// Errors   not_found, denied, unavailable  the file cannot be read
//          invalid_input  a row has more or fewer fields than the first; see CsvReader
//          limit_reached  too many bytes, columns or rows; the text says which bound
//          conflict       the file changed while it was read
//          cancelled      `stop`
Result<CsvTable> load_csv(const OpenFile& open, const LoadOptions& options);

// Calls `sink` with pieces of the file until it answers false.
// Errors   cancelled  the sink answered false
Result<void> write_csv(const Snapshot& snapshot, const CsvDialect& dialect, const std::vector<std::string>& head,
                       const std::function<bool(std::string_view)>& sink);

}  // namespace millrace::columns
