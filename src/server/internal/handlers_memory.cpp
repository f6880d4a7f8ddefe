// What our memory is spent on: the read model table by table and column by column, and how much of the process that is.
#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "readmodel/memory_report.h"
#include "server/internal/handlers.h"
#include "server/internal/rows.h"

namespace millrace::server {
namespace {

struct ProcessMemory {
  std::uint64_t resident = 0;
  std::uint64_t of_files = 0;  // the program, its libraries and mapped files; shared with their other users
};

ProcessMemory process_memory() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0, shared = 0;
  if (!(statm >> size >> resident >> shared)) return {};
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return {resident * page, shared * page};
}

void write_column(JsonWriter& json, const readmodel::MemoryColumn& column) {
  json.begin_object().field("name", column.name).field("bytes", column.bytes).field("bytes_plain", column.bytes_plain);
  if (column.sampled || column.distinct > 0) json.field("distinct", column.distinct);
  if (column.sampled) json.field("entropy_bytes", column.entropy_bytes);
  json.end_object();
}

void write_table(JsonWriter& json, const readmodel::MemoryTable& table) {
  json.begin_object().field("name", table.name).field("rows", table.rows);
  json.field("bytes", table.bytes).field("bytes_plain", table.bytes_plain);
  if (table.rows_sampled > 0) json.field("values_sampled", table.rows_sampled);
  json.key("columns").begin_array();
  for (const auto& column : table.columns) write_column(json, column);
  json.end_array().end_object();
}

// Memory that is neither the read model's nor a mapped file's: the sources' listings, the record's cache, kept answers,
// connections, and what the allocator holds for later. Negative when pages of the read model are not resident.
void write_process(JsonWriter& json, std::uint64_t explained) {
  const ProcessMemory process = process_memory();
  const struct mallinfo2 heap = ::mallinfo2();
  const std::uint64_t in_use = heap.uordblks + heap.hblkhd;
  json.key("process").begin_object().field("rss_bytes", process.resident).field("file_bytes", process.of_files);
  json.field("heap_in_use_bytes", in_use).field("heap_free_bytes", std::uint64_t{heap.fordblks});
  json.field("read_model_bytes", explained);
  json.field("unexplained_bytes",
             static_cast<std::int64_t>(process.resident) - static_cast<std::int64_t>(process.of_files + explained));
  json.end_object();
}

}  // namespace

Response show_memory(const Request& request, Backend& backend) {
  if (auto problem = unknown_parameters(request, {})) return problem_response(request, *problem);
  return data_response(request, backend, Keep::no, [&](const Moment& at) -> Result<std::string> {
    const auto tables = readmodel::memory_report(*at.snapshot);
    std::uint64_t bytes = 0, bytes_plain = 0;
    for (const auto& table : tables) bytes += table.bytes, bytes_plain += table.bytes_plain;
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("orders", at.snapshot->order_count()).field("lines", at.snapshot->line_count());
    json.field("bytes", bytes).field("bytes_plain", bytes_plain);
    json.key("tables").begin_array();
    for (const auto& table : tables) write_table(json, table);
    json.end_array();
    write_process(json, bytes);
    json.end_object();
    return out;
  });
}

}  // namespace millrace::server
